//! The machines of the bench: a workstation with dockerd, a registry host in a namespace of its own, tunnels of both
//! kinds, and images as real ones are.

use crate::disk::Disk;
use anyhow::{Context, Result, bail};
use dockline_model::RegistryName;
use dockline_registry::{Server, ServerOptions};
use dockline_tests::{
    lab::{
        Agent, Daemon, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Workstation, free_port,
        requires, run,
    },
    relay::{Link, Relay, Way},
};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);
/// 25 ms in each direction and 100 Mbit/s.
const FAR: Link = Link::new(Duration::from_millis(25), Some(12_500_000));
/// Shares of the image's layers, in percent.
const SHARES: [usize; 10] = [30, 18, 14, 10, 9, 7, 5, 4, 2, 1];
/// The layer that changes, and the image of all below it.
const LAST: usize = SHARES.len() - 1;
const BASE: &str = "bench:base";

/// Which line to the registry host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    Near,
    Far,
}

pub struct World {
    // In the order in which they end.
    near: Tunnels,
    far: Tunnels,
    pub dockerd: Dockerd,
    /// In the place of its images, where it is to have none.
    disk: Disk,
    pub relay: Relay,
    pub runtime: tokio::runtime::Runtime,
    /// Dockline's own registry, while it is the host's.
    builtin: Option<Server>,
    pub host: RegistryHost,
    production: Production,
    pub folder: tempfile::TempDir,
    pub archive: PathBuf,
    versions: usize,
    known_hosts: PathBuf,
}

/// Dockline's and ssh's tunnel to the registry, over the same line.
struct Tunnels {
    dockline: Dockline,
    agent: Agent,
    name: RegistryName,
    _ssh: Daemon,
    port: u16,
}

/// A host with Docker and no registry.
struct Production {
    dockerd: Dockerd,
    disk: Disk,
    host: RegistryHost,
}

impl World {
    pub fn set_up(megabytes: usize) -> Result<Self> {
        if !requires(&[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd, Need::Program("skopeo")]) {
            bail!("the bench needs dockerd, skopeo and a registry host in a network namespace");
        }
        let host = RegistryHost::start();
        let runtime = tokio::runtime::Runtime::new().context("the relay's runtime does not start")?;
        let sshd = SocketAddr::from((host.address(), host.port()));
        let relay = runtime.block_on(Relay::start(sshd)).context("the relay does not start")?;
        relay.set_links(FAR);
        let workstation = Workstation::start();
        let dockerd = Dockerd::start(&workstation);
        let folder = tempfile::tempdir().context("a temporary folder cannot be made")?;
        let line = host.known_hosts_line();
        let key = line.split_once(' ').map(|(_, key)| key).context("known_hosts has no key")?;
        let known_hosts = folder.path().join("known_hosts");
        let production = production();
        let words = [&line, &format!("[127.0.0.1]:{} {key}", relay.address().port())];
        let other = production.host.known_hosts_line();
        fs::write(&known_hosts, format!("{}\n{}\n{other}\n", words[0], words[1]))?;

        let make =
            |ssh_host: &str, port: u16| tunnels(&workstation, &dockerd, &host, &known_hosts, ssh_host, port);
        let near = make(&host.address().to_string(), host.port())?;
        let far = make("127.0.0.1", relay.address().port())?;
        build(&dockerd, folder.path(), megabytes)?;
        let archive = folder.path().join("bench.tar");
        dockerd.run_docker(&["save", "--output", &archive.display().to_string(), "bench:v0"]);
        let disk = Disk::of(&dockerd);
        Ok(Self {
            near,
            far,
            dockerd,
            disk,
            relay,
            runtime,
            builtin: None,
            host,
            production,
            folder,
            archive,
            versions: 0,
            known_hosts,
        })
    }

    /// An empty registry, which neither side has ever spoken to: whatever they remember of it goes as well.
    pub fn fresh(&mut self) -> Result<()> {
        self.without_registry()?;
        self.host.start_registry();
        self.forget()
    }

    /// The same with Dockline's own registry, which keeps to the distribution-spec where an upload is cut off.
    pub fn fresh_builtin(&mut self) -> Result<()> {
        self.without_registry()?;
        let listener = self.host.listen_inside(self.host.registry_address());
        let storage = self.host.storage();
        self.builtin = Some(self.runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            anyhow::Ok(Server::serve(listener, &storage, ServerOptions::default()).await?)
        })?);
        self.forget()
    }

    fn without_registry(&mut self) -> Result<()> {
        if let Some(server) = self.builtin.take() {
            // A connection of a line that was cut may stay; the address is free all the same.
            let _ = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, server.stop()).await });
        }
        self.host.stop_registry();
        let storage = self.host.storage();
        fs::remove_dir_all(&storage)?;
        fs::create_dir_all(&storage)?;
        Ok(())
    }

    fn forget(&mut self) -> Result<()> {
        self.near.forget()?;
        self.far.forget()?;
        self.dockerd.stop();
        // What each layer is called at registries (moby's `distribution/metadata`).
        let known = self.dockerd.workstation().folder().join("docker/data/image/overlay2/distribution");
        remove(&known)?;
        self.dockerd = Dockerd::start(&Arc::clone(self.dockerd.workstation()));
        Ok(())
    }

    /// The image with another last layer, under a name of its own.
    pub fn next_version(&mut self) -> Result<String> {
        self.versions += 1;
        let tag = format!("bench:v{}", self.versions);
        let context = self.folder.path().join("context");
        let text = format!("{} {:?}\n", self.versions, Instant::now()).repeat(40_000);
        fs::write(context.join(LAST.to_string()).join("version"), text)?;
        self.dockerd.run_docker(&["build", "--quiet", "--tag", &tag, &context.display().to_string()]);
        Ok(tag)
    }

    fn tunnels(&self, distance: Distance) -> &Tunnels {
        match distance {
            Distance::Near => &self.near,
            Distance::Far => &self.far,
        }
    }

    /// `dockline push …`, in seconds; the tunnel is open already, as ssh's is.
    pub fn dockline_push(&self, distance: Distance, source: &str, tag: &str, more: &[&str]) -> Result<f64> {
        let tunnels = self.tunnels(distance);
        let target = format!("{}/bench:{tag}", tunnels.name);
        let mut words = vec!["push", source, target.as_str()];
        words.extend(more);
        timed(&mut tunnels.dockline.command(&words))
    }

    pub fn dockline_pull(&self, distance: Distance, tag: &str) -> Result<f64> {
        let tunnels = self.tunnels(distance);
        timed(&mut tunnels.dockline.command(&["pull", &format!("{}/bench:{tag}", tunnels.name)]))
    }

    /// A `dockline` that is the owner itself, for what is measured of one process.
    pub fn alone(&self) -> Result<(Dockline, RegistryName)> {
        let dockline = Dockline::on(self.dockerd.workstation());
        dockline.trust(&fs::read_to_string(&self.known_hosts)?);
        let name = dockline.add(&self.host);
        Ok((dockline, name))
    }

    /// `dockline ship …`, in seconds.
    pub fn dockline_ship(&self, image: &str) -> Result<f64> {
        let host = &self.production.host;
        let (destination, identity) = (host.destination(), host.identity().display().to_string());
        timed(&mut self.near.dockline.command(&["ship", image, &destination, "--identity", &identity]))
    }

    /// `docker save … | ssh … docker load`, in seconds.
    pub fn save_and_load(&self, image: &str) -> Result<f64> {
        let host = &self.production.host;
        let ssh = format!(
            "ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile={} -i {} -p {} {}@{}",
            self.known_hosts.display(),
            host.identity().display(),
            host.port(),
            host.user(),
            host.address(),
        );
        let pipe = format!("set -o pipefail; docker save {image} | {ssh} docker load --quiet");
        let mut command = self.dockerd.workstation().command("bash");
        timed(command.env("DOCKER_HOST", self.dockerd.endpoint()).args(["-c", &pipe]))
    }

    /// A Docker over there that has never had an image.
    pub fn fresh_production(&mut self) -> Result<()> {
        let Production { dockerd, disk, host } = &mut self.production;
        dockerd.stop();
        disk.insert()?;
        *dockerd = Dockerd::in_network(&Arc::clone(dockerd.workstation()), &host.network());
        Ok(())
    }

    /// `docker push` through `ssh -L`, in seconds.
    pub fn docker_push(&self, distance: Distance, source: &str, tag: &str) -> Result<f64> {
        let name = format!("127.0.0.1:{}/bench:{tag}", self.tunnels(distance).port);
        self.dockerd.run_docker(&["tag", source, &name]);
        timed(&mut self.dockerd.docker(&["push", "--quiet", &name]))
    }

    pub fn docker_pull(&self, distance: Distance, tag: &str) -> Result<f64> {
        let name = format!("127.0.0.1:{}/bench:{tag}", self.tunnels(distance).port);
        timed(&mut self.dockerd.docker(&["pull", "--quiet", &name]))
    }

    /// `skopeo copy SOURCE docker://…` through `ssh -L`.
    pub fn skopeo(&self, distance: Distance, options: &[&str], source: &str, tag: &str) -> Command {
        let mut command = self.dockerd.workstation().command("skopeo");
        let target = format!("docker://127.0.0.1:{}/bench:{tag}", self.tunnels(distance).port);
        command
            .args(["--insecure-policy", "--tmpdir", &self.folder.path().display().to_string(), "copy"])
            .args(["--quiet", "--dest-tls-verify=false"])
            .args(options)
            .args([source, &target]);
        command
    }

    /// The same, in seconds.
    pub fn skopeo_push_with(
        &self,
        distance: Distance,
        options: &[&str],
        source: &str,
        tag: &str,
    ) -> Result<f64> {
        timed(&mut self.skopeo(distance, options, source, tag))
    }

    /// ssh's tunnel over the far line anew, after a cut.
    pub fn mend(&mut self) -> Result<()> {
        self.relay.mend();
        let identity = self.host.identity().display().to_string();
        let (ssh, port) =
            ssh_forward(&self.host, &identity, &self.known_hosts, "127.0.0.1", self.relay.address().port());
        self.far._ssh = ssh;
        self.far.port = port;
        Ok(())
    }

    /// Does it with an engine that has never had an image; afterwards it has its own again.
    pub fn with_empty_engine(&mut self, pull: impl FnOnce(&Self) -> Result<f64>) -> Result<f64> {
        self.dockerd.stop();
        self.disk.insert()?;
        self.dockerd = Dockerd::start(&Arc::clone(self.dockerd.workstation()));
        let taken = pull(self);
        self.dockerd.stop();
        self.disk.remove()?;
        self.dockerd = Dockerd::start(&Arc::clone(self.dockerd.workstation()));
        taken
    }

    /// Bytes that have gone up the far line so far.
    pub fn carried_up(&self) -> u64 {
        self.relay.carried(Way::Up)
    }
}

impl Tunnels {
    /// Another owner, who knows nothing of layers and lines; its tunnel is up.
    fn forget(&mut self) -> Result<()> {
        self.stop();
        remove(&self.dockline.state_dir().join("pushes"))?;
        self.agent = self.dockline.agent();
        self.dockline.run(&["connect", self.name.as_str()]).expect_success();
        Ok(())
    }

    fn stop(&self) {
        self.agent.daemon().stop(PATIENCE);
        // Where its time went, if that was asked for.
        if std::env::var_os("DOCKLINE_LOG").is_some() {
            eprintln!("{}", self.agent.daemon().log());
        }
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A folder, if it is there.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} stays", folder.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn production() -> Production {
    let workstation = Workstation::start();
    let endpoint = format!("unix://{}", workstation.folder().join("docker/docker.sock").display());
    // Shells read what begins there, and this machine's own account may have a lot to begin with.
    let home = workstation.folder().join("home");
    let host = RegistryHost::with(RegistryHostOptions {
        without_registry: true,
        sshd_config: format!("SetEnv DOCKER_HOST={endpoint} HOME={}\n", home.display()),
        ..RegistryHostOptions::default()
    });
    let dockerd = Dockerd::in_network(&workstation, &host.network());
    Production { disk: Disk::of(&dockerd), dockerd, host }
}

fn tunnels(
    workstation: &Arc<Workstation>,
    dockerd: &Dockerd,
    host: &RegistryHost,
    known_hosts: &Path,
    ssh_host: &str,
    ssh_port: u16,
) -> Result<Tunnels> {
    let dockline = Dockline::on(workstation).with_engine(dockerd.endpoint());
    dockline.trust(&fs::read_to_string(known_hosts)?);
    let name = dockline_tests::lab::unique_registry_name("bench");
    let identity = host.identity().display().to_string();
    let destination = format!("{}@{ssh_host}:{ssh_port}", host.user());
    let words = ["add", name.as_str(), "--ssh", &destination, "--identity", &identity];
    dockline.run(&words).expect_success();
    let agent = dockline.agent();
    dockline.run(&["connect", name.as_str()]).expect_success();

    let (ssh, port) = ssh_forward(host, &identity, known_hosts, ssh_host, ssh_port);
    Ok(Tunnels { dockline, agent, name, _ssh: ssh, port })
}

/// `ssh -N -L` to the registry, and the port it listens at.
fn ssh_forward(
    host: &RegistryHost,
    identity: &str,
    known_hosts: &Path,
    ssh_host: &str,
    ssh_port: u16,
) -> (Daemon, u16) {
    let port = free_port();
    let mut ssh = Command::new("ssh");
    ssh.args(["-v", "-N", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"])
        .args(["-o", "ExitOnForwardFailure=yes", "-i", identity, "-p", &ssh_port.to_string(), "-o"])
        .arg(format!("UserKnownHostsFile={}", known_hosts.display()))
        .args(["-L", &format!("127.0.0.1:{port}:127.0.0.1:5000")])
        .arg(format!("{}@{ssh_host}", host.user()));
    let ssh = Daemon::spawn("ssh -L", ssh);
    ssh.wait_for_line("Entering interactive session", PATIENCE);
    (ssh, port)
}

/// Runs a program to its end, which must be a good one, and returns the seconds it took.
pub fn timed(command: &mut Command) -> Result<f64> {
    let begin = Instant::now();
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let seconds = begin.elapsed().as_secs_f64();
    if !output.status.success() {
        bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    for line in String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.starts_with("Directly") || line.starts_with("Through the engine"))
    {
        println!("    {line}");
    }
    Ok(seconds)
}

/// An image of this machine's own programs and libraries, in ten layers.
fn build(dockerd: &Dockerd, folder: &Path, megabytes: usize) -> Result<()> {
    let listed = run(
        "find",
        &["/usr/lib", "/usr/bin", "/usr/share", "-xdev", "-type", "f", "-size", "-8M", "-printf", "%s %p\n"],
    );
    let mut files: Vec<(u64, &str)> = listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(size, path)| Some((size.parse().ok()?, path)))
        .collect();
    // The same ones each time, from everywhere.
    files.sort_by_key(|(size, path)| (size.wrapping_mul(0x9e37_79b9_7f4a_7c15), *path));
    let context = folder.join("context");
    let mut base = "FROM scratch\n".to_owned();
    let mut files = files.into_iter();
    for (number, share) in SHARES.iter().enumerate() {
        let layer = context.join(number.to_string());
        fs::create_dir_all(&layer)?;
        let (mut left, mut count) = ((megabytes * share * 10_000) as i64, 0);
        while left > 0 {
            let (size, path) = files.next().context("this machine has not enough files for the image")?;
            // A file that went away meanwhile, or that only its owner reads, is no loss.
            if fs::copy(path, layer.join(format!("{count}"))).is_ok() {
                left -= i64::try_from(size)?;
                count += 1;
            }
        }
        if number < LAST {
            base.push_str(&format!("COPY {number} /{number}\n"));
        }
    }
    // What changes is built upon an image of its own: the builder's memory does not outlive `docker rmi`, and a layer that
    // is built twice is another one.
    fs::write(context.join("base"), base)?;
    fs::write(context.join("Dockerfile"), format!("FROM {BASE}\nCOPY {LAST} /{LAST}\n"))?;
    let context = context.display().to_string();
    let base = format!("{context}/base");
    dockerd.run_docker(&["build", "--quiet", "--tag", BASE, "--file", &base, &context]);
    dockerd.run_docker(&["build", "--quiet", "--tag", "bench:v0", &context]);
    Ok(())
}
