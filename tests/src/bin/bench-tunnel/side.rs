//! The programs that are compared, and where they lead.

use anyhow::{Context, Result, bail};
use dockline_tests::{
    bench::round_trip,
    lab::{Daemon, Need, RegistryHost, RegistryHostOptions, free_port, requires},
    relay::{Link, Relay},
};
use nix::sys::socket::{setsockopt, sockopt::TcpCongestion};
use std::{
    env,
    ffi::OsString,
    fmt, fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(30);
/// Where the byte server listens on the host's own loopback.
pub const FAR_PORT: u16 = 5000;
/// The long way: 25 ms in each direction, 1 Gbit/s.
pub const LONG: Link = Link::new(Duration::from_millis(25), Some(125_000_000));

/// Which program makes the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Dockline's.
    Ours,
    /// `ssh -N -L`, as scripts use it.
    Ssh,
    /// The same with its fastest cipher here.
    SshGcm,
}

impl Side {
    pub const ALL: [Self; 3] = [Self::Ours, Self::Ssh, Self::SshGcm];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "Dockline",
            Self::Ssh => "ssh -L",
            Self::SshGcm => "ssh -L -c aes128-gcm@openssh.com",
        })
    }
}

/// How the tunnel gets to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over the namespace's own link.
    Straight,
    /// Over [`LONG`].
    Long,
}

/// The registry host and what is needed to reach it.
pub struct Bench {
    // In the order in which they end: the server before the namespace it runs in.
    _server: Daemon,
    relay: Relay,
    // The relay's tasks run in it.
    _runtime: tokio::runtime::Runtime,
    host: RegistryHost,
    known_hosts: tempfile::NamedTempFile,
    forward: PathBuf,
}

/// A program with a tunnel, and the local port it listens at.
pub struct Tunnel {
    pub program: Daemon,
    port: u16,
}

impl Bench {
    pub fn set_up(forward: PathBuf) -> Result<Self> {
        if !requires(&[Need::Root, Need::Sshd]) {
            bail!("the bench needs a registry host in a network namespace");
        }
        let host = RegistryHost::with(RegistryHostOptions {
            without_registry: true,
            ..RegistryHostOptions::default()
        });
        // The rate of a virtual cable is what processors make of it; there is nothing to control.
        host.without_pacing();
        let myself = env::current_exe().context("this program does not know its own path")?;
        let mut command = host.inside(&myself.display().to_string());
        command.arg("serve");
        let server = Daemon::spawn("byte server", command);
        server.wait_for_line("ready", PATIENCE);

        let runtime = tokio::runtime::Runtime::new().context("the relay's runtime does not start")?;
        let sshd = SocketAddr::from((host.address(), host.port()));
        let relay = runtime.block_on(Relay::start(sshd)).context("the relay does not start")?;
        relay.set_links(LONG);
        let known_hosts = tempfile::NamedTempFile::new().context("a temporary file cannot be made")?;
        let line = host.known_hosts_line();
        let key = line.split_once(' ').map(|(_, key)| key).context("known_hosts has no key")?;
        fs::write(&known_hosts, format!("{line}\n[127.0.0.1]:{} {key}\n", relay.address().port()))?;
        Ok(Self { _server: server, relay, _runtime: runtime, host, known_hosts, forward })
    }

    /// Starts a program that forwards a free port; it may not have logged in yet.
    pub fn start(&self, side: Side, way: Way) -> Tunnel {
        let port = free_port();
        let far = format!("127.0.0.1:{FAR_PORT}");
        let (address, ssh_port) = match way {
            Way::Straight => (self.host.address(), self.host.port()),
            Way::Long => (Ipv4Addr::LOCALHOST, self.relay.address().port()),
        };
        let destination = format!("{}@{address}", self.host.user());
        let program = match side {
            Side::Ours => {
                let mut command = Command::new(&self.forward);
                command
                    .args(["--listen", &format!("127.0.0.1:{port}"), "--remote", &far])
                    .args(["--ssh", &format!("{destination}:{ssh_port}")])
                    .arg("--identity")
                    .arg(self.host.identity())
                    .arg("--known-hosts")
                    .arg(self.known_hosts.path());
                let program = Daemon::spawn("forward", command);
                program.wait_for_line("ready", PATIENCE);
                program
            }
            Side::Ssh | Side::SshGcm => {
                let mut command = Command::new("ssh");
                command
                    .args(["-v", "-N", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"])
                    .args(["-o", "ExitOnForwardFailure=yes", "-i"])
                    .arg(self.host.identity())
                    .arg("-o")
                    .arg(format!("UserKnownHostsFile={}", self.known_hosts.path().display()))
                    .args(["-p", &ssh_port.to_string()]);
                if side == Side::SshGcm {
                    command.args(["-c", "aes128-gcm@openssh.com"]);
                }
                command.args(["-L", &format!("127.0.0.1:{port}:{far}"), &destination]);
                let program = Daemon::spawn("ssh -L", command);
                // The only way ssh tells that it is ready is in its debugging output.
                program.wait_for_line("Entering interactive session", PATIENCE);
                program
            }
        };
        Tunnel { program, port }
    }
}

impl Tunnel {
    /// A connection through it that has carried one small request.
    pub fn connect(&self) -> TcpStream {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect(address).expect("the tunnel listens");
        stream.set_nodelay(true).expect("a TCP stream has this option");
        // As over the cable: this program is not what is measured.
        setsockopt(&stream, TcpCongestion, &OsString::from("reno")).expect("every kernel has this one");
        round_trip(&mut stream).unwrap_or_else(|error| {
            panic!("nothing comes through the tunnel: {error}\n{}", self.program.log())
        });
        stream
    }
}
