//! What travels through a tunnel: TCP and UNIX-socket ends, half-close, resets, jump hosts, configured aliases.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Code, LeaseHolder, RemoteEnd, SshTarget, TunnelState};
use dockline_tunnel::{Nobody, Tunnel};
use std::{fs, sync::Arc, time::Duration};
use support::{Lab, echo_server, free_port, is_idle, remote, round_trip, until, user};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixListener},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_at_the_far_end() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let path = lab.path("registry.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    });
    let config = lab.config(&sshd, RemoteEnd::Unix { path: path.display().to_string() }).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    assert_eq!(round_trip(address, b"over a socket").await.unwrap(), b"over a socket");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_close_goes_both_ways() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = lab.config(&sshd, remote(listener.local_addr().unwrap())).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;

    // The client ends first: the server hears everything, then answers.
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut heard = Vec::new();
    server.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"question");
    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"answer");

    // The server ends first: the client hears that, and may still send.
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    server.write_all(b"hello").await.unwrap();
    server.shutdown().await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"hello");
    client.write_all(b"late").await.unwrap();
    client.shutdown().await.unwrap();
    let mut heard = Vec::new();
    server.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"late");
    drop((client, server));
    until(&tunnel, |view| view.leases.is_empty()).await;
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_breaks_off_is_a_reset_and_not_a_short_read() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = lab.config(&sshd, remote(listener.local_addr().unwrap())).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    server.write_all(&[7; 100_000]).await.unwrap();
    let mut some = [0; 50_000];
    client.read_exact(&mut some).await.unwrap();
    sshd.kill_sessions();
    let mut rest = Vec::new();
    let error = client.read_to_end(&mut rest).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_lets_the_tunnel_go() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = lab.config(&sshd, remote(listener.local_addr().unwrap())).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let client = TcpStream::connect(address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    assert!(server.read(&mut [0]).await.map_or(true, |count| count == 0));
    until(&tunnel, is_idle).await;
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_at_the_far_end_is_said_so() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let closed = free_port().await;
    let config = lab.config(&sshd, format!("127.0.0.1:{closed}").parse().unwrap()).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let error = round_trip(address, b"anybody?").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error:?}");
    let view = until(&tunnel, |view| view.forward_error.is_some()).await;
    assert_eq!(view.forward_error.unwrap().code, Code::RemoteClosed);

    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.check_remote(&lease).await.unwrap_err();
    assert_eq!(error.code, Code::RemoteClosed);
    assert!(error.hint.unwrap().contains(&closed.to_string()));
    let _listener = TcpListener::bind(("127.0.0.1", closed)).await.unwrap();
    tunnel.check_remote(&lease).await.unwrap();
    until(&tunnel, |view| view.forward_error.is_none()).await;
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_channel_is_the_next_connections_or_is_closed() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = lab.config(&sshd, remote(listener.local_addr().unwrap())).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);

    tunnel.prepare(&lease, 1).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"at once").await.unwrap();
    let mut heard = [0; 7];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"at once");
    // The next connection has a channel of its own.
    let _other = TcpStream::connect(address).await.unwrap();
    let (_server, _) = listener.accept().await.unwrap();

    tunnel.prepare(&lease, 1).await.unwrap();
    let (mut unused, _) = listener.accept().await.unwrap();
    assert_eq!(unused.read(&mut [0]).await.unwrap(), 0, "nobody wanted it");

    // As many as will be wanted.
    tunnel.prepare(&lease, 2).await.unwrap();
    let (mut one, mut other) =
        (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap());
    let both = [listener.accept().await.unwrap().0, listener.accept().await.unwrap().0];
    tokio::try_join!(one.write_all(b"together"), other.write_all(b"together")).unwrap();
    for mut server in both {
        let mut heard = [0; 8];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"together");
    }
    drop((one, other));

    // One whose session is gone is nobody's.
    tunnel.prepare(&lease, 1).await.unwrap();
    let _lost = listener.accept().await.unwrap();
    let before = tunnel.view().state;
    sshd.kill_sessions();
    until(&tunnel, |view| matches!(view.state, TunnelState::Up { .. }) && view.state != before).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"again").await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut heard = [0; 5];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"again");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_forward_is_said_so() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "AllowTcpForwarding no").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    let error = tunnel.check_remote(&lease).await.unwrap_err();
    assert_eq!(error.code, Code::ForwardForbidden);
    assert!(error.hint.unwrap().contains("permitopen"));
    // That it takes no channel is no lack of room, which another session might have.
    let error = tunnel.prepare(&lease, 2).await.unwrap_err();
    assert_eq!((error.code, sshd.logins()), (Code::ForwardForbidden, 1));
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_two_jump_hosts() {
    need_sshd!();
    let lab = Lab::new();
    let (mut first, second, target) =
        (lab.sshd("j1", "").await, lab.sshd("j2", "").await, lab.sshd("t", "").await);
    let mut config = lab.config(&target, remote(echo_server().await)).await;
    fs::write(
        lab.path("known_hosts"),
        [&first, &second, &target].map(|sshd| sshd.known_hosts_line()).concat(),
    )
    .unwrap();
    // The key given for the target is not offered to jump hosts, as with `ssh -i`: they have their own options.
    fs::write(lab.path("config"), format!("Host 127.0.0.1\n  IdentityFile {}\n", lab.path("id").display()))
        .unwrap();
    let hop = |port: u16| format!("{}@127.0.0.1:{port}", user());
    config.spec.ssh.jump = Some([hop(first.port), hop(second.port)].join(","));
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config.clone(), Arc::new(Nobody)).await;
    let data = vec![3; 1_000_000];
    assert!(round_trip(address, &data).await.unwrap() == data);
    assert_eq!([first.logins(), second.logins(), target.logins()], [1, 1, 1]);

    // The end of the first hop is the end of everything behind it, at once.
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"x").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'x');
    first.kill().await;
    let broken = tokio::time::timeout(Duration::from_secs(3), client.read_u8()).await;
    assert_eq!(broken.unwrap().unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    tunnel.stop().await;

    config.patience = Duration::from_secs(1);
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.up(&lease).await.unwrap_err();
    assert_eq!(error.code, Code::SshJump, "{error:?}");
    assert!(error.message.contains(&first.port.to_string()), "{error:?}");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_of_ssh_config_brings_its_options() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    let host = format!(
        "Host registry-box\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  HostKeyAlias box\n",
        sshd.port,
        user(),
        lab.path("id").display()
    );
    fs::write(lab.path("config"), &host).unwrap();
    lab.known_hosts(&format!("box {}\n", sshd.host_key));
    config.spec.ssh = "registry-box".parse::<SshTarget>().unwrap();
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config.clone(), Arc::new(Nobody)).await;
    assert_eq!(round_trip(address, b"alias").await.unwrap(), b"alias");
    tunnel.stop().await;

    // The same through a ProxyCommand.
    let nc = format!("{host}  ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'\n");
    fs::write(lab.path("config"), nc).unwrap();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    assert_eq!(round_trip(address, b"proxied").await.unwrap(), b"proxied");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_cannot_be_reached_say_which_way() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.patience = Duration::from_millis(200);
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web_port = web.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = web.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    for (target, code) in [
        (format!("u@127.0.0.1:{}", free_port().await), Code::SshUnreachable),
        ("u@no-such-host.invalid".to_owned(), Code::SshHostNotFound),
        (format!("u@127.0.0.1:{web_port}"), Code::SshProtocol),
    ] {
        config.spec.ssh = target.parse().unwrap();
        let tunnel = Tunnel::start(config.clone(), Arc::new(Nobody)).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        let error = tunnel.up(&lease).await.unwrap_err();
        assert_eq!(error.code, code, "{target}: {error:?}");
        assert!(error.hint.is_some());
        tunnel.stop().await;
    }
}
