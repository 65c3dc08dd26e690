//! A newer OpenSSH server than this release's: in a root folder of its own, with this machine's network.

use super::{
    daemon::Daemon,
    needs::{free_port, newer_openssh},
    shell::run,
};
use std::{fs, path::PathBuf, process::Command, time::Duration};
use tempfile::TempDir;

/// `$1` is the root folder, which others may use at the same time: what is mounted is this process's own. `$2` is the
/// server's folder.
const INSIDE: &str = r#"
set -e
mount --bind "$1" "$1"; mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/run"; mkdir "$1/run/sshd"; mount --bind "$2" "$1/lab"
exec chroot "$1" /usr/sbin/sshd -D -e -f /lab/sshd_config
"#;

/// A running server on 127.0.0.1, with one key that may log in as root. It ends when it is dropped.
#[derive(Debug)]
pub struct NewerSshd {
    daemon: Daemon,
    folder: TempDir,
    port: u16,
}

impl NewerSshd {
    /// Starts it with more lines for `sshd_config`, which come first. Ask for [`super::Need::NewerOpenssh`] and root first.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(sshd_config: &str) -> Self {
        let folder =
            tempfile::Builder::new().prefix("newer-sshd-").tempdir().expect("a temporary folder can be made");
        let port = free_port();
        for key in ["host_key", "id", "stranger"] {
            let path = folder.path().join(key).display().to_string();
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path]);
        }
        fs::copy(folder.path().join("id.pub"), folder.path().join("authorized_keys"))
            .expect("the folder is ours");
        let config = format!(
            "{sshd_config}\nListenAddress 127.0.0.1\nPort {port}\nHostKey /lab/host_key\nAuthorizedKeysFile \
             /lab/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication \
             no\nKbdInteractiveAuthentication no\nLogLevel DEBUG1\nUseDNS no\n"
        );
        fs::write(folder.path().join("sshd_config"), config).expect("the folder is ours");
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", INSIDE, "sh"]);
        command.arg(newer_openssh()).arg(folder.path());
        let daemon = Daemon::spawn("newer sshd", command);
        daemon.wait_for_line("Server listening on", Duration::from_secs(20));
        Self { daemon, folder, port }
    }

    /// `root@127.0.0.1:PORT`.
    #[must_use]
    pub fn destination(&self) -> String {
        format!("root@127.0.0.1:{}", self.port)
    }

    /// The key that may log in.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.folder.path().join("id")
    }

    /// One that may not.
    #[must_use]
    pub fn stranger(&self) -> PathBuf {
        self.folder.path().join("stranger")
    }

    /// Its line for known_hosts.
    ///
    /// # Panics
    /// When its key cannot be read.
    #[must_use]
    pub fn known_hosts_line(&self) -> String {
        let key = fs::read_to_string(self.folder.path().join("host_key.pub")).expect("ssh-keygen wrote it");
        format!("[127.0.0.1]:{} {}", self.port, key.trim())
    }

    /// Its log.
    #[must_use]
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }
}
