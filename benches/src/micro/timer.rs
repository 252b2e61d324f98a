//! Median time of many repetitions, with the steps of a group taking turns.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use super::{GroupReport, Step};
use crate::Result;
use crate::stats::Spread;

/// How long the repetitions of one sample take together.
const SAMPLE: Duration = Duration::from_millis(10);

/// Steps that take turns, so that what drifts falls on all of them.
pub(super) struct Group {
    title: &'static str,
    steps: Vec<(String, Repeat)>,
}

/// Repeats a step and says how long that took.
type Repeat = Box<dyn FnMut(u64) -> Duration>;

impl Group {
    /// A group without steps.
    pub(super) fn new(title: &'static str) -> Self {
        Self {
            title,
            steps: Vec::new(),
        }
    }

    /// Adds a step.
    pub(super) fn step<T>(
        mut self,
        name: impl Into<String>,
        mut step: impl FnMut() -> T + 'static,
    ) -> Self {
        let repeat = move |times| {
            let started = Instant::now();
            for _ in 0..times {
                black_box(step());
            }
            started.elapsed()
        };
        self.steps.push((name.into(), Box::new(repeat)));
        self
    }

    /// Adds a step that is awaited on a runtime.
    pub(super) fn awaited<F: IntoFuture>(
        mut self,
        name: impl Into<String>,
        runtime: &Rc<Runtime>,
        mut step: impl FnMut() -> F + 'static,
    ) -> Self {
        let runtime = Rc::clone(runtime);
        let repeat = move |times| {
            runtime.block_on(async {
                let started = Instant::now();
                for _ in 0..times {
                    black_box(step().await);
                }
                started.elapsed()
            })
        };
        self.steps.push((name.into(), Box::new(repeat)));
        self
    }

    /// Times every step this many times.
    pub(super) fn measure(mut self, samples: usize) -> Result<GroupReport> {
        let counts: Vec<u64> = self
            .steps
            .iter_mut()
            .map(|(_, repeat)| repetitions(repeat))
            .collect();
        let mut nanos = vec![Vec::new(); self.steps.len()];
        for _ in 0..samples {
            for (((_, repeat), times), nanos) in self.steps.iter_mut().zip(&counts).zip(&mut nanos)
            {
                nanos.push(repeat(*times).as_secs_f64() * 1e9 / *times as f64);
            }
        }
        let steps = self.steps.into_iter().zip(nanos).map(|((name, _), nanos)| {
            let nanos = Spread::of(nanos).ok_or("a step needs a sample")?;
            Ok(Step { name, nanos })
        });
        Ok(GroupReport {
            title: self.title.to_owned(),
            steps: steps.collect::<Result<_>>()?,
        })
    }
}

/// A runtime of one thread for awaited steps.
pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// How often a step is repeated to fill one sample; finding out warms it up as well.
fn repetitions(repeat: &mut Repeat) -> u64 {
    let mut times = 1;
    while repeat(times) < SAMPLE {
        times *= 2;
    }
    times
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn every_step_has_as_many_samples_as_were_asked_for() {
        let group = Group::new("sums")
            .step("short", || (0..10u64).sum::<u64>())
            .step("long", || (0..20u64).sum::<u64>());

        let report = group.measure(3).unwrap();

        assert_eq!(
            report
                .steps
                .iter()
                .map(|step| step.name.as_str())
                .collect::<Vec<_>>(),
            ["short", "long"]
        );
        assert!(
            report
                .steps
                .iter()
                .all(|step| step.nanos.values.len() == 3 && step.nanos.min > 0.0),
            "{report:?}"
        );
    }

    #[test]
    fn an_awaited_step_runs_to_its_end_each_time() {
        let ended = Rc::new(Cell::new(0u64));
        let count = Rc::clone(&ended);
        let group =
            Group::new("yields").awaited("yield", &Rc::new(runtime().unwrap()), move || {
                let count = Rc::clone(&count);
                async move {
                    tokio::task::yield_now().await;
                    count.set(count.get() + 1);
                }
            });

        group.measure(2).unwrap();

        assert!(ended.get() > 2);
    }
}
