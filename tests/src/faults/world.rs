//! What one round happens in: a registry host, a path to it, and a tunnel over that path.

use super::transfer::{FarListener, Transfer, far_end};
use crate::{
    lab::{RegistryHost, RegistryHostOptions, free_port},
    relay::{Link, Relay},
};
use dockline_model::{RegistrySpec, TunnelState};
use dockline_tunnel::{AccessRules, Nobody, SshEnvironment, Tunnel, TunnelConfig};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
    task::{JoinHandle, block_in_place},
    time::Instant,
};

/// For what has nothing left to wait for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is special about a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nature {
    /// The host asks for new keys after each MiB (sshd_config(5), RekeyLimit).
    rekeys: bool,
    /// The host is reached through a jump host: a session within a session. It is its own jump host, which it cannot
    /// tell.
    jumps: bool,
    /// The far end is a UNIX socket.
    is_unix: bool,
}

impl Nature {
    /// That of world `number`: four kinds in turn.
    pub(super) const fn of(number: u64) -> Self {
        Self { rekeys: number % 2 == 1, jumps: number % 4 == 2, is_unix: number % 4 == 3 }
    }
}

pub(super) struct World {
    pub host: RegistryHost,
    pub relay: Relay,
    pub tunnel: Tunnel,
    /// Where the tunnel listens.
    pub address: SocketAddr,
    far: JoinHandle<()>,
    far_open: watch::Receiver<usize>,
    _home: tempfile::TempDir,
}

impl World {
    /// Makes a world.
    pub(super) async fn new(nature: Nature) -> Self {
        let host = block_in_place(|| {
            RegistryHost::with(RegistryHostOptions {
                without_registry: true,
                sshd_config: if nature.rekeys { "RekeyLimit 1M\n".to_owned() } else { String::new() },
                ..RegistryHostOptions::default()
            })
        });
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let socket = home.path().join("registry.sock");
        let listener = if nature.is_unix {
            UnixListener::bind(&socket).map(FarListener::Unix)
        } else {
            TcpListener::from_std(host.listen_inside(host.registry_address())).map(FarListener::Tcp)
        };
        let (open, far_open) = watch::channel(0);
        let far = tokio::spawn(far_end(listener.expect("the socket is one for this runtime"), open));
        let relay = Relay::start(SocketAddr::from((host.address(), host.port())))
            .await
            .expect("127.0.0.1 has a free port");
        let relay_port = relay.address().port();

        let (known_hosts, config) = (home.path().join("known_hosts"), home.path().join("config"));
        let line = host.known_hosts_line();
        let (_, key) = line.split_once(' ').expect("a line of known_hosts has a key");
        fs::write(&known_hosts, format!("{line}\n[127.0.0.1]:{relay_port} {key}\n"))
            // For the jump host, which is not offered the key that is meant for the host behind it.
            .and_then(|()| fs::write(&config, format!("IdentityFile {}\n", host.identity().display())))
            .expect("a temporary folder can be written");
        let mut ssh = serde_json::json!({
            "user": host.user(),
            "host": "127.0.0.1",
            "port": relay_port,
            "identity": host.identity(),
        });
        if nature.jumps {
            ssh["jump"] = format!("{}@127.0.0.1:{relay_port}", host.user()).into();
            ssh["host"] = host.address().to_string().into();
            ssh["port"] = host.port().into();
        }
        let remote =
            if nature.is_unix { socket.display().to_string() } else { host.registry_address().to_string() };
        // As the configuration has it: what is not said here is as by default.
        let spec = serde_json::json!({
            "name": "faults.example",
            "ssh": ssh,
            "remote": remote,
            "address": Ipv4Addr::LOCALHOST,
            "port": free_port(),
            "lingerSeconds": 1,
            "keepOpen": false,
        });
        let spec: RegistrySpec = serde_json::from_value(spec).expect("this is a registry");
        let environment = SshEnvironment {
            home_ssh: home.path().to_owned(),
            config: Some(config),
            known_hosts: vec![known_hosts],
            agent_socket: None,
            ssh_program: Some("ssh".into()),
            keepalive: None,
        };
        let mut config = TunnelConfig::new(spec, environment);
        // The transfers are not HTTP.
        config.access = AccessRules::AnyProtocol;
        let address = config.spec.listen();
        let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
        assert_eq!(tunnel.view().listener_error, None, "the tunnel listens");
        Self { host, relay, tunnel, address, far, far_open, _home: home }
    }

    /// Undoes everything that a fault may have done.
    pub(super) fn mend(&mut self) {
        self.relay.disarm();
        self.relay.set_links(Link::PLAIN);
        self.relay.mend();
    }

    /// Whether a transfer comes through before `deadline`. A tunnel that was cut off needs some time to come back, and
    /// a connection that it cannot hold so long is reset: programs try again, and so does this.
    pub(super) async fn recovers(&self, contents: u64, deadline: Instant) -> bool {
        let tries = async {
            loop {
                let ending = Transfer::probe(contents).run(self.address, &AtomicU64::new(0)).await;
                if ending == super::Ending::Right {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout_at(deadline, tries).await.is_ok()
    }

    /// Whether every connection's lease is given back, and every connection at the far end over.
    pub(super) async fn lets_go(&self) -> Result<(), String> {
        let mut views = self.tunnel.watch();
        let released = views.wait_for(|view| view.leases.is_empty());
        if tokio::time::timeout(PATIENCE, released).await.is_err() {
            return Err(format!("leases of connections that are over: {:?}", self.tunnel.view().leases));
        }
        let mut far_open = self.far_open.clone();
        if tokio::time::timeout(PATIENCE, far_open.wait_for(|open| *open == 0)).await.is_err() {
            return Err(format!("{} connections at the far end that are over here", *self.far_open.borrow()));
        }
        Ok(())
    }

    /// Closes the tunnel, and says what of it is left.
    pub(super) async fn close(&self) -> Result<(), String> {
        self.tunnel.disconnect(true).await;
        let mut views = self.tunnel.watch();
        let idle = views.wait_for(|view| matches!(view.state, TunnelState::Idle));
        if tokio::time::timeout(PATIENCE, idle).await.is_err() {
            return Err(format!("a disconnected tunnel stays at {:?}", self.tunnel.view().state));
        }
        let mut open = self.relay.open();
        if tokio::time::timeout(PATIENCE, open.wait_for(|open| *open == 0)).await.is_err() {
            return Err(format!(
                "{} connections to sshd after the tunnel is closed",
                *self.relay.open().borrow()
            ));
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let sessions = block_in_place(|| self.host.sessions());
            if sessions == 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{sessions} processes of sshd after all connections to it are closed"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends everything; the tunnel must end, too.
    pub(super) async fn end(self) -> Result<(), String> {
        let Self { host, relay, tunnel, far, .. } = self;
        let stopped = tokio::time::timeout(PATIENCE, tunnel.stop()).await;
        far.abort();
        drop(relay);
        block_in_place(|| drop(host));
        stopped.map_err(|_| "the tunnel does not stop".to_owned())
    }
}
