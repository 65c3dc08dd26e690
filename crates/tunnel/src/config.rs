//! What a tunnel is made from: the registry, OpenSSH's files, and the limits it keeps.

use crate::{AccessRules, Gateway};
use dockline_model::RegistrySpec;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the agent of Windows' own OpenSSH listens.
pub(crate) const WINDOWS_AGENT_PIPE: &str = r"\\.\pipe\openssh-ssh-agent";

/// Everything a tunnel needs to know.
#[derive(Debug, Clone)]
pub struct TunnelConfig {
    /// The registry it leads to.
    pub spec: RegistrySpec,
    /// Where OpenSSH's files are.
    pub ssh: SshEnvironment,
    /// How many SSH sessions, and when another one is added.
    pub pool: PoolLimits,
    /// How long [`crate::Tunnel::up`] waits through failed dials that are worth another try.
    pub patience: Duration,
    /// Where a registry has several hosts: how often the one in use is looked at.
    pub health_interval: Duration,
    /// What a connection to the listeners has to begin with.
    pub access: AccessRules,
    /// A second listener, for programs in containers.
    pub gateway: Option<Gateway>,
}

impl TunnelConfig {
    /// With the default limits.
    #[must_use]
    pub fn new(spec: RegistrySpec, ssh: SshEnvironment) -> Self {
        Self {
            spec,
            ssh,
            pool: PoolLimits::default(),
            patience: Duration::from_secs(20),
            health_interval: Duration::from_secs(10),
            access: AccessRules::default(),
            gateway: None,
        }
    }
}

/// The size of a registry's pool of SSH sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Sessions at most; 1 turns pooling off.
    pub sessions: usize,
    /// A session with this many open channels is full: the next one opens another session while there may be
    /// more, and goes to the least loaded one otherwise.
    pub channels_per_session: usize,
    /// An extra session that has carried nothing for this long is closed.
    pub retire_after: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { sessions: 3, channels_per_session: 2, retire_after: Duration::from_secs(30) }
    }
}

/// Where OpenSSH's files are. Parameters, so that a test or a demo has a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshEnvironment {
    /// `~/.ssh`: the default keys and `known_hosts`.
    pub home_ssh: PathBuf,
    /// The configuration to read instead of the user's and the system's (`ssh -F`).
    pub config: Option<PathBuf>,
    /// The known_hosts files to use instead of the configured ones; new keys go into the first.
    pub known_hosts: Vec<PathBuf>,
    /// The agent's socket (`SSH_AUTH_SOCK`), on Windows its named pipe: by default that of Windows' own OpenSSH, with
    /// Pageant where nobody listens there.
    pub agent_socket: Option<PathBuf>,
    /// The `ssh` program that is asked for a host's options (`ssh -G`); `None` uses built-in defaults only.
    pub ssh_program: Option<PathBuf>,
    /// After how much silence a session is asked whether it is still there; `None` means Dockline's own choice.
    pub keepalive: Option<Duration>,
}

impl SshEnvironment {
    /// As `ssh` itself would find them: `~/.ssh`, the system's files, `SSH_AUTH_SOCK`, `ssh` on the PATH, on Windows its own `ssh`.
    #[must_use]
    pub fn from_process() -> Self {
        let home = std::env::home_dir().unwrap_or_default();
        Self {
            home_ssh: home.join(".ssh"),
            config: None,
            known_hosts: Vec::new(),
            agent_socket: std::env::var_os("SSH_AUTH_SOCK")
                .filter(|s| !s.is_empty())
                .map(PathBuf::from)
                .or_else(|| cfg!(windows).then(|| PathBuf::from(WINDOWS_AGENT_PIPE))),
            ssh_program: Some(ssh_program(cfg!(windows), std::env::var_os("SystemRoot"), Path::is_file)),
            keepalive: None,
        }
    }
}

/// The `ssh` on the PATH; on Windows rather its own, which knows the files and the agent that Dockline uses: started
/// from Git Bash, the PATH has the one of Git first, with a home and paths of its own.
fn ssh_program(
    is_windows: bool,
    system_root: Option<OsString>,
    is_there: impl FnOnce(&Path) -> bool,
) -> PathBuf {
    let own = system_root.map(|root| Path::new(&root).join("System32").join("OpenSSH").join("ssh.exe"));
    own.filter(|own| is_windows && is_there(own)).unwrap_or_else(|| PathBuf::from("ssh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_has_an_ssh_of_its_own() {
        let root = || Some(OsString::from("/windows"));
        let own = Path::new("/windows/System32/OpenSSH/ssh.exe");
        assert_eq!(ssh_program(true, root(), |path| path == own), own);
        for other in [
            ssh_program(true, root(), |_| false),
            ssh_program(true, None, |_| true),
            ssh_program(false, root(), |_| true),
        ] {
            assert_eq!(other, Path::new("ssh"));
        }
    }
}
