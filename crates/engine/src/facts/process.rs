//! A dockerd on this machine: its command line and its control group tell which file it reads and how it is reloaded.
//! Pure, apart from [`of_socket`] and its like at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// A dockerd of this machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonProcess {
    /// Its process id, as this process sees it.
    pub pid: u32,
    /// `--config-file`, if it was started with one.
    pub config_file: Option<PathBuf>,
    /// The keys of daemon.json that it was given on the command line: the same key in the file keeps dockerd from
    /// starting (moby, `daemon/config`, `findConfigurationConflicts`).
    pub flags: BTreeSet<String>,
    /// `XDG_CONFIG_HOME` of its environment or what follows from `HOME`, where that may be read.
    pub config_home: Option<PathBuf>,
    /// The systemd unit it belongs to.
    pub unit: Option<Unit>,
}

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `docker.service`.
    pub name: String,
    /// Whether it is one of a person's own manager (`systemctl --user`).
    pub user: bool,
}

/// dockerd's flags that are lists and are called otherwise in the file (dockerd(8); moby, `cmd/dockerd/config.go`:
/// flags of a list are named in the singular, keys in the plural).
const PLURALS: &[(&str, &str)] = &[
    ("insecure-registry", "insecure-registries"),
    ("registry-mirror", "registry-mirrors"),
    ("host", "hosts"),
    ("label", "labels"),
    ("dns-opt", "dns-opts"),
    ("storage-opt", "storage-opts"),
    ("exec-opt", "exec-opts"),
    ("log-opt", "log-opts"),
    ("feature", "features"),
];

impl DaemonProcess {
    /// From what /proc has of it; `None` if it is not dockerd.
    pub(super) fn read(pid: u32, cmdline: &[u8], environ: &[u8], cgroup: &str) -> Option<Self> {
        let words: Vec<String> =
            cmdline.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        let (program, words) = words.split_first()?;
        if Path::new(program).file_name()? != "dockerd" {
            return None;
        }
        let mut given = arguments(words);
        let config_file = given.remove("config-file").filter(|path| !path.is_empty()).map(PathBuf::from);
        let flags = given.into_keys().collect();
        Some(Self { pid, config_file, flags, config_home: config_home(environ), unit: unit(cgroup) })
    }
}

/// The long options by their names in daemon.json, with the (last) value. `-H` is the one short option that counts.
fn arguments(words: &[String]) -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (name, value) = match (word.strip_prefix("--"), word.strip_prefix("-H")) {
            (Some(long), _) => match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            },
            (None, Some(rest)) => ("host", (!rest.is_empty()).then(|| rest.to_owned())),
            (None, None) => continue,
        };
        // A switch is followed by the next option, or by nothing.
        let value = value
            .or_else(|| words.next_if(|next| !next.starts_with('-') && !next.is_empty()).cloned())
            .unwrap_or_default();
        let key = PLURALS.iter().find(|(flag, _)| *flag == name).map_or(name, |(_, key)| key);
        given.insert(key.to_owned(), value);
    }
    given
}

/// The XDG base directory specification's `$XDG_CONFIG_HOME`, which rootless dockerd goes by.
fn config_home(environ: &[u8]) -> Option<PathBuf> {
    let value = |name: &str| {
        environ
            .split(|byte| *byte == 0)
            .find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
            .filter(|value| !value.is_empty())
            .map(|value| PathBuf::from(String::from_utf8_lossy(value).into_owned()))
    };
    value("XDG_CONFIG_HOME").or_else(|| value("HOME").map(|home| home.join(".config")))
}

/// The innermost `.service` of the control group's path (cgroups(7), /proc/PID/cgroup).
fn unit(cgroup: &str) -> Option<Unit> {
    cgroup.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        let name = path.rsplit('/').find(|part| part.ends_with(".service"))?;
        // A person's own manager is itself the service `user@1000.service`.
        let user = path.split('/').any(|part| part.starts_with("user@") && part != name);
        (!name.starts_with("user@")).then(|| Unit { name: name.to_owned(), user })
    })
}

/// The dockerd that answers at `socket`: the process that listens there; or, where systemd listens in its place
/// (socket activation), the only dockerd that runs.
#[cfg(target_os = "linux")]
pub(super) fn of_socket(socket: &Path) -> Option<DaemonProcess> {
    use std::os::unix::net::UnixStream;
    // unix(7), SO_PEERCRED: whoever called listen(2).
    let stream = UnixStream::connect(socket).ok()?;
    let listener = rustix::net::sockopt::socket_peercred(&stream).ok()?;
    let pid = u32::try_from(listener.pid.as_raw_nonzero().get()).ok()?;
    if let Some(daemon) = of_pid(pid) {
        return Some(daemon);
    }
    let mut all = std::fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        of_pid(pid)
    });
    match (all.next(), all.next()) {
        (Some(only), None) => Some(only),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

#[cfg(target_os = "linux")]
fn of_pid(pid: u32) -> Option<DaemonProcess> {
    let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}"));
    // Another user's environment is not ours to read, and nothing that a root daemon's settings depend on.
    let (cmdline, environ) = (read("cmdline").ok()?, read("environ").unwrap_or_default());
    let cgroup = read("cgroup").unwrap_or_default();
    DaemonProcess::read(pid, &cmdline, &environ, &String::from_utf8_lossy(&cgroup))
}

/// Tells Podman's service behind `socket` to read registries.conf again: unlike its command line, which reads it each
/// time, the service keeps what it has read (measured with 4.3; podman-system-service(1) has SIGHUP for it). Where
/// systemd listens in its place, every service of this person's is told. Returns whether there was any.
#[cfg(target_os = "linux")]
pub(super) fn reload_podman(socket: &Path) -> std::io::Result<bool> {
    use rustix::process::{Pid, Signal, kill_process};
    let listener = std::os::unix::net::UnixStream::connect(socket)
        .and_then(|stream| Ok(rustix::net::sockopt::socket_peercred(&stream)?))?
        .pid
        .as_raw_nonzero()
        .get();
    let services = match is_podman_service(listener) {
        true => vec![listener],
        false => std::fs::read_dir("/proc")?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| is_podman_service(*pid))
            .collect(),
    };
    let mut told = false;
    for pid in services.into_iter().filter_map(Pid::from_raw) {
        kill_process(pid, Signal::HUP)?;
        told = true;
    }
    Ok(told)
}

#[cfg(target_os = "linux")]
fn is_podman_service(pid: i32) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let folder = format!("/proc/{pid}");
    let is_ours = rustix::process::geteuid().is_root()
        || std::fs::metadata(&folder).is_ok_and(|stat| stat.uid() == rustix::process::geteuid().as_raw());
    is_ours && std::fs::read(format!("{folder}/cmdline")).is_ok_and(|line| is_podman_service_line(&line))
}

/// `podman [OPTIONS] system service [OPTIONS] [URI]`.
fn is_podman_service_line(cmdline: &[u8]) -> bool {
    let mut words = cmdline.split(|byte| *byte == 0);
    let is_podman = words.next().is_some_and(|word| word == b"podman" || word.ends_with(b"/podman"));
    is_podman && words.any(|word| word == b"system") && words.next() == Some(b"service")
}

/// Nowhere else does Podman's service run as a process that can be seen.
#[cfg(not(target_os = "linux"))]
pub(super) fn reload_podman(_socket: &Path) -> std::io::Result<bool> {
    Ok(false)
}

/// Nowhere else does dockerd run as a process that can be seen.
#[cfg(not(target_os = "linux"))]
pub(super) fn of_socket(_socket: &Path) -> Option<DaemonProcess> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cmdline: &str) -> Option<DaemonProcess> {
        DaemonProcess::read(7, cmdline.replace(' ', "\0").as_bytes(), b"", "")
    }

    #[test]
    fn the_command_line_tells_the_file_and_the_keys_that_are_taken() {
        let daemon = read(
            "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --config-file /etc/d.json \
             --insecure-registry=10.0.0.0/8 --insecure-registry a:5000 --debug --mtu 1400",
        )
        .unwrap();
        assert_eq!(daemon.config_file, Some("/etc/d.json".into()));
        let flags: Vec<_> = daemon.flags.iter().map(String::as_str).collect();
        assert_eq!(flags, ["containerd", "debug", "hosts", "insecure-registries", "mtu"]);
        assert_eq!(read("dockerd").unwrap().config_file, None);
        assert!(read("dockerd").unwrap().flags.is_empty());
        for other in ["", "/usr/bin/containerd --config x", "rootlesskit dockerd", "/bin/sh -c dockerd"] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_podman_service_is_told_by_its_command_line() {
        let is = |line: &str| is_podman_service_line(line.replace(' ', "\0").as_bytes());
        assert!(
            is("podman system service --time=0 unix:///p.sock")
                && is("/usr/bin/podman --root /r system service")
        );
        assert!(!is("podman system prune") && !is("vi podman system service") && !is("podman service"));
    }

    #[test]
    fn the_control_group_tells_the_unit() {
        let is = |cgroup: &str, expected: Option<(&str, bool)>| {
            let found = unit(cgroup);
            assert_eq!(found.as_ref().map(|unit| (unit.name.as_str(), unit.user)), expected, "{cgroup}");
        };
        is("0::/system.slice/docker.service\n", Some(("docker.service", false)));
        is(
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service\n",
            Some(("docker.service", true)),
        );
        is("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-terminal.scope\n", None);
        is("0::/user.slice/user-1000.slice/session-3.scope\n", None);
        is("9:name=systemd:/\n0::/\n", None);
        is(
            "1:name=systemd:/system.slice/snap.docker.dockerd.service\n",
            Some(("snap.docker.dockerd.service", false)),
        );
    }

    #[test]
    fn the_environment_tells_a_persons_configuration_folder() {
        assert_eq!(config_home(b"HOME=/home/a\0XDG_CONFIG_HOME=/c\0"), Some("/c".into()));
        assert_eq!(config_home(b"XDG_CONFIG_HOME=\0HOME=/home/a\0"), Some("/home/a/.config".into()));
        assert_eq!(config_home(b""), None);
    }
}
