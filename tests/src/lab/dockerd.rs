//! A Docker daemon of the test's own, on a [`Workstation`].

use super::{
    daemon::Daemon,
    needs::{find_program, newer_docker},
    shell::{Finished, run, try_run},
    workstation::Workstation,
};
use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

/// `daemon.json` of [`Dockerd::newer`].
pub const CONTAINERD_STORE: &str = "{\"features\": {\"containerd-snapshotter\": true}}\n";
/// `daemon.json` of [`Dockerd::newer_with_classic_store`].
const CLASSIC_STORE: &str =
    "{\"features\": {\"containerd-snapshotter\": false}, \"storage-driver\": \"overlay2\"}\n";

/// A running dockerd with data, sockets and pid file of its own, without bridge and firewall rules. It stops when
/// it is dropped.
#[derive(Debug)]
pub struct Dockerd {
    daemon: Option<Daemon>,
    workstation: Arc<Workstation>,
    folder: PathBuf,
    /// Where it was unpacked, if it is not the installed one.
    root: Option<PathBuf>,
}

impl Dockerd {
    /// Starts one and waits until its API answers.
    ///
    /// # Panics
    /// When it does not start; ask [`super::requires`] first.
    #[must_use]
    pub fn start(workstation: &Arc<Workstation>) -> Self {
        Self::with_arguments(workstation, &[])
    }

    /// As [`Dockerd::start`], with more arguments for dockerd.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn with_arguments(workstation: &Arc<Workstation>, arguments: &[&str]) -> Self {
        // A file that is not there, or this machine's own daemon.json would count.
        let folder = workstation.folder().join("docker");
        fs::create_dir_all(&folder).expect("the workstation's folder is ours");
        fs::write(folder.join("daemon.json"), "{}").expect("the workstation's folder is ours");
        let file = format!("--config-file={}", folder.join("daemon.json").display());
        Self::launch(workstation, &[&[file.as_str(), "--bridge=none"], arguments].concat())
    }

    /// As [`Dockerd::start`], with the network of that namespace: the Docker of another host.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn in_network(workstation: &Arc<Workstation>, namespace: &str) -> Self {
        Self::in_network_with(workstation, namespace, &[])
    }

    /// As [`Dockerd::in_network`], with more arguments for dockerd.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn in_network_with(workstation: &Arc<Workstation>, namespace: &str, arguments: &[&str]) -> Self {
        let program = find_program("dockerd").expect("dockerd is installed: ask requires() first");
        let folder = workstation.folder().join("docker");
        fs::create_dir_all(&folder).expect("the workstation's folder is ours");
        fs::write(folder.join("daemon.json"), "{}").expect("the workstation's folder is ours");
        let file = format!("--config-file={}", folder.join("daemon.json").display());
        let command = in_namespace(workstation, &program, namespace);
        Self::launch_command(workstation, command, &[&[file.as_str(), "--bridge=none"], arguments].concat())
    }

    /// One that is set up as the system's own: it reads `/etc/docker/daemon.json` (the workstation's) when it starts
    /// and when it is told to, and its containers are on `bridge`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn of_system(workstation: &Arc<Workstation>, bridge: &str, arguments: &[&str]) -> Self {
        Self::launch(workstation, &[&[format!("--bridge={bridge}").as_str()], arguments].concat())
    }

    /// A newer dockerd than the installed one, with containerd's image store, its own containerd, and a client with
    /// buildx. Ask for [`super::Need::NewerDocker`] first:
    ///
    /// ```no_run
    /// use dockline_tests::lab::{self, Dockerd, Need, Workstation};
    ///
    /// if !lab::requires(&[Need::Root, Need::NewerDocker]) {
    ///     return;
    /// }
    /// let dockerd = Dockerd::newer(&Workstation::start());
    /// dockerd.build_image("app:1", &[100]);
    /// ```
    ///
    /// It reads the workstation's `/etc/docker/daemon.json`, which this writes.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn newer(workstation: &Arc<Workstation>) -> Self {
        Self::newer_with(workstation, CONTAINERD_STORE)
    }

    /// The same with Docker's own image store, which it still has where it was updated.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn newer_with_classic_store(workstation: &Arc<Workstation>) -> Self {
        Self::newer_with(workstation, CLASSIC_STORE)
    }

    /// As [`Dockerd::newer`], with the network of that namespace: the Docker of another host.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn newer_in_network(workstation: &Arc<Workstation>, namespace: &str) -> Self {
        Self::newer_at(workstation, CONTAINERD_STORE, Some(namespace))
    }

    fn newer_with(workstation: &Arc<Workstation>, settings: &str) -> Self {
        Self::newer_at(workstation, settings, None)
    }

    fn newer_at(workstation: &Arc<Workstation>, settings: &str, namespace: Option<&str>) -> Self {
        let root = newer_docker();
        fs::create_dir_all(workstation.path("/etc/docker")).expect("the workstation's /etc is ours");
        fs::write(workstation.path("/etc/docker/daemon.json"), settings)
            .expect("the workstation's /etc is ours");
        let program = root.join("usr/sbin/dockerd");
        let mut command = match namespace {
            Some(namespace) => in_namespace(workstation, &program, namespace),
            None => workstation.command(program),
        };
        command.env("PATH", search_path(&root));
        let mut dockerd = Self::launch_command(workstation, command, &["--bridge=none"]);
        let plugins = dockerd.folder.join("config").join("cli-plugins");
        fs::create_dir_all(&plugins).expect("the workstation's folder is ours");
        std::os::unix::fs::symlink(
            root.join("usr/libexec/docker/cli-plugins/docker-buildx"),
            plugins.join("docker-buildx"),
        )
        .expect("the workstation's folder is ours");
        dockerd.root = Some(root);
        dockerd
    }

    fn launch(workstation: &Arc<Workstation>, arguments: &[&str]) -> Self {
        let program = find_program("dockerd").expect("dockerd is installed: ask requires() first");
        Self::launch_command(workstation, workstation.command(program), arguments)
    }

    fn launch_command(workstation: &Arc<Workstation>, mut command: Command, arguments: &[&str]) -> Self {
        let folder = workstation.folder().join("docker");
        fs::create_dir_all(folder.join("config")).expect("the workstation's folder is ours");
        command
            .arg(format!("--data-root={}", folder.join("data").display()))
            .arg(format!("--exec-root={}", folder.join("exec").display()))
            .arg(format!("--pidfile={}", folder.join("pid").display()))
            .arg(format!("--host=unix://{}", folder.join("docker.sock").display()))
            .args(["--iptables=false", "--ip6tables=false", "--ip-forward=false"])
            .args(arguments);
        let daemon = Daemon::spawn("dockerd", command);
        daemon.wait_for_line("API listen on", Duration::from_secs(60));
        Self { daemon: Some(daemon), workstation: Arc::clone(workstation), folder, root: None }
    }

    /// `unix:///…/docker.sock`, for `DOCKER_HOST`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.folder.join("docker.sock").display())
    }

    /// The machine it runs on.
    #[must_use]
    pub fn workstation(&self) -> &Arc<Workstation> {
        &self.workstation
    }

    /// dockerd's own log.
    ///
    /// # Panics
    /// When it is stopped.
    #[must_use]
    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("dockerd runs")
    }

    /// Its client's configuration (`DOCKER_CONFIG`).
    #[must_use]
    pub fn client_folder(&self) -> PathBuf {
        self.folder.join("config")
    }

    /// `docker …` in a shell on its workstation, connected to it.
    #[must_use]
    pub fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.root {
            Some(root) => self.workstation.command(root.join("usr/bin/docker")),
            None => self.workstation.command("docker"),
        };
        command
            .args(arguments)
            .env("DOCKER_HOST", self.endpoint())
            .env("DOCKER_CONFIG", self.folder.join("config"))
            .env_remove("DOCKER_CONTEXT")
            // The classic builder: BuildKit's is a plugin that Debian's client does not bring.
            .env("DOCKER_BUILDKIT", "0");
        command
    }

    /// Runs `docker …` to its end.
    #[track_caller]
    pub fn try_docker(&self, arguments: &[&str]) -> Finished {
        try_run(&mut self.docker(arguments))
    }

    /// Runs `docker …`, which must succeed, and returns what it printed, trimmed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run_docker(&self, arguments: &[&str]) -> String {
        self.try_docker(arguments).expect_success().stdout.trim().to_owned()
    }

    /// Builds an image with `docker build`, one random layer for each size (in KiB), and returns its id. Random
    /// bytes do not compress and are in no registry yet.
    ///
    /// # Panics
    /// When the build fails.
    #[track_caller]
    pub fn build_image(&self, tag: &str, layers_kib: &[usize]) -> String {
        let context = self.folder.join("context");
        fs::create_dir_all(&context).expect("the workstation's folder is ours");
        let mut dockerfile = "FROM scratch\n".to_owned();
        for (number, kib) in layers_kib.iter().enumerate() {
            write_random(&context.join(format!("layer-{number}")), kib * 1024);
            dockerfile.push_str(&format!("COPY layer-{number} /layer-{number}\n"));
        }
        fs::write(context.join("Dockerfile"), dockerfile).expect("the workstation's folder is ours");
        self.run_docker(&["build", "--quiet", "--tag", tag, &context.display().to_string()])
    }

    /// Makes an image of these programs and the libraries they need, from this machine, with `docker import`.
    ///
    /// # Panics
    /// When a program is not there, or the import fails.
    #[track_caller]
    pub fn import_programs(&self, tag: &str, programs: &[&str]) {
        let root = self.folder.join("imported");
        let mut files: BTreeSet<String> = BTreeSet::new();
        for name in programs {
            let program = find_program(name).expect("ask requires() first").display().to_string();
            // ldd(1): a library is the first word with a slash; a static program has none.
            let libraries = try_run(Command::new("ldd").arg(&program)).stdout;
            let library =
                |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
            files.extend(libraries.lines().filter_map(library));
            files.insert(program);
        }
        for file in files {
            let target = root.join(file.trim_start_matches('/'));
            fs::create_dir_all(target.parent().expect("it has a folder")).expect("the folder is ours");
            fs::copy(&file, &target).unwrap_or_else(|error| panic!("{file} cannot be copied: {error}"));
        }
        for folder in ["tmp", "var/tmp", "etc"] {
            fs::create_dir_all(root.join(folder)).expect("the folder is ours");
        }
        let archive = self.folder.join("imported.tar").display().to_string();
        run("tar", &["-C", &root.display().to_string(), "-cf", &archive, "."]);
        self.run_docker(&["import", &archive, tag]);
    }

    /// The id of an image, `None` if there is none of that name.
    #[must_use]
    pub fn image_id(&self, reference: &str) -> Option<String> {
        let finished = self.try_docker(&["image", "inspect", "--format", "{{.Id}}", reference]);
        finished.status.success().then(|| finished.stdout.trim().to_owned())
    }

    /// Stops the daemon: from here on, Docker is not running.
    pub fn stop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop(Duration::from_secs(30));
        }
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A program of the workstation's, with another network.
fn in_namespace(workstation: &Workstation, program: &Path, namespace: &str) -> Command {
    // The network first: the workstation does not see namespaces that were named after it was made.
    let inner = workstation.command(program);
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).arg("--");
    command.arg(inner.get_program()).args(inner.get_args());
    command
}

fn search_path(root: &Path) -> std::ffi::OsString {
    let own = ["usr/bin", "usr/sbin"].map(|folder| root.join(folder));
    let others = std::env::var_os("PATH").unwrap_or_default();
    let all = own.into_iter().chain(std::env::split_paths(&others));
    std::env::join_paths(all).expect("a folder's path has no colon")
}

fn write_random(path: &Path, bytes: usize) {
    let mut content = vec![0; bytes];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut content))
        .and_then(|()| fs::write(path, &content))
        .unwrap_or_else(|error| panic!("{} cannot be filled: {error}", path.display()));
}
