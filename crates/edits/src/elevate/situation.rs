//! What this process has at hand for getting an administrator's rights.

use crate::{Paths, Platform};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

/// What the choice depends on; gathered by [`Situation::of_process`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The system.
    pub platform: Platform,
    /// The files to be changed.
    pub paths: Paths,
    /// Whether this process may write them itself: it is root, or they are its own (tests, the demo).
    pub may_write: bool,
    /// Whether a graphical session is there to show a password dialogue.
    pub graphical: bool,
    /// Whether a person sits at this process's terminal.
    pub terminal: bool,
    /// Where pkexec(1) is.
    pub pkexec: Option<PathBuf>,
    /// Where sudo(8) is.
    pub sudo: Option<PathBuf>,
    /// Where `dockline-helper` is.
    pub helper: Option<PathBuf>,
}

impl Situation {
    /// This process's, for changing `paths`. The helper is `$DOCKLINE_HELPER`, or beside the running program.
    #[must_use]
    pub fn of_process(paths: Paths) -> Self {
        let search = env::var_os("PATH").unwrap_or_default();
        Self {
            platform: Platform::current(),
            may_write: is_root() || !paths.are_system(),
            paths,
            graphical: is_graphical(Platform::current(), |name| env::var_os(name)),
            terminal: io::stdin().is_terminal(),
            pkexec: find("pkexec", &search),
            sudo: find("sudo", &search),
            helper: find_helper(),
        }
    }
}

/// A display that is forwarded over SSH has no polkit agent on it.
pub(super) fn is_graphical(platform: Platform, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is_remote = is_set("SSH_CONNECTION");
    match platform {
        Platform::Linux => !is_remote && (is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")),
        Platform::MacOs => !is_remote,
        Platform::Windows => true,
    }
}

fn find(program: &str, search: &OsString) -> Option<PathBuf> {
    env::split_paths(search)
        .map(|folder| folder.join(program))
        .find(|path| path.is_absolute() && path.is_file())
}

fn find_helper() -> Option<PathBuf> {
    if let Some(path) = env::var_os("DOCKLINE_HELPER").map(PathBuf::from) {
        return path.is_file().then_some(path);
    }
    let beside = dockline_programs::own().ok()?.with_file_name(helper_name());
    beside.is_file().then_some(beside)
}

fn helper_name() -> &'static Path {
    Path::new(if cfg!(windows) { "dockline-helper.exe" } else { "dockline-helper" })
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether a Windows process is elevated takes a call into the system to find out; asking costs nothing there.
#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
