//! A forward on the command line: our side of `cargo xtask bench tunnel`, beside `ssh -N -L`.
//!
//! `forward --listen 127.0.0.1:PORT --ssh user@host:port --identity FILE --known-hosts FILE --remote HOST:PORT
//! [--keep-open] [--sessions N]` prints `ready` when it listens, or with `--keep-open` when the tunnel is up, and runs
//! until it is interrupted.

use dockline_model::{LeaseHolder, RegistrySpec, RemoteEnd, SshTarget};
use dockline_tunnel::{AccessRules, Nobody, SshEnvironment, Tunnel, TunnelConfig};
use std::{
    io::{Error, Write as _},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

struct Arguments {
    listen: SocketAddr,
    ssh: SshTarget,
    identity: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
    remote: RemoteEnd,
    keep_open: bool,
    sessions: Option<usize>,
}

fn arguments() -> Result<Arguments, Box<dyn std::error::Error>> {
    let (mut listen, mut ssh, mut remote) = (None, None, None);
    let (mut identity, mut known_hosts, mut keep_open, mut sessions) = (None, None, false, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| Error::other(format!("{word} needs a value")));
        match word.as_str() {
            "--listen" => listen = Some(value()?.parse()?),
            "--ssh" => ssh = Some(value()?.parse()?),
            "--remote" => remote = Some(value()?.parse()?),
            "--identity" => identity = Some(PathBuf::from(value()?)),
            "--known-hosts" => known_hosts = Some(PathBuf::from(value()?)),
            "--sessions" => sessions = Some(value()?.parse()?),
            "--keep-open" => keep_open = true,
            unknown => return Err(format!("{unknown} is not an option").into()),
        }
    }
    let missing = |name: &str| Error::other(format!("{name} is missing"));
    Ok(Arguments {
        listen: listen.ok_or_else(|| missing("--listen"))?,
        ssh: ssh.ok_or_else(|| missing("--ssh"))?,
        remote: remote.ok_or_else(|| missing("--remote"))?,
        identity,
        known_hosts,
        keep_open,
        sessions,
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forward: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { listen, mut ssh, identity, known_hosts, remote, keep_open, sessions } = arguments()?;
    let IpAddr::V4(address) = listen.ip() else { return Err("--listen needs an IPv4 address".into()) };
    ssh.identity = identity;
    let spec = RegistrySpec {
        remote,
        port: listen.port(),
        keep_open,
        ..RegistrySpec::new("forward.example".parse()?, ssh, address)
    };
    let environment =
        SshEnvironment { known_hosts: known_hosts.into_iter().collect(), ..SshEnvironment::from_process() };
    let mut config = TunnelConfig::new(spec, environment);
    // As `ssh -L`: the bench sends raw bytes.
    config.access = AccessRules::AnyProtocol;
    config.pool.sessions = sessions.unwrap_or(config.pool.sessions);
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    if let Some(error) = tunnel.view().listener_error {
        return Err(error.into());
    }
    let lease = keep_open.then(|| tunnel.lease(LeaseHolder::Manual));
    if let Some(lease) = &lease {
        tunnel.up(lease).await?;
    }
    println!("ready");
    std::io::stdout().flush()?;
    tokio::signal::ctrl_c().await?;
    drop(lease);
    tunnel.stop().await;
    Ok(())
}
