//! The processor time of programs that have ended.

use std::fs;
use std::time::Duration;

use crate::Result;

/// The processor time of all children this process has waited for, and of theirs, in steps of a tick.
pub(super) fn ended_children_cpu_time() -> Result<Duration> {
    /// User and kernel ticks of ended children, counted behind the name of the program.
    const FIELDS: [usize; 2] = [13, 14];
    /// Linux reports ticks of this length on every architecture we build for.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat
        .rsplit_once(')')
        .ok_or("reading /proc/self/stat: no name in it")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let mut ticks = 0;
    for index in FIELDS {
        ticks += fields
            .get(index)
            .and_then(|field| field.parse::<u32>().ok())
            .ok_or("reading /proc/self/stat")?;
    }
    Ok(TICK * ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_counts_once_they_have_ended() {
        let before = ended_children_cpu_time().unwrap();
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";

        let status = std::process::Command::new("sh")
            .args(["-c", busy])
            .status()
            .unwrap();

        assert!(status.success());
        assert!(ended_children_cpu_time().unwrap() > before);
    }
}
