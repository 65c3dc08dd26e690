//! What happens to a tunnel when the network does: paths that die without a word, links that go and come, addresses that
//! change, machines that sleep. Real sshd in namespaces, real links.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use dockline_model::{LeaseHolder, RegistrySpec, RemoteEnd, SshTarget, TunnelState, TunnelView};
use dockline_tests::lab::{self, Dockline, Need, RegistryHost, RegistryHostOptions};
use dockline_tunnel::{AccessRules, Lease, Nobody, SshEnvironment, Tunnel, TunnelConfig};
use nix::sys::signal::Signal;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd];
/// Eleven tunnels at full speed are no company for a test of how quickly a program answers.
static LOAD: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// The port at the far end.
const SINK: u16 = 5000;

/// A host with something at the far end that takes what it gets, and a tunnel there.
struct Rig {
    host: RegistryHost,
    /// Between this machine and the host.
    jump: Option<RegistryHost>,
    folder: tempfile::TempDir,
    tunnel: Tunnel,
    lease: Lease,
    address: SocketAddr,
    sink: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Straight,
    Jump,
    Proxy,
}

fn far_end() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, SINK).into()
}

/// Rigs run side by side, and a port that was free a moment ago may be another's, or the near end of a connection.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    Ipv4Addr::new(127, 79, 0, NEXT.fetch_add(1, Ordering::Relaxed))
}

fn host() -> RegistryHost {
    RegistryHost::with(RegistryHostOptions { without_registry: true, ..RegistryHostOptions::default() })
}

impl Rig {
    async fn start(way: Way) -> Self {
        let host = host();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        let mut known_hosts = host.known_hosts_line() + "\n";
        let mut target: SshTarget = host.destination().parse().unwrap();
        target.identity = Some(host.identity());
        let mut jump = None;
        match way {
            Way::Straight => fs::write(&config, "").unwrap(),
            Way::Jump => {
                let hop = self::host();
                let _ = hop.connect_to(&host);
                known_hosts += &(hop.known_hosts_line() + "\n");
                fs::write(
                    &config,
                    format!("Host {}\n IdentityFile {}\n", hop.address(), hop.identity().display()),
                )
                .unwrap();
                target.jump = Some(hop.destination());
                jump = Some(hop);
            }
            Way::Proxy => {
                let proxy = "bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'";
                fs::write(&config, format!("Host *\n ProxyCommand {proxy}\n")).unwrap();
            }
        }
        let hosts_file = folder.path().join("known_hosts");
        fs::write(&hosts_file, known_hosts).unwrap();
        let spec = RegistrySpec {
            remote: RemoteEnd::Tcp { host: "127.0.0.1".to_owned(), port: SINK },
            ..RegistrySpec::new(lab::unique_registry_name("network"), target, own_address())
        };
        let ssh = SshEnvironment {
            home_ssh: folder.path().join("none"),
            config: Some(config),
            known_hosts: vec![hosts_file],
            agent_socket: None,
            ssh_program: Some(PathBuf::from("ssh")),
            keepalive: None,
        };
        let config = TunnelConfig { access: AccessRules::AnyProtocol, ..TunnelConfig::new(spec, ssh) };
        let address = config.spec.listen();
        let listener = host.listen_inside(far_end());
        listener.set_nonblocking(true).unwrap();
        let sink = tokio::spawn(sink(TcpListener::from_std(listener).unwrap()));
        let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        tunnel.up(&lease).await.unwrap();
        Self { host, jump, folder, tunnel, lease, address, sink }
    }

    /// A connection whose far end has answered.
    async fn connect(&self, kind: u8) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&[kind]).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), kind);
        stream
    }

    async fn until(&self, what: &str, wanted: impl Fn(&TunnelView) -> bool) -> Duration {
        let begun = Instant::now();
        let mut views = self.tunnel.watch();
        let waiting = tokio::time::timeout(Duration::from_secs(30), views.wait_for(|view| wanted(view)));
        if waiting.await.is_err() {
            panic!("not {what}: {:?}", self.tunnel.view());
        }
        begun.elapsed()
    }

    async fn end(self) {
        drop(self.lease);
        self.tunnel.stop().await;
        self.sink.abort();
        drop((self.host, self.jump, self.folder));
    }
}

/// The first byte says what becomes of the rest, and is sent back: `T` is taken, anything else is not read.
async fn sink(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let Ok(kind) = stream.read_u8().await else { return };
            if stream.write_all(&[kind]).await.is_err() {
                return;
            }
            if kind == b'T' {
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            } else {
                std::future::pending::<()>().await;
            }
        });
    }
}

fn is_up(view: &TunnelView) -> bool {
    matches!(view.state, TunnelState::Up { .. })
}

fn is_reconnecting(view: &TunnelView) -> bool {
    matches!(view.state, TunnelState::Reconnecting { .. })
}

/// Uploads that go on for as long as they can; each ends with what its program is told.
async fn uploads(rig: &Rig, count: usize) -> Vec<JoinHandle<std::io::ErrorKind>> {
    let mut uploading = Vec::new();
    for _ in 0..count {
        let mut stream = rig.connect(b'T').await;
        uploading.push(tokio::spawn(async move {
            let piece = vec![7; 256 << 10];
            loop {
                if let Err(error) = stream.write_all(&piece).await {
                    return error.kind();
                }
            }
        }));
    }
    uploading
}

/// How long it takes until a path that died without a word is known to be dead.
async fn noticed(way: Way, count: usize, others: bool) -> Duration {
    let rig = Rig::start(way).await;
    let idle = if others { Some(rig.connect(b'I').await) } else { None };
    let stalled = if others { Some(rig.connect(b'S').await) } else { None };
    let stalled = stalled.map(|mut stream| {
        tokio::spawn(async move {
            let piece = vec![7; 256 << 10];
            while stream.write_all(&piece).await.is_ok() {}
        })
    });
    let uploading = uploads(&rig, count).await;
    rig.until("uploading", |view| view.bytes_up >= (count as u64) << 20).await;
    match &rig.jump {
        // The first leg lives on, and the kernel of this machine has nothing to notice.
        Some(hop) => {
            let [_, _, high, low] = hop.address().octets();
            rig.host.answer_nobody(Ipv4Addr::new(10, 215, high, low));
        }
        None => rig.host.swallow_packets(),
    }
    let after = rig.until("noticed", |view| !is_up(view)).await;
    // Everyone is told, by a reset.
    for upload in uploading {
        let kind = tokio::time::timeout(Duration::from_secs(5), upload).await.unwrap().unwrap();
        assert!(
            matches!(kind, std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe),
            "{kind:?}"
        );
    }
    if let Some(mut idle) = idle {
        let told = tokio::time::timeout(Duration::from_secs(5), idle.read_u8()).await.unwrap();
        assert_eq!(told.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    }
    if let Some(stalled) = stalled {
        tokio::time::timeout(Duration::from_secs(5), stalled).await.unwrap().unwrap();
    }
    rig.end().await;
    println!("{way:?}, {count} uploads, others: {others}: noticed after {after:?}");
    after
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_path_is_noticed_within_ten_seconds_whatever_is_under_way() {
    if !lab::requires(NEEDS) {
        return;
    }
    let _alone = LOAD.lock().await;
    let cases = [
        (Way::Straight, 0, false),
        (Way::Straight, 0, true),
        (Way::Straight, 1, false),
        (Way::Straight, 2, true),
        (Way::Straight, 5, false),
        (Way::Straight, 8, true),
        (Way::Jump, 0, false),
        (Way::Jump, 1, true),
        (Way::Jump, 5, false),
        (Way::Proxy, 0, true),
        (Way::Proxy, 5, false),
    ];
    let all = cases.map(|(way, count, others)| tokio::spawn(noticed(way, count, others)));
    for (outcome, case) in futures::future::join_all(all).await.into_iter().zip(cases) {
        let after = outcome.unwrap();
        assert!(after < Duration::from_secs(10), "{case:?}: noticed after {after:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_comes_back_is_used_within_two_seconds() {
    if !lab::requires(NEEDS) {
        return;
    }
    let rig = Rig::start(Way::Straight).await;
    rig.host.lose_network();
    let lost = rig.until("lost", is_reconnecting).await;
    println!("noticed {lost:?} after the link was gone");
    // Long enough for the waits between the dials to be longer than what is asked for below.
    let tired =
        |view: &TunnelView| matches!(view.state, TunnelState::Reconnecting { failures, .. } if failures >= 5);
    rig.until("tired of trying", tired).await;
    rig.host.regain_network();
    let back = rig.until("up", is_up).await;
    println!("up {back:?} after the link was back");
    assert!(back < Duration::from_secs(2), "up only {back:?} after the link was back");
    rig.connect(b'T').await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_changes_costs_two_seconds() {
    if !lab::requires(NEEDS) {
        return;
    }
    let rig = Rig::start(Way::Straight).await;
    let mut uploading = uploads(&rig, 1).await;
    rig.host.change_own_address(1);
    rig.until("lost", |view| !is_up(view)).await;
    let back = rig.until("up", is_up).await;
    println!("up again {back:?} after the address had changed");
    assert!(back < Duration::from_secs(2), "up only {back:?} after the address had changed");
    let told = tokio::time::timeout(Duration::from_secs(5), uploading.remove(0)).await.unwrap().unwrap();
    assert!(matches!(told, std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe), "{told:?}");
    rig.connect(b'T').await;
    rig.end().await;
}

/// What a suspended laptop looks like to a program: nothing runs for a while, and then the clocks are elsewhere.
#[test]
fn a_program_that_slept_keeps_a_session_that_lives_and_soon_replaces_one_that_died() {
    if !lab::requires(NEEDS) {
        return;
    }
    let _alone = LOAD.blocking_lock();
    let (living, dying) = (host(), host());
    let dockline = Dockline::new();
    let names = [dockline.add(&living), dockline.add(&dying)];
    let _far_ends = [living.listen_inside(far_end()), dying.listen_inside(far_end())];
    let agent = dockline.agent();
    for name in &names {
        dockline.run(&["connect", name.as_str()]).expect_success();
    }
    agent.daemon().signal(Signal::SIGSTOP);
    #[allow(
        clippy::disallowed_methods,
        reason = "it is time that passes while a machine sleeps, not an event"
    )]
    std::thread::sleep(Duration::from_secs(11));
    dying.freeze_sessions();
    agent.daemon().signal(Signal::SIGCONT);
    let woken = Instant::now();
    dying.sshd().wait_for_count("Accepted publickey", 2, Duration::from_secs(30));
    println!("the dead session was replaced {:?} after the sleep", woken.elapsed());
    // What holds for every path that has died; on an idle machine it is four.
    assert!(woken.elapsed() < Duration::from_secs(10), "{:?}", woken.elapsed());
    assert_eq!(living.logins(), 1, "a session that lives was given up:\n{}", agent.daemon().log());
}
