//! A list of steps that is played while bytes flow.

use std::time::Duration;

use tokio::time::Instant;

use super::{Connecting, Direction, Faults};

/// One step of a script: it waits for something, or does something.
///
/// A step begins when the one before it is done, and counts from there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Waits until so many connections have been accepted. The last of them is there, and nothing
    /// has come over it.
    Connections(u64),
    /// Waits until so many bytes were delivered in a direction, over all connections. On one
    /// connection not one byte more is delivered before the next steps are done.
    Bytes(Direction, u64),
    /// Waits until a byte has come that is about to be delivered in a direction. It is not
    /// delivered before the next steps are done: if they reset, it never is.
    Arrival(Direction),
    /// Waits for some time.
    Elapsed(Duration),
    /// Sets the faults of a direction, in place of those it has.
    Faults(Direction, Faults),
    /// Sets how new connections are made.
    Connecting(Connecting),
    /// Takes back all faults and listens again. New connections go to the same upstream as before,
    /// without delay or duplicates. What was cut, half-closed or swallowed stays so.
    Heal,
    /// Resets every connection.
    Reset,
    /// Ends every connection in order, at both ends.
    Close,
    /// Ends every connection in one direction: the receiver is told that nothing more comes, and
    /// what comes is dropped.
    HalfClose(Direction),
    /// Closes the address: newcomers are refused by the kernel. Open connections stay.
    Refuse,
    /// Listens again at the same address.
    Listen,
    /// Plays the script from its first step, so many times more. Passed over in a script that
    /// waits for nothing.
    Repeat(u64),
}

impl Step {
    const fn waits(&self) -> bool {
        matches!(
            self,
            Self::Connections(1..) | Self::Bytes(_, 1..) | Self::Arrival(_) | Self::Elapsed(_)
        )
    }
}

/// Something a script may wait for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Connection,
    Bytes(Direction, u64),
    Arrival(Direction),
    Tick,
}

/// A script and how far it is.
#[derive(Debug, Default)]
pub(super) struct Script {
    steps: Vec<Step>,
    next: usize,
    /// What the present step has seen.
    progress: u64,
    began: Option<Instant>,
    repeats: u64,
}

impl Script {
    /// The script, and what it does at once.
    pub(super) fn begin(steps: Vec<Step>, now: Instant) -> (Self, Vec<Step>, u64) {
        let mut script = Self {
            steps,
            ..Self::default()
        };
        let mut acts = Vec::new();
        let done = script.go_on(&mut acts, now);
        (script, acts, done)
    }

    pub(super) fn is_done(&self) -> bool {
        self.next >= self.steps.len()
    }

    /// When to come back with [`Event::Tick`].
    pub(super) fn alarm(&self) -> Option<Instant> {
        match (self.steps.get(self.next), self.began) {
            (Some(Step::Elapsed(wait)), Some(began)) => began.checked_add(*wait),
            _ => None,
        }
    }

    /// How many bytes may be delivered before the script has to be asked again.
    pub(super) fn allowance(&self, direction: Direction) -> Option<u64> {
        match self.steps.get(self.next) {
            Some(Step::Bytes(of, count)) if *of == direction => {
                Some(count.saturating_sub(self.progress))
            }
            _ => None,
        }
    }

    /// What the event makes the script do, and how many steps that were.
    pub(super) fn note(&mut self, event: Event, now: Instant) -> (Vec<Step>, u64) {
        let mut acts = Vec::new();
        let satisfied = match (self.steps.get(self.next), event) {
            (Some(Step::Connections(count)), Event::Connection) => {
                self.progress += 1;
                self.progress >= *count
            }
            (Some(Step::Bytes(of, count)), Event::Bytes(direction, bytes)) if *of == direction => {
                self.progress += bytes;
                self.progress >= *count
            }
            (Some(Step::Arrival(of)), Event::Arrival(direction)) => *of == direction,
            (Some(Step::Elapsed(_)), Event::Tick) => self.alarm().is_some_and(|at| at <= now),
            _ => false,
        };
        if !satisfied {
            return (acts, 0);
        }
        self.next += 1;
        let done = 1 + self.go_on(&mut acts, now);
        (acts, done)
    }

    /// Collects what is done without waiting; returns how many steps that were.
    fn go_on(&mut self, acts: &mut Vec<Step>, now: Instant) -> u64 {
        let mut done = 0;
        while let Some(step) = self.steps.get(self.next) {
            match step {
                Step::Repeat(times) => {
                    let again = self.repeats < *times && self.steps.iter().any(Step::waits);
                    if again {
                        self.repeats += 1;
                        self.next = 0;
                    } else {
                        self.next += 1;
                    }
                }
                step if step.waits() => {
                    self.progress = 0;
                    self.began = Some(now);
                    break;
                }
                // Those that wait for nothing are done.
                Step::Connections(_) | Step::Bytes(..) => self.next += 1,
                act => {
                    acts.push(act.clone());
                    self.next += 1;
                }
            }
            done += 1;
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(steps: &[Step]) -> (Script, Vec<Step>) {
        let (script, acts, _) = Script::begin(steps.to_vec(), Instant::now());
        (script, acts)
    }

    #[test]
    fn steps_wait_in_turn_and_count_from_where_they_begin() {
        let (mut script, acts) = begin(&[
            Step::Connections(2),
            Step::Bytes(Direction::Up, 10),
            Step::Reset,
        ]);
        let now = Instant::now();
        assert_eq!(acts, []);
        assert_eq!(script.allowance(Direction::Up), None);

        assert_eq!(script.note(Event::Bytes(Direction::Up, 99), now).0, []);
        assert_eq!(script.note(Event::Connection, now).0, []);
        assert_eq!(script.note(Event::Connection, now), (vec![], 1));
        assert_eq!(script.allowance(Direction::Up), Some(10));
        assert_eq!(script.allowance(Direction::Down), None);
        assert_eq!(script.note(Event::Bytes(Direction::Up, 4), now).0, []);
        assert_eq!(script.note(Event::Bytes(Direction::Down, 9), now).0, []);
        assert_eq!(script.allowance(Direction::Up), Some(6));

        let acts = script.note(Event::Bytes(Direction::Up, 6), now);

        assert_eq!(acts, (vec![Step::Reset], 2));
        assert!(script.is_done());
    }

    #[test]
    fn a_script_without_waits_is_done_at_once_however_often_it_is_to_repeat() {
        let (script, acts) = begin(&[
            Step::Bytes(Direction::Up, 0),
            Step::Refuse,
            Step::Reset,
            Step::Repeat(u64::MAX),
        ]);

        assert_eq!(acts, [Step::Refuse, Step::Reset]);
        assert!(script.is_done());
    }

    #[test]
    fn a_script_repeats_as_often_as_it_says() {
        let (mut script, _) = begin(&[Step::Connections(1), Step::Reset, Step::Repeat(2)]);
        let now = Instant::now();

        let resets: usize = (0..9)
            .map(|_| script.note(Event::Connection, now).0.len())
            .sum();

        assert_eq!(resets, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn time_is_waited_for_from_the_begin_of_the_step() {
        let second = Duration::from_secs(1);
        let (mut script, _) = begin(&[Step::Connections(1), Step::Elapsed(second), Step::Close]);
        tokio::time::advance(second).await;
        assert_eq!(script.alarm(), None);
        assert_eq!(script.note(Event::Connection, Instant::now()).0, []);
        assert_eq!(script.alarm(), Some(Instant::now() + second));

        assert_eq!(script.note(Event::Tick, Instant::now()).0, []);
        tokio::time::advance(second).await;

        assert_eq!(script.note(Event::Tick, Instant::now()).0, [Step::Close]);
    }
}
