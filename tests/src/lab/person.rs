//! An ordinary user of a [`Workstation`], who is in no password file but that machine's.

use super::{shell::run, workstation::Workstation};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// A number that no account of a Debian machine has by itself (deb-policy, 9.2.2).
const ID: &str = "29321";
/// What belongs to that person in a user namespace of theirs (subuid(5)).
const SUBORDINATES: &str = "ann:2000000000:65536\n";

/// Ann.
#[derive(Debug, Clone)]
pub struct Person {
    workstation: Arc<Workstation>,
    folder: PathBuf,
}

impl Person {
    /// Gives the machine one; there can be one.
    ///
    /// # Panics
    /// When the account cannot be written.
    #[must_use]
    pub fn on(workstation: &Arc<Workstation>) -> Self {
        let folder = workstation.folder().join("ann");
        let home = folder.display();
        for (file, line) in [
            ("/etc/passwd", format!("ann:x:{ID}:{ID}::{home}:/bin/sh\n")),
            ("/etc/group", format!("ann:x:{ID}:\n")),
            ("/etc/subuid", SUBORDINATES.to_owned()),
            ("/etc/subgid", SUBORDINATES.to_owned()),
        ] {
            let path = workstation.path(file);
            let before = fs::read_to_string(&path).unwrap_or_default();
            fs::write(&path, before + &line).expect("the workstation's /etc is ours");
        }
        let person = Self { workstation: Arc::clone(workstation), folder };
        fs::create_dir_all(person.runtime_dir()).expect("the workstation's folder is ours");
        fs::set_permissions(person.runtime_dir(), fs::Permissions::from_mode(0o700))
            .expect("the folder is ours");
        person.owns(&person.folder.clone());
        person
    }

    /// Ann's home folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.folder
    }

    /// What `XDG_RUNTIME_DIR` is to Ann.
    #[must_use]
    pub fn runtime_dir(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// Lets Ann start this program as root with sudo(8), without a password, and no other. Returns the copy that she may
    /// start: one that only root could change.
    ///
    /// # Panics
    /// When the rule cannot be written.
    #[must_use]
    pub fn may_start_as_root(&self, program: &Path) -> PathBuf {
        let etc = "the workstation's /etc is ours";
        // sudo(8) asks PAM whether the account is valid.
        let shadow = self.workstation.path("/etc/shadow");
        let before = fs::read_to_string(&shadow).expect(etc);
        fs::write(&shadow, before + "ann:*:19000:0:99999:7:::\n").expect(etc);
        let copy = self.workstation.folder().join("dockline-helper");
        fs::copy(program, &copy).expect("the workstation's folder is ours");
        let rule = self.workstation.path("/etc/sudoers.d/ann");
        fs::write(&rule, format!("ann ALL=(root) NOPASSWD: {}\n", copy.display())).expect(etc);
        fs::set_permissions(&rule, fs::Permissions::from_mode(0o440)).expect(etc);
        copy
    }

    /// Lets Ann administer the machine with this password, as Debian has it: she is in the group `sudo`, whose members
    /// polkit takes for administrators.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn may_administer(&self, password: &str) {
        let etc = "the workstation's /etc is ours";
        let hash = run("openssl", &["passwd", "-6", password]);
        let shadow = self.workstation.path("/etc/shadow");
        let before = fs::read_to_string(&shadow).expect(etc);
        fs::write(&shadow, format!("{before}ann:{}:19000:0:99999:7:::\n", hash.trim())).expect(etc);
        let group = self.workstation.path("/etc/group");
        let groups = fs::read_to_string(&group).expect(etc);
        let with_ann = |line: &str| match line.strip_prefix("sudo:") {
            Some(rest) if rest.ends_with(':') => format!("{line}ann\n"),
            Some(_) => format!("{line},ann\n"),
            None => format!("{line}\n"),
        };
        fs::write(&group, groups.lines().map(with_ann).collect::<String>()).expect(etc);
    }

    /// Makes everything at `path` Ann's.
    ///
    /// # Panics
    /// When it cannot be.
    pub fn owns(&self, path: &Path) {
        run("chown", &["--recursive", &format!("{ID}:{ID}"), &path.display().to_string()]);
    }

    /// A program that Ann starts, with home and runtime folder and nothing else that is anybody's.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.workstation.command("setpriv");
        command
            .args(["--reuid", ID, "--regid", ID, "--clear-groups", "--"])
            .arg(program)
            .env("HOME", self.home())
            .env("USER", "ann")
            .env("XDG_RUNTIME_DIR", self.runtime_dir())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .env_remove("DBUS_SESSION_BUS_ADDRESS");
        command
    }

    /// The machine.
    #[must_use]
    pub fn workstation(&self) -> &Arc<Workstation> {
        &self.workstation
    }
}
