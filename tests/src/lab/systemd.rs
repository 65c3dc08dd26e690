//! A registry that is a service of its host's. systemd itself cannot run here, so a stand-in for `systemctl` tells of the
//! real registry, which is in a cgroup as systemd makes one for it, and stops and starts it.

use super::{RegistryHost, try_run, until};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Programs of a host's own, which it finds before the installed ones.
///
/// ```no_run
/// use dockline_tests::lab::{RegistryHost, RegistryHostOptions, Systemd};
///
/// let systemd = Systemd::new();
/// let sshd_config = systemd.sshd_config();
/// let host = RegistryHost::with(RegistryHostOptions { sshd_config, ..Default::default() });
/// let service = systemd.serve(&host, None);
/// assert!(service.name().ends_with(".service"));
/// ```
#[derive(Debug)]
pub struct Systemd {
    folder: TempDir,
}

impl Systemd {
    /// # Panics
    /// When no folder can be made.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    #[must_use]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// What sends a host's logins there.
    #[must_use]
    pub fn sshd_config(&self) -> String {
        format!("SetEnv PATH={}:/usr/bin:/bin:/usr/sbin:/sbin\n", self.folder.path().display())
    }

    /// Puts a shell script there.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn put(&self, name: &str, script: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}")).expect("the folder is ours");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("the file is ours");
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes the host's registry, which runs, a service; its unit says that it runs as `account`.
    ///
    /// # Panics
    /// When there are no cgroups.
    #[must_use]
    pub fn serve(self, host: &RegistryHost, account: Option<&str>) -> Service {
        let roots = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"].map(Path::new);
        let root =
            roots.into_iter().find(|root| root.join("cgroup.procs").is_file()).expect("cgroups are mounted");
        let pid = host.registry().pid();
        let cgroup = root.join("system.slice").join(format!("dockline-{pid}.service"));
        fs::create_dir_all(&cgroup).expect("root makes cgroups");
        fs::write(cgroup.join("cgroup.procs"), pid.to_string()).expect("the cgroup is ours");
        fs::write(self.folder.path().join("pid"), pid.to_string()).expect("the folder is ours");
        let script = format!(
            "cd '{folder}'\n[ $1 = show ] || echo \"$@\" >> log\ncase $1 in\n\
             stop) kill $(cat pid); while ss -Hltn 'sport = :5000' | grep -q .; do :; done ;;\n\
             start) setsid sh -c 'echo $$ >pid; echo $$ >\"$0\"; exec docker-registry serve \"$1\"' '{procs}' '{settings}' \
             </dev/null >/dev/null 2>&1 & ;;\n\
             show) echo \"MainPID=$(cat pid)\nUser={account}\n\
             ExecStart={{ path=/usr/bin/docker-registry ; argv[]=/usr/bin/docker-registry serve {settings} ; }}\" ;;\n\
             *) exit 64 ;;\nesac\n",
            folder = self.folder.path().display(),
            procs = cgroup.join("cgroup.procs").display(),
            settings = host.storage().with_file_name("registry.yml").display(),
            account = account.unwrap_or_default(),
        );
        self.put("systemctl", &script);
        Service { systemd: self, cgroup }
    }
}

/// It ends with this.
#[derive(Debug)]
pub struct Service {
    systemd: Systemd,
    cgroup: PathBuf,
}

impl Service {
    /// Of its unit.
    ///
    /// # Panics
    /// Never: it was given one.
    #[must_use]
    pub fn name(&self) -> String {
        self.cgroup.file_name().expect("it has a name").to_string_lossy().into_owned()
    }

    /// What it was told to do: `stop UNIT`, `start UNIT`, a line each.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.systemd.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Ok(pid) = fs::read_to_string(self.systemd.folder.path().join("pid")) {
            let _ = try_run(Command::new("kill").arg(pid.trim()));
        }
        // A second panic would end every test of the program; a cgroup that is still in use stays.
        if !std::thread::panicking() {
            until("the service has ended", || {
                fs::read_to_string(self.cgroup.join("cgroup.procs")).map_or(true, |left| left.is_empty())
            });
        }
        let _ = fs::remove_dir(&self.cgroup);
    }
}
