//! Where each system keeps the hosts file, and where the journal of its changes goes.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The systems that differ here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux, and whatever else is much like it.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one this program was built for.
    #[must_use]
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// The hosts file: hosts(5) on Linux and macOS; on Windows below `%SystemRoot%` (the resolver's `DataBasePath`),
/// which `variable` is asked for.
#[must_use]
pub fn hosts_file(platform: Platform, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    match platform {
        Platform::Linux | Platform::MacOs => PathBuf::from("/etc/hosts"),
        Platform::Windows => {
            let root = variable("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
            // Joined as text, so that it comes out right on the Linux machine that tests it.
            let mut path = root;
            path.push(r"\System32\drivers\etc\hosts");
            PathBuf::from(path)
        }
    }
}

/// A folder that administrators alone may write and that survives a restart.
fn journal_folder(platform: Platform, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    match platform {
        Platform::Linux => PathBuf::from("/var/lib/dockline/journal"),
        Platform::MacOs => PathBuf::from("/Library/Application Support/Dockline/journal"),
        Platform::Windows => {
            let mut path = variable("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
            path.push(r"\Dockline\journal");
            PathBuf::from(path)
        }
    }
}

/// The files a change touches, as parameters: tests, crash tests and the demo have their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The hosts file.
    pub hosts: PathBuf,
    /// A folder for the journal; made when it is first needed.
    pub journal: PathBuf,
}

impl Paths {
    /// This system's own.
    #[must_use]
    pub fn system() -> Self {
        let platform = Platform::current();
        Self {
            hosts: hosts_file(platform, |name| std::env::var_os(name)),
            journal: journal_folder(platform, |name| std::env::var_os(name)),
        }
    }

    /// A hosts file other than the system's (tests, the demo), with its journal beside it.
    #[must_use]
    pub fn beside(hosts: &Path) -> Self {
        let mut journal = hosts.as_os_str().to_owned();
        journal.push(".dockline-journal");
        Self { hosts: hosts.to_owned(), journal: PathBuf::from(journal) }
    }

    /// Whether these are the system's files, which take an administrator's leave to change.
    #[must_use]
    pub fn are_system(&self) -> bool {
        *self == Self::system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_hosts_file() {
        let none = |_: &str| None;
        assert_eq!(hosts_file(Platform::Linux, none), Path::new("/etc/hosts"));
        assert_eq!(hosts_file(Platform::MacOs, none), Path::new("/etc/hosts"));
        assert_eq!(
            hosts_file(Platform::Windows, |name| (name == "SystemRoot").then(|| r"D:\Win".into())),
            Path::new(r"D:\Win\System32\drivers\etc\hosts")
        );
        assert_eq!(hosts_file(Platform::Windows, none), Path::new(r"C:\Windows\System32\drivers\etc\hosts"));
    }

    #[test]
    fn the_journal_is_where_administrators_alone_write() {
        let none = |_: &str| None;
        assert_eq!(journal_folder(Platform::Linux, none), Path::new("/var/lib/dockline/journal"));
        assert_eq!(journal_folder(Platform::Windows, none), Path::new(r"C:\ProgramData\Dockline\journal"));
        assert_eq!(
            Paths::beside(Path::new("/tmp/x/hosts")).journal,
            Path::new("/tmp/x/hosts.dockline-journal")
        );
    }
}
