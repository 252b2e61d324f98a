//! What the kernel says about a process.

use std::fs;
use std::iter::Sum;
use std::time::Duration;

use crate::Result;

/// The processor time a process has used so far, over all its threads.
///
/// # Errors
/// When there is no such process, or the kernel keeps no statistics of it.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        // Nanoseconds on the processor, nanoseconds waiting for it, time slices. A thread may have ended
        // since the listing: its time is lost, which is why workers keep their threads.
        if let Ok(text) = fs::read_to_string(entry?.path().join("schedstat")) {
            total += first_number(&text).ok_or("reading schedstat: no number in it")?;
        }
    }
    if total == 0 {
        return Err(format!("the kernel keeps no scheduler statistics for process {pid}").into());
    }
    Ok(Duration::from_nanos(total))
}

/// The largest resident set the process ever had, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn peak_memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

/// The resident set of the process, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn resident_memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The memory the process holds that no file backs, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn anonymous_memory(pid: u32) -> Result<u64> {
    status_bytes(pid, "RssAnon:")
}

/// One figure over several processes.
///
/// # Errors
/// When one of them cannot be read.
pub fn sum<T: Sum>(pids: &[u32], figure: impl Fn(u32) -> Result<T>) -> Result<T> {
    pids.iter().map(|pid| figure(*pid)).sum()
}

fn status_bytes(pid: u32, key: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = line
        .and_then(first_number)
        .ok_or_else(|| format!("process {pid} has no {key}"))?;
    Ok(kibibytes * 1024)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_grows_with_work() {
        let pid = std::process::id();

        let before = cpu_time(pid).unwrap();
        let mut after = before;
        while after <= before {
            std::hint::black_box((0..10_000u64).sum::<u64>());
            after = cpu_time(pid).unwrap();
        }

        assert!(after > before);
    }

    #[test]
    fn peak_memory_covers_what_was_touched() {
        let touched = vec![1u8; 8 << 20];

        let peak = peak_memory(std::process::id()).unwrap();

        assert!(peak > std::hint::black_box(&touched).len() as u64);
    }

    #[test]
    fn anonymous_memory_is_a_part_of_the_peak() {
        let touched = vec![1u8; 8 << 20];

        let anonymous = anonymous_memory(std::process::id()).unwrap();

        assert!(anonymous > std::hint::black_box(&touched).len() as u64);
        assert!(anonymous <= peak_memory(std::process::id()).unwrap());
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        assert!(cpu_time(u32::MAX).is_err());
        assert!(peak_memory(u32::MAX).is_err());
        assert!(anonymous_memory(u32::MAX).is_err());
    }
}
