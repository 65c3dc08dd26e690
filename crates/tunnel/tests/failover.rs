//! Several hosts for one registry: the first that is healthy carries the tunnel, and another takes over from it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use dockline_model::{Code, LeaseHolder, RemoteEnd, SshTarget, TunnelState, TunnelView};
use dockline_tunnel::{Nobody, Tunnel, TunnelConfig};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use support::{Lab, Sshd, free_port, is_idle, is_up, remote, until, user};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A registry as far as its `/v2/` goes.
async fn registry() -> SocketAddr {
    troubled_registry(Arc::default()).await
}

/// The same, which has nothing but trouble to tell the next `troubles` who ask.
async fn troubled_registry(troubles: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let troubles = troubles.clone();
            tokio::spawn(async move {
                let mut head = [0; 1024];
                // A head comes in one piece here.
                while stream.read(&mut head).await.is_ok_and(|count| count > 0) {
                    let left = troubles.try_update(Relaxed, Relaxed, |left| left.checked_sub(1));
                    let status = if left.is_ok() { "503 Service Unavailable" } else { "200 OK" };
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}");
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    address
}

/// A registry behind all of `hosts`, the first one preferred; health is looked at ten times a second.
async fn config(lab: &Lab, hosts: &[&Sshd], far: RemoteEnd) -> TunnelConfig {
    let mut config = lab.config(hosts[0], far).await;
    let lines: String = hosts.iter().map(|sshd| sshd.known_hosts_line()).collect();
    lab.known_hosts(&lines);
    config.spec.fallbacks = hosts[1..].iter().map(|sshd| target(lab, sshd.port)).collect();
    config.health_interval = Duration::from_millis(100);
    config
}

fn target(lab: &Lab, port: u16) -> SshTarget {
    let target: SshTarget = format!("{}@127.0.0.1:{port}", user()).parse().unwrap();
    SshTarget { identity: Some(lab.path("id")), ..target }
}

fn is_via(sshd: &Sshd) -> impl Fn(&TunnelView) -> bool {
    let port = sshd.port;
    move |view| is_up(view) && view.route.as_ref().is_some_and(|route| route.ssh.port == Some(port))
}

async fn ask(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: cr.test\r\n\r\n").await?;
    let mut answer = vec![0; 40];
    stream.read_exact(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_host_stands_in_and_it_is_said_why() {
    need_sshd!();
    let lab = Lab::new();
    let (a, b, c) = (lab.sshd("a", "").await, lab.sshd("b", "").await, lab.sshd("c", "").await);
    let mut config = config(&lab, &[&a, &b, &c], remote(registry().await)).await;
    // Nobody listens there.
    config.spec.ssh = target(&lab, free_port().await);
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert!(ask(&mut stream).await.unwrap().starts_with("HTTP/1.1 200"));
    let route = until(&tunnel, is_via(&b)).await.route.unwrap();
    let [passed] = route.passed_over.as_slice() else { panic!("{route:?}") };
    assert_eq!(passed.error.code, Code::SshUnreachable);
    assert!(route.detour().unwrap().ends_with("does not answer"));
    assert_eq!((a.logins(), b.logins(), c.logins()), (0, 1, 0));
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_dies_is_replaced_and_comes_back_when_the_tunnel_is_quiet() {
    need_sshd!();
    let lab = Lab::new();
    let (mut a, b) = (lab.sshd("a", "").await, lab.sshd("b", "").await);
    let config = config(&lab, &[&a, &b], remote(registry().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream).await.unwrap();
    assert!(is_via(&a)(&tunnel.view()));

    a.kill().await;
    assert!(stream.read_u8().await.is_err(), "what went through the dead host is reset");
    until(&tunnel, is_via(&b)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream).await.unwrap();

    // A connection is open: the tunnel stays where it is, however well the other host is.
    let logins = a.logins();
    a.start().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(is_via(&b)(&tunnel.view()));
    assert_eq!(a.logins(), logins, "a busy tunnel does not even look");
    ask(&mut stream).await.unwrap();
    drop(stream);
    let view = until(&tunnel, is_via(&a)).await;
    assert!(view.route.unwrap().passed_over.is_empty());
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream).await.unwrap();
    drop(lease);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_forbids_the_way_is_passed_over() {
    need_sshd!();
    let lab = Lab::new();
    let a = lab.sshd("a", "PermitOpen 127.0.0.1:1\n").await;
    let b = lab.sshd("b", "").await;
    let config = config(&lab, &[&a, &b], remote(registry().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert!(ask(&mut stream).await.unwrap().starts_with("HTTP/1.1 200"));
    let route = until(&tunnel, is_via(&b)).await.route.unwrap();
    assert_eq!(route.passed_over[0].error.code, Code::ForwardForbidden);
    // A host that is not to be had any time soon does not cost the next dial anything.
    drop(stream);
    until(&tunnel, is_idle).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream).await.unwrap();
    let route = until(&tunnel, is_via(&b)).await.route.unwrap();
    assert_eq!(route.passed_over[0].error.code, Code::ForwardForbidden);
    assert_eq!(a.logins(), 1);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sick_registry_is_left_but_not_under_its_connections() {
    need_sshd!();
    let lab = Lab::new();
    let (a, b) = (lab.sshd("a", "").await, lab.sshd("b", "").await);
    let troubles = Arc::new(AtomicUsize::new(0));
    let config = config(&lab, &[&a, &b], remote(troubled_registry(troubles.clone()).await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let mut early = TcpStream::connect(address).await.unwrap();
    ask(&mut early).await.unwrap();
    until(&tunnel, is_via(&a)).await;
    // Two opinions about the host in use, and one about the preferred host at the next dial.
    troubles.store(3, Relaxed);
    let route = until(&tunnel, is_via(&b)).await.route.unwrap();
    assert_eq!(route.passed_over[0].error.code, Code::RegistryUnreachable);
    assert!(ask(&mut early).await.unwrap().starts_with("HTTP/1.1 200"), "it goes on where it was");
    assert_eq!((a.logins(), b.logins()), (2, 1));
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_host_key_is_not_passed_over() {
    need_sshd!();
    let lab = Lab::new();
    let (mut a, b) = (lab.sshd("a", "").await, lab.sshd("b", "").await);
    let config = config(&lab, &[&a, &b], remote(registry().await)).await;
    a.kill().await;
    std::fs::remove_file(lab.path("a-host")).unwrap();
    let changed = lab.sshd_at("a", "", a.port).await;
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.up(&lease).await.unwrap_err();
    assert_eq!(error.code, Code::HostKeyChanged);
    assert!(error.message.contains("other hosts were not tried"), "{}", error.message);
    assert!(matches!(tunnel.view().state, TunnelState::Failed { .. }));
    assert_eq!((changed.logins(), b.logins()), (0, 0));
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_no_host_left_each_is_named() {
    need_sshd!();
    let lab = Lab::new();
    let a = lab.sshd("a", "").await;
    let mut config = config(&lab, &[&a], RemoteEnd::default()).await;
    let (first, second) = (free_port().await, free_port().await);
    config.spec.ssh = target(&lab, first);
    config.spec.fallbacks = vec![target(&lab, second)];
    config.patience = Duration::ZERO;
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.up(&lease).await.unwrap_err();
    assert_eq!(error.code, Code::SshUnreachable);
    for port in [first, second] {
        assert!(error.message.contains(&port.to_string()), "{}", error.message);
    }
    tunnel.stop().await;
}

/// What `~/.ssh/config` says of each alias is taken for that one alone: port, user, key, jump host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_host_has_options_of_its_own() {
    need_sshd!();
    let lab = Lab::new();
    let other_key = lab.keygen("other", "ed25519", "");
    let mut one = lab.sshd("one", "").await;
    let gate = lab.sshd("gate", "").await;
    let two = lab.sshd_for("two", "", &other_key).await;
    let far = remote(registry().await);
    let mut config = config(&lab, &[&one, &gate, &two], far).await;
    let host = |alias: &str, port: u16, key: &str, more: &str| {
        let (key, user) = (lab.path(key), user());
        let identity = format!("IdentityFile {}\nIdentitiesOnly yes", key.display());
        format!("Host {alias}\nHostName 127.0.0.1\nPort {port}\nUser {user}\n{identity}\n{more}\n")
    };
    let text = host("one", one.port, "id", "")
        + &host("gate", gate.port, "id", "")
        + &host("two", two.port, "other", "ProxyJump gate");
    std::fs::write(lab.path("config"), text).unwrap();
    config.spec.ssh = "one".parse().unwrap();
    config.spec.fallbacks = vec!["two".parse().unwrap()];
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    assert_eq!((one.logins(), gate.logins(), two.logins()), (1, 0, 0));
    one.kill().await;
    until(&tunnel, |view| is_up(view) && view.route.as_ref().is_some_and(|route| route.ssh.host == "two"))
        .await;
    assert_eq!((gate.logins(), two.logins()), (1, 1));
    tunnel.stop().await;
}
