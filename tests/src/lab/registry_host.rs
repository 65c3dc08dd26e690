//! A registry host: a network namespace with OpenSSH's server on its outer address, and Distribution's registry on
//! its own loopback, where nothing but a tunnel can reach it.

mod network;

use super::{
    authority::Authority,
    daemon::Daemon,
    needs::find_program,
    shell::{Finished, run, try_run},
    slot::Slot,
};
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// How a [`RegistryHost`] differs from the ordinary.
#[derive(Debug, Clone, Default)]
pub struct RegistryHostOptions {
    /// Size of the registry's disk in MiB; as large as the machine's if `None`.
    pub disk_mib: Option<u32>,
    /// Whether there is no registry: nothing listens at the far end of the tunnel.
    pub without_registry: bool,
    /// What stands before the key in `authorized_keys`, such as `restrict,port-forwarding`.
    pub key_options: String,
    /// A public key that may log in as well, so that one key serves several hosts.
    pub also_authorized: String,
    /// A password that may log in as well. Only this sshd sees it: the machine's accounts stay as they are.
    pub password: Option<String>,
    /// Names and addresses that the registry has a certificate for, of an [`Authority`] of its own; it speaks HTTP
    /// without any.
    pub tls_names: Vec<String>,
    /// More lines for `sshd_config`; OpenSSH takes the first value of a keyword, and these come first.
    pub sshd_config: String,
}

/// See the module. Everything ends, and is removed, when it is dropped.
#[derive(Debug)]
pub struct RegistryHost {
    sshd: Option<Daemon>,
    registry: Option<Daemon>,
    options: RegistryHostOptions,
    /// Logins counted by listeners that have been stopped since.
    earlier_logins: usize,
    authority: Option<Authority>,
    // Dropped last: it takes the namespace away from under the others.
    slot: Slot,
}

impl RegistryHost {
    /// A host with a registry on 127.0.0.1:5000 and one key that may log in.
    #[must_use]
    pub fn start() -> Self {
        Self::with(RegistryHostOptions::default())
    }

    /// A host with options.
    ///
    /// # Panics
    /// When a part does not start; ask [`super::requires`] first.
    #[must_use]
    pub fn with(options: RegistryHostOptions) -> Self {
        let slot = Slot::claim();
        let (namespace, near, far) = (slot.namespace(), slot.near_interface(), slot.far_interface());
        run("ip", &["netns", "add", &namespace]);
        run("ip", &["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", &namespace]);
        run("ip", &["address", "add", &format!("{}/30", slot.near_address()), "dev", &near]);
        run("ip", &["link", "set", &near, "up"]);
        let inside = |arguments: &[&str]| run("ip", &[&["-netns", namespace.as_str()], arguments].concat());
        inside(&["address", "add", &format!("{}/30", slot.far_address()), "dev", &far]);
        inside(&["link", "set", &far, "up"]);
        inside(&["link", "set", "lo", "up"]);

        let authority = match options.tls_names.as_slice() {
            [] => None,
            names => Some(Authority::new(slot.folder(), names)),
        };
        let mut host = Self { sshd: None, registry: None, options, earlier_logins: 0, authority, slot };
        host.make_key("host_key");
        host.make_key("id");
        host.make_key("stranger");
        let public = fs::read_to_string(host.path("id.pub")).expect("ssh-keygen wrote id.pub");
        let also = &host.options.also_authorized;
        host.write("authorized_keys", &format!("{} {public}\n{also}", host.options.key_options));
        fs::create_dir_all(host.path("storage")).expect("the slot's folder is ours");
        if let Some(password) = &host.options.password {
            // All that sshd looks up there is root (shadow(5)).
            let hash = run("openssl", &["passwd", "-6", password]);
            host.write("shadow", &format!("root:{}:19000:0:99999:7:::\n", hash.trim()));
        }
        host.write_settings();
        host.start_sshd();
        if !host.options.without_registry {
            host.start_registry();
        }
        host
    }

    /// Where sshd listens, seen from this machine.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.slot.far_address()
    }

    /// The name of its network namespace.
    #[must_use]
    pub fn network(&self) -> String {
        self.slot.namespace()
    }

    /// sshd's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        22
    }

    /// The user that may log in.
    #[must_use]
    pub fn user(&self) -> &'static str {
        // The only user that surely exists, and the one whose sessions sshd need not change user for.
        "root"
    }

    /// `user@address`, as `dockline add --ssh` takes it.
    #[must_use]
    pub fn destination(&self) -> String {
        format!("{}@{}", self.user(), self.address())
    }

    /// The private key that may log in.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.path("id")
    }

    /// A private key that may not.
    #[must_use]
    pub fn wrong_identity(&self) -> PathBuf {
        self.path("stranger")
    }

    /// The line for `known_hosts`, without a line break.
    ///
    /// # Panics
    /// When the host's key cannot be read.
    #[must_use]
    pub fn known_hosts_line(&self) -> String {
        let key = fs::read_to_string(self.path("host_key.pub")).expect("ssh-keygen wrote host_key.pub");
        let key: Vec<&str> = key.split_whitespace().take(2).collect();
        format!("{} {}", self.address(), key.join(" "))
    }

    /// The fingerprint of the host's key as OpenSSH prints it: `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let path = self.path("host_key.pub");
        let printed = run("ssh-keygen", &["-l", "-f", &path.display().to_string()]);
        printed.split_whitespace().nth(1).unwrap_or_default().to_owned()
    }

    /// Who signed the registry's certificate.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.authority.as_ref().expect("the registry has a certificate")
    }

    /// The log of the present sshd.
    ///
    /// # Panics
    /// When it is stopped.
    #[must_use]
    pub fn sshd(&self) -> &Daemon {
        self.sshd.as_ref().expect("sshd runs")
    }

    /// The registry's log.
    ///
    /// # Panics
    /// When it is stopped.
    #[must_use]
    pub fn registry(&self) -> &Daemon {
        self.registry.as_ref().expect("the registry runs")
    }

    /// How many logins with a key sshd has accepted since the host was made.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.earlier_logins + self.sshd.as_ref().map_or(0, |sshd| sshd.count("Accepted publickey"))
    }

    /// How many SSH sessions are open, by sshd's processes.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.session_processes().len()
    }

    /// Starts sshd and waits until it listens.
    pub fn start_sshd(&mut self) {
        // sshd insists on being started by its full path, and on this folder (sshd(8), FILES).
        fs::create_dir_all("/run/sshd").expect("root may make /run/sshd");
        let program = find_program("sshd").expect("sshd is installed: ask requires() first");
        // `ip netns exec` gives each program a mount namespace of its own, so nobody else sees the other shadow(5).
        let shadow = match self.options.password {
            Some(_) => format!("mount --bind '{}' /etc/shadow && ", self.path("shadow").display()),
            None => String::new(),
        };
        let settings = self.path("sshd_config").display().to_string();
        let mut command = self.inside("sh");
        command.arg("-c").arg(format!("{shadow}exec '{}' -D -e -f '{settings}'", program.display()));
        let sshd = Daemon::spawn("sshd", command);
        sshd.wait_for_line("Server listening on", PATIENCE);
        self.sshd = Some(sshd);
    }

    /// Stops listening, and ends every session, as a host that goes down does.
    pub fn stop_sshd(&mut self) {
        if let Some(sshd) = self.sshd.take() {
            sshd.stop(PATIENCE);
            self.earlier_logins += sshd.count("Accepted publickey");
        }
        self.end_sessions();
    }

    /// Ends every session; sshd goes on listening.
    pub fn end_sessions(&self) {
        for pid in self.session_processes() {
            kill(pid, Signal::SIGKILL).ok();
        }
    }

    /// Stops sshd and every session without ending them, so that the machine still acknowledges what arrives and nobody
    /// answers it; or lets them go on.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::SIGSTOP } else { Signal::SIGCONT };
        if let Some(sshd) = &self.sshd {
            sshd.signal(signal);
        }
        for pid in self.session_processes() {
            kill(pid, signal).ok();
        }
    }

    /// A listening socket of this process inside the host's network namespace: a far end that the test itself plays.
    /// Waits for an address that a killed process is still giving back: Linux takes it out of its namespaces before it
    /// closes its sockets, so that its sessions can be gone with their ports taken.
    ///
    /// # Panics
    /// When the namespace cannot be entered or the address stays taken.
    #[must_use]
    pub fn listen_inside(&self, address: SocketAddr) -> TcpListener {
        let path = Path::new("/run/netns").join(self.slot.namespace());
        // A thread of its own: the namespace belongs to a thread, and a socket to the one it was made in.
        let listening = thread::spawn(move || -> io::Result<TcpListener> {
            setns(File::open(&path)?, CloneFlags::CLONE_NEWNET)?;
            let mut bound = TcpListener::bind(address);
            super::until(&format!("{address} is free inside"), || {
                let is_taken = bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
                if is_taken {
                    bound = TcpListener::bind(address);
                }
                !is_taken
            });
            let listener = bound?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = listening.join().expect("the thread returns its error");
        listener.unwrap_or_else(|error| panic!("nothing can listen at {address} inside: {error}"))
    }

    /// Stops what serves the open sessions without ending it, as a path that forgot them looks to their clients; new
    /// ones can be had.
    pub fn freeze_sessions(&self) {
        for pid in self.session_processes() {
            kill(pid, Signal::SIGSTOP).ok();
        }
    }

    /// Gives the host a new key, as a reinstalled one has.
    pub fn change_host_key(&mut self) {
        self.stop_sshd();
        for name in ["host_key", "host_key.pub"] {
            fs::remove_file(self.path(name)).expect("the host has a key");
        }
        self.make_key("host_key");
        self.start_sshd();
    }

    /// Where the registry keeps its data.
    #[must_use]
    pub fn storage(&self) -> PathBuf {
        self.path("storage")
    }

    /// Starts the registry and waits until it listens.
    pub fn start_registry(&mut self) {
        // `ip netns exec` gives each program a mount namespace of its own, so the small disk needs no unmounting.
        let storage = self.path("storage").display().to_string();
        let settings = self.path("registry.yml").display().to_string();
        let mount = self
            .options
            .disk_mib
            .map_or_else(String::new, |size| format!("mount -t tmpfs -o size={size}m tmpfs '{storage}' && "));
        let mut command = self.inside("sh");
        command.arg("-c").arg(format!("{mount}exec docker-registry serve '{settings}'"));
        let registry = Daemon::spawn("docker-registry", command);
        registry.wait_for_line("listening on", PATIENCE);
        self.registry = Some(registry);
    }

    /// Stops the registry; the tunnel's far end is then refused.
    pub fn stop_registry(&mut self) {
        if let Some(registry) = self.registry.take() {
            registry.stop(PATIENCE);
        }
    }

    /// The digest of a manifest, asked of the registry by another client (curl, inside the namespace).
    ///
    /// # Panics
    /// When the registry does not answer.
    #[must_use]
    pub fn manifest_digest(&self, repository: &str, reference: &str) -> Option<String> {
        digest_in(&self.ask_for_manifest(repository, reference).expect_success().stdout)
    }

    /// The same where perhaps nothing answers: `None` then, too.
    #[must_use]
    pub fn try_manifest_digest(&self, repository: &str, reference: &str) -> Option<String> {
        digest_in(&self.ask_for_manifest(repository, reference).stdout)
    }

    fn ask_for_manifest(&self, repository: &str, reference: &str) -> Finished {
        let accept = [
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.index.v1+json",
        ]
        .join(", ");
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        let mut curl = self.inside("curl");
        curl.args(["--silent", "--show-error", "--head", "--header", &format!("Accept: {accept}")])
            // Whom it trusts is not what is asked here.
            .arg("--insecure")
            .arg(format!("{scheme}://127.0.0.1:5000/v2/{repository}/manifests/{reference}"));
        try_run(&mut curl)
    }

    /// A program in the host's network namespace.
    #[must_use]
    pub fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.slot.namespace(), program]);
        command
    }

    /// Where the registry would be, seen from inside.
    #[must_use]
    pub fn registry_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 5000).into()
    }

    fn write_settings(&self) {
        let password = match self.options.password {
            Some(_) => "PermitRootLogin yes\nPasswordAuthentication yes\n",
            None => "",
        };
        let sshd_config = format!(
            "{extra}\n\
             {password}\
             Port 22\n\
             ListenAddress {address}\n\
             HostKey {host_key}\n\
             PidFile none\n\
             AuthorizedKeysFile {authorized_keys}\n\
             StrictModes no\n\
             UsePAM no\n\
             PermitRootLogin prohibit-password\n\
             PasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n\
             PrintMotd no\n\
             MaxSessions 100\n\
             MaxStartups 100\n\
             LogLevel VERBOSE\n",
            extra = self.options.sshd_config,
            address = self.address(),
            host_key = self.path("host_key").display(),
            authorized_keys = self.path("authorized_keys").display(),
        );
        self.write("sshd_config", &sshd_config);
        let tls = self.authority.as_ref().map_or_else(String::new, |authority| {
            let (certificate, key) = (authority.server_certificate(), authority.server_key());
            format!(", tls: {{certificate: '{}', key: '{}'}}", certificate.display(), key.display())
        });
        let registry = format!(
            "version: 0.1\n\
             log: {{level: info, accesslog: {{disabled: false}}}}\n\
             storage: {{filesystem: {{rootdirectory: '{storage}'}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '127.0.0.1:5000'{tls}}}\n",
            storage = self.path("storage").display(),
        );
        self.write("registry.yml", &registry);
    }

    /// sshd's processes other than the listener: it has one or two for each connection.
    fn session_processes(&self) -> Vec<Pid> {
        let pids = run("ip", &["netns", "pids", &self.slot.namespace()]);
        let listener = self.sshd.as_ref().map(|sshd| sshd.pid().as_raw());
        pids.split_whitespace()
            .filter_map(|pid| pid.parse::<i32>().ok())
            .filter(|pid| Some(*pid) != listener)
            .filter(|pid| {
                fs::read_to_string(format!("/proc/{pid}/comm"))
                    .is_ok_and(|name| name.trim_end().starts_with("sshd"))
            })
            .map(Pid::from_raw)
            .collect()
    }

    fn make_key(&self, name: &str) {
        let path = self.path(name).display().to_string();
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &path]);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.slot.folder().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        write(&self.path(name), text);
    }
}

impl Drop for RegistryHost {
    fn drop(&mut self) {
        self.stop_registry();
        self.stop_sshd();
    }
}

fn digest_in(headers: &str) -> Option<String> {
    headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("docker-content-digest").then(|| value.trim().to_owned())
    })
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}
