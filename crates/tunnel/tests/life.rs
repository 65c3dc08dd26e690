//! The life of a tunnel against a real sshd: dialling, sharing, lingering, losing and regaining the session.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Code, LeaseHolder, TransferId, TunnelState, TunnelView};
use dockline_tunnel::{Nobody, PoolLimits, Tunnel};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use support::{Lab, echo_server, free_port, is_idle, is_up, remote, round_trip, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_want_it_at_once_cause_one_login() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let leases: Vec<_> =
        (0..20).map(|id| tunnel.lease(LeaseHolder::Transfer { id: TransferId(id) })).collect();
    let ups = leases.iter().map(|lease| tunnel.up(lease));
    for up in futures::future::join_all(ups).await {
        up.unwrap();
    }
    assert_eq!(tunnel.view().leases.len(), 20);
    assert_eq!(round_trip(address, b"hello").await.unwrap(), b"hello");
    assert_eq!(sshd.logins(), 1);
    drop(leases);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_opens_the_tunnel_and_the_linger_closes_it() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    assert!(is_idle(&tunnel.view()));

    let data: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert!(round_trip(address, &data).await.unwrap() == data);
    let lingering = until(&tunnel, |view| matches!(view.state, TunnelState::Lingering { .. })).await;
    assert!(lingering.leases.is_empty());

    // A third connection during the linger does not log in again.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let view = until(&tunnel, |view| is_up(view) && view.leases.iter().any(|l| l.program.is_some())).await;
    assert!(matches!(view.leases[0].holder, LeaseHolder::Connection { .. }));
    // While a transfer of this process's holds the tunnel, its connections are the transfer's, and are not told twice.
    let push = LeaseHolder::Transfer { id: TransferId(7) };
    let transfer = tunnel.lease(push.clone());
    until(&tunnel, |view| matches!(view.leases.as_slice(), [only] if only.holder == push)).await;
    drop(transfer);
    // What is left of it is still this process's own, and called by the name that people know.
    let own = Some("Dockline");
    until(&tunnel, |view| matches!(view.leases.as_slice(), [only] if only.program.as_deref() == own)).await;
    stream.write_all(b"x").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');
    assert_eq!(sshd.logins(), 1);
    drop(stream);

    until(&tunnel, |view| matches!(view.state, TunnelState::Lingering { .. })).await;
    let since = Instant::now();
    let idle = until(&tunnel, is_idle).await;
    let lingered = since.elapsed();
    assert!(lingered >= Duration::from_millis(900) && lingered < Duration::from_secs(3), "{lingered:?}");
    assert_eq!((idle.bytes_up, idle.bytes_down), (3_000_001, 3_000_001));
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_session_comes_back() {
    need_sshd!();
    let lab = Lab::new();
    let mut sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');

    sshd.kill().await;
    let view = until(
        &tunnel,
        |view| matches!(&view.state, TunnelState::Reconnecting { failures, .. } if *failures > 0),
    )
    .await;
    let TunnelState::Reconnecting { error, .. } = view.state else { unreachable!() };
    assert_eq!(error.code, Code::SshUnreachable, "{error:?}");
    // The open connection was broken, and says so.
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);

    // A connection made meanwhile is held until the server is back.
    let has_connection = |view: &TunnelView| {
        view.leases.iter().any(|lease| matches!(lease.holder, LeaseHolder::Connection { .. }))
    };
    until(&tunnel, |view| !has_connection(view)).await;
    let held = tokio::spawn(async move { round_trip(address, b"patience").await });
    until(&tunnel, has_connection).await;
    sshd.start().await;
    assert_eq!(held.await.unwrap().unwrap(), b"patience");
    until(&tunnel, is_up).await;
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_says_why_after_its_patience() {
    need_sshd!();
    let lab = Lab::new();
    let mut sshd = lab.sshd("a", "").await;
    sshd.kill().await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.patience = Duration::from_secs(1);
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.up(&lease).await.unwrap_err();
    assert_eq!(error.code, Code::SshUnreachable, "{error:?}");
    assert!(error.message.contains("refused"), "{error:?}");
    let begun = std::time::Instant::now();
    tunnel.with_patience(Duration::from_millis(100)).up(&lease).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    tunnel.disconnect(false).await;
    assert!(is_idle(&until(&tunnel, is_idle).await));
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnect_leaves_connections_alone_unless_forced() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');

    tunnel.disconnect(false).await;
    let view = tunnel.view();
    assert!(is_up(&view) && view.leases.len() == 1, "{view:?}");
    lease.revoked().await;

    tunnel.disconnect(true).await;
    assert!(is_idle(&tunnel.view()), "{:?}", tunnel.view());
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(tunnel.up(&lease).await.unwrap_err().code, Code::Disconnected);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_named_and_taken_over_when_free() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let squatter = TcpListener::bind(address).await.unwrap();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let error = tunnel.view().listener_error.unwrap();
    assert_eq!(error.code, Code::PortInUse);
    assert!(error.message.contains("taken by "), "{error:?}");
    drop(squatter);
    until(&tunnel, |view| view.listener_error.is_none()).await;
    assert_eq!(round_trip(address, b"mine").await.unwrap(), b"mine");
    tunnel.stop().await;
    // Nothing is left behind, but for the copy that a program has which another test is starting, until it begins.
    let free = async {
        while TcpListener::bind(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), free).await.expect("the port is free again");
}

#[tokio::test]
async fn an_address_of_another_machine_is_no_address_to_listen_on() {
    let lab = Lab::new();
    let spec = dockline_model::RegistrySpec {
        port: free_port().await,
        linger_seconds: 1,
        ..dockline_model::RegistrySpec::new(
            "cr.test".parse().unwrap(),
            "u@127.0.0.1".parse().unwrap(),
            "192.0.2.1".parse().unwrap(),
        )
    };
    let config = dockline_tunnel::TunnelConfig::new(spec, lab.environment(&lab.path("known_hosts")));
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    assert_eq!(tunnel.view().listener_error.unwrap().code, Code::AddressUnavailable);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_session_gets_company_that_leaves_again() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.pool =
        PoolLimits { sessions: 3, channels_per_session: 2, retire_after: Duration::from_millis(400) };
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    let mut streams = Vec::new();
    for (count, logins) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (7, 3), (8, 3)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[count]).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), count);
        assert_eq!(sshd.logins(), logins, "with {count} connections");
        streams.push(stream);
    }
    drop(streams);
    // sshd notes each session that ends.
    let closed = || sshd.log().matches("Disconnected from user").count();
    for _ in 0..100 {
        if closed() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(closed(), 2, "{}", sshd.log());
    assert!(is_up(&tunnel.view()));
    tunnel.stop().await;
}

/// Nobody waits for them yet, and none is one too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_will_be_wanted_are_dialled_beforehand() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.pool = PoolLimits { sessions: 4, channels_per_session: 2, retire_after: Duration::from_secs(60) };
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    tunnel.make_room(&lease, 2).await;
    tunnel.make_room(&lease, 5).await;
    tunnel.make_room(&lease, 5).await;
    let dialled = async {
        while sshd.logins() < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), dialled).await.expect("nobody dials");
    let mut streams = Vec::new();
    for count in 0..6_u8 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[count]).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), count);
        streams.push(stream);
    }
    assert_eq!(sshd.logins(), 3, "{}", sshd.log());
    tunnel.stop().await;
}

/// dockerd waits 15 s for a registry's first answer and never asks again: a connection is held for 12 while the tunnel
/// dials, and fails then so that nobody takes it for an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_held_for_twelve_seconds_and_then_reset() {
    let lab = Lab::new();
    // A host that takes connections and says nothing on them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = lab.bare_config(silent.local_addr().unwrap()).await;
    config.spec.ssh.port = Some(silent.local_addr().unwrap().port());
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let began = Instant::now();
    let mut program = TcpStream::connect(address).await.unwrap();
    program.write_all(b"anybody there?").await.unwrap();
    let error = program.read(&mut [0]).await.unwrap_err();
    let held = began.elapsed();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let wanted = Duration::from_millis(11_900)..Duration::from_secs(15);
    assert!(wanted.contains(&held), "held for {held:?}");
    until(&tunnel, |view| view.leases.is_empty()).await;
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_noticed_within_ten_seconds() {
    need_sshd!();
    for uploads in [0, 4] {
        let lab = Lab::new();
        let mut sshd = lab.sshd("a", "").await;
        // Reads nothing, so that the uploads fill every buffer on the way.
        let sink = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = lab.config(&sshd, remote(sink.local_addr().unwrap())).await;
        let address = config.spec.listen();
        let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        tunnel.up(&lease).await.unwrap();
        let sinking = tokio::spawn(async move {
            let mut streams = Vec::new();
            while let Ok((mut stream, _)) = sink.accept().await {
                streams.push(tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                }));
            }
        });
        // More than the sockets of a connection hold that still waits for a session.
        const CARRIED: usize = 32;
        let (carried, mut are_carried) = tokio::sync::mpsc::channel(4);
        let uploading: Vec<_> = (0..uploads)
            .map(|_| {
                let carried = carried.clone();
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    let piece = vec![0; 1 << 20];
                    let mut pieces = 0;
                    while stream.write_all(&piece).await.is_ok() {
                        pieces += 1;
                        if pieces == CARRIED {
                            carried.send(()).await.unwrap();
                        }
                    }
                })
            })
            .collect();
        for _ in 0..uploads {
            are_carried.recv().await.unwrap();
        }

        sshd.freeze(true);
        let since = Instant::now();
        let view = until(&tunnel, |view| !is_up(view)).await;
        let noticed = since.elapsed();
        assert!(matches!(view.state, TunnelState::Reconnecting { .. }), "{view:?}");
        assert!(noticed < Duration::from_millis(10_500), "{noticed:?} with {uploads} uploads");
        // Whoever was uploading is told.
        for upload in uploading {
            tokio::time::timeout(Duration::from_secs(5), upload).await.unwrap().unwrap();
        }
        sshd.freeze(false);
        until(&tunnel, is_up).await;
        sinking.abort();
        tunnel.stop().await;
        sshd.kill().await;
    }
}

/// A script that connects again and again must not lock the account out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_refused_is_not_tried_for_every_connection() {
    need_sshd!();
    let lab = Lab::new();
    let stranger = lab.keygen("stranger", "ed25519", "");
    let sshd = lab.sshd_for("a", "", &stranger).await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let dials = || sshd.log().matches("Connection from").count();

    let together = (0..10).map(|_| round_trip(address, b"let me in"));
    for refused in futures::future::join_all(together).await {
        assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    }
    for _ in 0..10 {
        let since = Instant::now();
        let refused = round_trip(address, b"let me in").await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionReset);
        assert!(since.elapsed() < Duration::from_secs(1), "refused only after {:?}", since.elapsed());
    }
    let view = tunnel.view();
    assert!(matches!(&view.state, TunnelState::Failed { error } if error.code == Code::SshAuth), "{view:?}");
    assert_eq!(dials(), 1);

    // A person who asks again has mended it, or is told at once that it is not.
    for dialled in 2..4 {
        let lease = tunnel.lease(LeaseHolder::Manual);
        assert_eq!(tunnel.up(&lease).await.unwrap_err().code, Code::SshAuth);
        assert_eq!(dials(), dialled);
    }
    std::fs::copy(lab.path("id.pub"), lab.path("a-authorized")).unwrap();
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    assert_eq!(round_trip(address, b"in").await.unwrap(), b"in");
    tunnel.stop().await;
}

/// `MaxStartups` reached by somebody else: the second session is dropped before its banner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_refuses_further_sessions_is_not_asked_again_and_again() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "MaxStartups 1:100:1").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    // Takes the one place. Until the server has noted that the login before is done, it is “Exceeded MaxStartups”
    // instead of a banner.
    let unauthenticated = loop {
        let mut stream = TcpStream::connect(("127.0.0.1", sshd.port)).await.unwrap();
        if stream.read_u8().await.unwrap() == b'S' {
            break stream;
        }
    };
    let refused = || sshd.log().matches("drop connection").count();
    let eight = || {
        futures::future::join_all((0..8_u8).map(|n| async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&[n]).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), n);
            stream
        }))
    };
    let before = refused();
    let streams = eight().await;
    assert_eq!((refused(), sshd.logins()), (before + 1, 1), "{}", sshd.log());
    drop((streams, unauthenticated));

    // It is remembered beyond the end of the session: the next one carries everything alone.
    sshd.kill_sessions();
    until(&tunnel, |view| !is_up(view)).await;
    tunnel.up(&lease).await.unwrap();
    // The dial itself may have come before the place was free again.
    let before = refused();
    let streams = eight().await;
    assert_eq!((refused(), sshd.logins()), (before, 2), "{}", sshd.log());
    drop(streams);
    tunnel.stop().await;
}

/// Another user of the machine gets nothing out of the listener, and does not make it dial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_user_is_refused() {
    need_sshd!();
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can become another user to be refused");
        return;
    }
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; echo mine >&3; cat <&3", address.port());
    let output = tokio::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", &script])
        .output()
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{output:?}");
    assert!(is_idle(&tunnel.view()), "{:?}", tunnel.view());
    assert_eq!(sshd.logins(), 0);
    assert_eq!(round_trip(address, b"ours").await.unwrap(), b"ours");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_short_connections_leave_nothing_behind() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.pool.sessions = 1;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    for _ in 0..25 {
        let batch =
            (0..40_u8).map(|n| async move { round_trip(address, &[n; 100]).await.unwrap() == [n; 100] });
        assert!(futures::future::join_all(batch).await.into_iter().all(|same| same));
    }
    until(&tunnel, |view| view.leases.len() == 1).await;
    assert_eq!(sshd.logins(), 1);
    drop(lease);
    until(&tunnel, is_idle).await;
    tunnel.stop().await;
}
