//! Place: what processes have in common that reach the same peer by the same URL.

use std::sync::LazyLock;

use gufo_core::random::{self, SplitMix};

/// Drawn by chance, since ids of processes repeat between containers.
static PROCESS: LazyLock<String> = LazyLock::new(|| random::id(&SplitMix::from_entropy()));

/// This process.
pub(crate) fn process() -> String {
    format!("process-{}", *PROCESS)
}

/// The file system as this process sees it: one boot of one system, one set of mounts, one root.
/// Where the system does not tell, what is certain: this process alone.
#[cfg(feature = "socket")]
pub(crate) fn files() -> String {
    match view() {
        Ok(view) => format!("files-{:016x}", hash(&view)),
        Err(_) => process(),
    }
}

#[cfg(feature = "socket")]
fn view() -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;

    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let mounts = std::fs::read_link("/proc/self/ns/mnt")?;
    let root = std::fs::metadata("/")?;
    let (device, inode) = (root.dev(), root.ino());
    Ok(format!(
        "{} {} {device} {inode}",
        boot.trim(),
        mounts.display()
    ))
}

/// FNV-1a: the same in every build, and nothing here is chosen by a peer.
#[cfg(feature = "socket")]
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_one_place() {
        assert_eq!(process(), process());
    }

    #[cfg(all(feature = "socket", target_os = "linux"))]
    #[test]
    fn the_files_of_a_system_are_one_place_that_is_not_the_process() {
        assert!(files().starts_with("files-"), "{}", files());
        assert_eq!(files(), files());
        assert_eq!(hash("owl"), 0x19f1_9719_21b7_5d85);
        assert_ne!(hash("boot-1 mnt:[1]"), hash("boot-2 mnt:[1]"));
    }
}
