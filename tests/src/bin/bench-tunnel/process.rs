//! What a process has used, as proc(5) tells it.

use nix::unistd::Pid;
use std::fs;

/// Ticks a second of the counters in `/proc/PID/stat`: USER_HZ, which is part of the kernel's interface.
const TICKS: f64 = 100.0;

/// Seconds of processor time, of all its threads, in the program and in the kernel.
pub fn cpu_seconds(pid: Pid) -> f64 {
    let text = read(pid, "stat");
    // The name may have spaces and brackets in it; the fields after it are numbered from 3 on.
    let (_, fields) = text.rsplit_once(") ").unwrap_or_else(|| panic!("{text} is not like proc(5) says"));
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |field: usize| {
        fields[field - 3].parse::<f64>().unwrap_or_else(|_| panic!("{text} is not like proc(5) says"))
    };
    (ticks(14) + ticks(15)) / TICKS
}

/// Bytes of it in memory (resident set).
pub fn resident_bytes(pid: Pid) -> f64 {
    let text = read(pid, "status");
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.unwrap_or_else(|| panic!("{pid} has no VmRSS")) * 1024.0
}

/// How many files and sockets it has open.
pub fn open_files(pid: Pid) -> usize {
    let path = format!("/proc/{pid}/fd");
    fs::read_dir(&path).unwrap_or_else(|error| panic!("{path} cannot be listed: {error}")).count()
}

fn read(pid: Pid, name: &str) -> String {
    let path = format!("/proc/{pid}/{name}");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}
