//! Where Dockline keeps its files on this platform.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

pub(crate) use platform::make_private;

use crate::autostart::{self, Autostart};
use directories::ProjectDirs;
use dockline_model::{Code, Places, SshTarget, UiError};
use dockline_tunnel::SshEnvironment;
use std::{
    env, io,
    path::{Path, PathBuf},
};

/// Every place that Dockline reads or writes, as data, so that tests and the demo use folders of their own.
#[derive(Debug, Clone)]
pub struct Paths {
    /// `config.toml`, the one file that a person edits.
    pub config_file: PathBuf,
    /// What must survive a reboot: locks of the configuration, journals of system edits.
    pub state_dir: PathBuf,
    /// Lock and control socket of the owner; emptied by a reboot. Mode 0700.
    pub runtime_dir: PathBuf,
    /// The system's hosts file.
    pub hosts_file: PathBuf,
    /// What starts the desktop app at login, where that is switched on.
    pub autostart_entry: PathBuf,
    /// OpenSSH's own files.
    pub ssh: SshEnvironment,
}

/// A place that cannot be found or made.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// There is no home folder.
    #[error("This account has no home folder, so there is no place for Dockline's configuration")]
    NoHome,
    /// A folder cannot be made.
    #[error("The folder {} cannot be made", path.display())]
    Create {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The runtime folder belongs to somebody else, or others may write to it: the control socket would not be safe.
    #[error("The folder {} is not private to this account", path.display())]
    NotPrivate {
        /// Which.
        path: PathBuf,
    },
}

impl Paths {
    /// The platform's own folders (on Linux the XDG ones), or all in the folder that `DOCKLINE_HOME` names.
    /// `DOCKLINE_HOSTS_FILE` stands in for the system's hosts file.
    ///
    /// # Errors
    /// [`PathsError::NoHome`] if there is no home folder.
    pub fn from_process() -> Result<Self, PathsError> {
        let mut paths = match non_empty("DOCKLINE_HOME") {
            Some(home) => Self::in_folder(&std::path::absolute(&home).unwrap_or(home)),
            None => Self::of_platform()?,
        };
        if let Some(hosts) = non_empty("DOCKLINE_HOSTS_FILE") {
            paths.hosts_file = hosts;
        }
        Ok(paths)
    }

    /// A path as the configuration has it, with `~/` filled in as a shell would.
    #[must_use]
    pub fn expanded(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.ssh.home_ssh.parent()) {
            (Ok(rest), Some(home)) => home.join(rest),
            (Ok(_), None) | (Err(_), _) => path.to_owned(),
        }
    }

    /// How questions call the login at `target`, as `ssh` knows it.
    ///
    /// # Errors
    /// `SshConfig` where `ssh` does not tell.
    pub async fn account(&self, target: &SshTarget) -> Result<String, UiError> {
        let identity = target.identity.as_deref().map(|path| self.expanded(path));
        let target = SshTarget { identity, ..target.clone() };
        dockline_tunnel::account(&target, &self.ssh).await.map_err(|error| UiError::from(&error))
    }

    /// Everything in one folder, apart from the hosts file.
    #[must_use]
    pub fn in_folder(home: &Path) -> Self {
        Self {
            config_file: home.join("config.toml"),
            state_dir: home.join("state"),
            runtime_dir: platform::socket_folder(home.join("run")),
            hosts_file: system_hosts_file(),
            autostart_entry: home.join("autostart").join("dockline.desktop"),
            ssh: SshEnvironment::from_process(),
        }
    }

    fn of_platform() -> Result<Self, PathsError> {
        let dirs = ProjectDirs::from("", "", "dockline").ok_or(PathsError::NoHome)?;
        let state_dir = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned();
        let runtime_dir = platform::socket_folder(platform::runtime_dir(&dirs));
        Ok(Self {
            config_file: dirs.config_dir().join("config.toml"),
            state_dir,
            runtime_dir,
            hosts_file: system_hosts_file(),
            autostart_entry: autostart::entry_of_account(),
            ssh: SshEnvironment::from_process(),
        })
    }

    /// What pushes remember: which layers a registry has, which uploads broke off.
    #[must_use]
    pub fn push_records(&self) -> PathBuf {
        self.state_dir.join("pushes")
    }

    /// Where an engine's export is kept while it is pushed, until an owner starts, and what is pulled for an engine, for a day.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.state_dir.join("exports")
    }

    /// The lock whose holder is the owner.
    #[must_use]
    pub fn owner_lock(&self) -> PathBuf {
        self.runtime_dir.join("owner.lock")
    }

    /// The control socket (on Windows the pipe's name is made from it).
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.runtime_dir.join("control.sock")
    }

    /// How the desktop app is started at login.
    #[must_use]
    pub fn autostart(&self) -> Autostart {
        Autostart::new(self.autostart_entry.clone())
    }

    /// The same for people to read.
    #[must_use]
    pub fn places(&self) -> Places {
        let shown = |path: &Path| path.display().to_string();
        Places {
            config: shown(&self.config_file),
            state: shown(&self.state_dir),
            control: shown(&self.control_socket()),
            hosts: shown(&self.hosts_file),
            ssh: shown(&self.ssh.home_ssh),
        }
    }

    /// The list of past transfers.
    #[must_use]
    pub fn transfers_file(&self) -> PathBuf {
        self.state_dir.join("transfers.json")
    }

    /// What is known of newer versions of Dockline.
    #[must_use]
    pub fn updates_file(&self) -> PathBuf {
        self.state_dir.join("updates.json")
    }

    /// Makes the folders, private to this account.
    ///
    /// # Errors
    /// If one cannot be made, or the runtime folder is not ours alone.
    pub fn prepare(&self) -> Result<(), PathsError> {
        let config_dir = self.config_file.parent().unwrap_or(Path::new("."));
        for folder in [config_dir, &self.state_dir, &self.runtime_dir] {
            platform::make_private(folder)
                .map_err(|source| PathsError::Create { path: folder.to_owned(), source })?;
        }
        // /tmp is anybody's: a folder put there by somebody else before us must not get our socket.
        match platform::is_private(&self.runtime_dir) {
            Ok(true) => Ok(()),
            Ok(false) => Err(PathsError::NotPrivate { path: self.runtime_dir.clone() }),
            Err(source) => Err(PathsError::Create { path: self.runtime_dir.clone(), source }),
        }
    }
}

/// As the program that changes it has it, to the letter: [`crate::hosts`] compares the two.
fn system_hosts_file() -> PathBuf {
    dockline_edits::Paths::system().hosts
}

fn non_empty(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl From<&PathsError> for UiError {
    fn from(error: &PathsError) -> Self {
        match error {
            PathsError::NoHome => Self::new(Code::FileIo, format!("{error}."))
                .hint("Set HOME, or name one folder for all of Dockline's files in DOCKLINE_HOME."),
            PathsError::Create { source, .. } => {
                Self::new(Code::FileIo, format!("{error}: {source}."))
                    .hint("Make the folder writable, or name another one in DOCKLINE_HOME.")
            }
            PathsError::NotPrivate { .. } => Self::new(Code::FileIo, format!("{error}.")).hint(
                "Its owner must be you and nobody else may have rights to it (chmod 700); remove it if it is not yours.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_systems_hosts_file_is_changed_as_the_systems() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::in_folder(home.path());
        assert!(crate::hosts::edit_paths(&paths).are_system());
        // Under another name too, as macOS's /etc is a link.
        let name = paths.hosts_file.file_name().unwrap();
        let folder = paths.hosts_file.parent().unwrap();
        let by_way_of = Paths { hosts_file: folder.join("..").join("etc").join(name), ..paths };
        assert!(crate::hosts::edit_paths(&by_way_of).are_system());
        let stand_in = Paths { hosts_file: home.path().join("hosts"), ..by_way_of };
        assert!(!crate::hosts::edit_paths(&stand_in).are_system());
    }

    #[test]
    fn folders_are_made_private() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::in_folder(&home.path().join("deep").join("er"));
        paths.prepare().unwrap();
        paths.prepare().unwrap();
        assert!(platform::is_private(&paths.runtime_dir).unwrap());
        assert!(platform::is_private(&paths.state_dir).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_runtime_folder_open_to_others_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::in_folder(home.path());
        paths.prepare().unwrap();
        std::fs::set_permissions(&paths.runtime_dir, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(paths.prepare(), Err(PathsError::NotPrivate { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_path_too_long_for_the_system_is_moved() {
        let home = PathBuf::from(format!("/home/{}", "x".repeat(120)));
        let moved = Paths::in_folder(&home);
        assert!(moved.control_socket().as_os_str().len() < 100);
        assert_eq!(moved.control_socket(), Paths::in_folder(&home).control_socket());
        assert_ne!(moved.control_socket(), Paths::in_folder(&home.join("y")).control_socket());
    }
}
