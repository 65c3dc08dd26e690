//! The app's processes, as the kernel has them.

use nix::unistd::Pid;
use std::{fs, time::Duration};

/// A process and all that descend from it, itself first: those that have ended are left out.
#[must_use]
pub fn family(first: Pid) -> Vec<Pid> {
    let mut found = vec![first];
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        at += 1;
        // Each thread has children of its own (proc(5), "children").
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(
                children.split_whitespace().filter_map(|child| child.parse().ok()).map(Pid::from_raw),
            );
        }
    }
    found
}

/// Whether it runs; one that has ended and that nobody has asked after does not.
#[must_use]
pub fn is_running(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The program's name, in brackets, may have any character in it (proc(5)).
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.starts_with(['Z', 'X'])
}

/// Whether a process has a library of that name in its memory.
///
/// # Panics
/// When it has ended.
#[must_use]
pub fn loads(pid: Pid, library: &str) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    maps.lines().any(|line| line.rsplit('/').next().is_some_and(|file| file.starts_with(library)))
}

/// What the processes weigh together, in MiB: what they share with others is divided among all who have it
/// (proportional set size, proc(5) `smaps_rollup`).
///
/// # Panics
/// When one that runs cannot be looked at.
#[must_use]
pub fn weight(processes: &[Pid]) -> f64 {
    let kibibytes = processes.iter().filter_map(|pid| {
        // One that has just ended weighs nothing.
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().trim_end_matches(" kB").parse::<f64>().ok()
    });
    kibibytes.sum::<f64>() / 1024.0
}

/// The processor time that the processes have taken, their threads that run still.
#[must_use]
pub fn processor_time(processes: &[Pid]) -> Duration {
    let threads = processes.iter().filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok()).flatten();
    let nanoseconds = threads.flatten().filter_map(|thread| {
        // The first number is the time on a processor (proc(5), "schedstat").
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
