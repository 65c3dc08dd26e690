//! Finding this machine's own dockerd, to tell it to read its settings again.

use crate::step::StepError;

/// Sends SIGHUP to the one dockerd that runs as root in this machine's own file system (dockerd(8), “Configuration
/// reload”). Others, inside containers, are none of ours.
///
/// # Errors
/// [`StepError`].
#[cfg(target_os = "linux")]
pub fn reload() -> Result<(), StepError> {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let found = find().map_err(StepError::Signal)?;
    let [pid] = found.as_slice() else {
        return Err(if found.is_empty() { StepError::NotRunning } else { StepError::Several });
    };
    let failed = |errno: rustix::io::Errno| StepError::Signal(errno.into());
    let pid = Pid::from_raw(*pid).ok_or(StepError::NotRunning)?;
    // The descriptor stays this process's, should its number be given to another meanwhile; so look again behind it.
    let descriptor = pidfd_open(pid, PidfdFlags::empty()).map_err(failed)?;
    match is_dockerd(pid.as_raw_nonzero().get()) {
        true => pidfd_send_signal(&descriptor, Signal::HUP).map_err(failed),
        false => Err(StepError::NotRunning),
    }
}

/// Elsewhere dockerd runs in a virtual machine, or as a service that is restarted.
///
/// # Errors
/// Always [`StepError::NotRunning`].
#[cfg(not(target_os = "linux"))]
pub fn reload() -> Result<(), StepError> {
    Err(StepError::NotRunning)
}

#[cfg(target_os = "linux")]
fn find() -> std::io::Result<Vec<i32>> {
    let numbers = std::fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| is_dockerd(*pid))
        .collect();
    Ok(numbers)
}

/// By its program and not by its name, which anybody may choose; as root; with our view of the file system; and reading
/// the usual daemon.json, since no other was written.
#[cfg(target_os = "linux")]
fn is_dockerd(pid: i32) -> bool {
    use std::{fs, os::unix::fs::MetadataExt as _, path::Path};
    let proc = |name: &str| format!("/proc/{pid}/{name}");
    let is_program = fs::read_link(proc("exe")).is_ok_and(|exe| {
        exe.file_name().is_some_and(|name| name == "dockerd" || name == "dockerd (deleted)")
    });
    is_program
        && fs::metadata(format!("/proc/{pid}")).is_ok_and(|stat| stat.uid() == 0)
        && matches!((fs::read_link(proc("ns/mnt")), fs::read_link("/proc/self/ns/mnt")), (Ok(a), Ok(b)) if a == b)
        && fs::read(proc("cmdline")).is_ok_and(|line| {
            let mut words = line.split(|byte| *byte == 0).filter_map(|word| std::str::from_utf8(word).ok());
            let told = words.by_ref().find_map(|word| match word.strip_prefix("--config-file") {
                Some("") => Some(None),
                Some(rest) => rest.strip_prefix('=').map(Some),
                None => None,
            });
            match told {
                None => true,
                Some(path) => path
                    .or_else(|| words.next())
                    .is_some_and(|path| Path::new(path) == Path::new("/etc/docker/daemon.json")),
            }
        })
}
