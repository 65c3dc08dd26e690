//! A tunnel of ours beside `ssh -L`: throughput each way, cold connect, memory at idle. `cargo xtask bench tunnel`
//! builds what it needs and runs it.

use anyhow::{Context, Result, bail};
use dockline_tests::{
    bench::{Better, Figure, download, report, round_trip, serve, upload},
    lab::{Daemon, Need, RegistryHost, RegistryHostOptions, free_port, requires},
};
use std::{
    collections::HashMap,
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(30);
/// Where the byte server listens on the host's own loopback.
const FAR_PORT: u16 = 5000;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return serve((Ipv4Addr::LOCALHOST, FAR_PORT).into()).context("the byte server cannot listen");
    }
    let options: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let option = |name: &str| options.get(name).copied().with_context(|| format!("{name} is missing"));
    let bench = Bench::set_up(PathBuf::from(option("--forward")?))?;
    let pairs = option("--pairs")?.parse()?;
    let bytes = option("--mebibytes")?.parse::<u64>()? * 1024 * 1024;
    report(&bench.figures(pairs, bytes), "ssh -L", Path::new(option("--out")?));
    Ok(())
}

struct Bench {
    // In the order in which they end: the server before the namespace it runs in.
    _server: Daemon,
    host: RegistryHost,
    known_hosts: tempfile::NamedTempFile,
    forward: PathBuf,
}

/// Which program makes the tunnel.
#[derive(Clone, Copy)]
enum Side {
    Ours,
    OpenSsh,
}

/// A program with a tunnel, and the local port it listens at.
struct Tunnel {
    program: Daemon,
    port: u16,
}

impl Bench {
    fn set_up(forward: PathBuf) -> Result<Self> {
        if !requires(&[Need::Root, Need::Sshd]) {
            bail!("the bench needs a registry host in a network namespace");
        }
        let host = RegistryHost::with(RegistryHostOptions {
            without_registry: true,
            ..RegistryHostOptions::default()
        });
        let myself = env::current_exe().context("this program does not know its own path")?;
        let mut command = host.inside(&myself.display().to_string());
        command.arg("serve");
        let server = Daemon::spawn("byte server", command);
        server.wait_for_line("ready", PATIENCE);
        let known_hosts = tempfile::NamedTempFile::new().context("a temporary file cannot be made")?;
        fs::write(&known_hosts, format!("{}\n", host.known_hosts_line()))?;
        Ok(Self { _server: server, host, known_hosts, forward })
    }

    fn figures(&self, pairs: usize, bytes: u64) -> Vec<Figure> {
        let both = |id: &str, unit: &str, better: Better, measure: &dyn Fn(Side) -> f64| {
            println!("measuring {id} …");
            Figure::measure(id, unit, better, pairs, || measure(Side::Ours), || measure(Side::OpenSsh))
        };
        vec![
            both("upload", "MiB/s", Better::Higher, &|side| self.throughput(side, upload, bytes, 1)),
            both("download", "MiB/s", Better::Higher, &|side| self.throughput(side, download, bytes, 1)),
            // dockerd sends up to five layers at once.
            both("upload-5", "MiB/s", Better::Higher, &|side| self.throughput(side, upload, bytes, 5)),
            both("download-5", "MiB/s", Better::Higher, &|side| self.throughput(side, download, bytes, 5)),
            both("cold-connect", "ms", Better::Lower, &|side| self.cold_connect(side)),
            both("idle-memory", "MiB", Better::Lower, &|side| self.idle_memory(side)),
        ]
    }

    /// Starts a program that forwards a free port; it may not have logged in yet.
    fn start(&self, side: Side) -> Tunnel {
        let port = free_port();
        let far = format!("127.0.0.1:{FAR_PORT}");
        let program = match side {
            Side::Ours => {
                let mut command = Command::new(&self.forward);
                command
                    .args(["--listen", &format!("127.0.0.1:{port}"), "--remote", &far])
                    .args(["--ssh", &format!("{}:{}", self.host.destination(), self.host.port())])
                    .arg("--identity")
                    .arg(self.host.identity())
                    .arg("--known-hosts")
                    .arg(self.known_hosts.path());
                let program = Daemon::spawn("forward", command);
                program.wait_for_line("ready", PATIENCE);
                program
            }
            Side::OpenSsh => {
                let mut command = Command::new("ssh");
                command
                    .args(["-v", "-N", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"])
                    .args(["-o", "ExitOnForwardFailure=yes", "-i"])
                    .arg(self.host.identity())
                    .arg("-o")
                    .arg(format!("UserKnownHostsFile={}", self.known_hosts.path().display()))
                    .args(["-L", &format!("127.0.0.1:{port}:{far}"), &self.host.destination()]);
                let program = Daemon::spawn("ssh -L", command);
                // The only way ssh tells that it is ready is in its debugging output.
                program.wait_for_line("Entering interactive session", PATIENCE);
                program
            }
        };
        Tunnel { program, port }
    }

    /// MiB a second over `connections` at once, each with its part of `bytes`.
    fn throughput(
        &self,
        side: Side,
        transfer: fn(&mut TcpStream, u64) -> std::io::Result<()>,
        bytes: u64,
        connections: u64,
    ) -> f64 {
        let tunnel = self.start(side);
        let mut streams: Vec<TcpStream> = (0..connections).map(|_| tunnel.connect()).collect();
        let began = Instant::now();
        thread::scope(|scope| {
            for stream in &mut streams {
                scope.spawn(|| transfer(stream, bytes / connections).expect("the tunnel stays up"));
            }
        });
        bytes as f64 / (1024.0 * 1024.0) / began.elapsed().as_secs_f64()
    }

    /// Milliseconds from the program's start to the first byte's return.
    fn cold_connect(&self, side: Side) -> f64 {
        let began = Instant::now();
        self.start(side).connect();
        began.elapsed().as_secs_f64() * 1000.0
    }

    /// Proportional set size in MiB of the program with its tunnel up and nothing going through.
    fn idle_memory(&self, side: Side) -> f64 {
        let tunnel = self.start(side);
        let _kept_open = tunnel.connect();
        let path = format!("/proc/{}/smaps_rollup", tunnel.program.pid());
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"));
        let kib = text.lines().find_map(|line| {
            line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()
        });
        kib.unwrap_or_else(|| panic!("{path} has no Pss line")) / 1024.0
    }
}

impl Tunnel {
    /// A connection through it on which one byte has gone there and one come back.
    fn connect(&self) -> TcpStream {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect(address).expect("the tunnel listens");
        stream.set_nodelay(true).expect("a TCP stream has this option");
        round_trip(&mut stream).unwrap_or_else(|error| {
            panic!("nothing comes through the tunnel: {error}\n{}", self.program.log())
        });
        stream
    }
}
