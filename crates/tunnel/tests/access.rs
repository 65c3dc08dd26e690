//! Who gets through the listener: programs that want the registry, and no web page. A real sshd and a real registry.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::TunnelState;
use dockline_tunnel::{AccessRules, Nobody, Tunnel, TunnelConfig};
use std::{fs, net::SocketAddr, path::Path, process::Stdio, sync::Arc, time::Duration};
use support::{Lab, Sshd, echo_server, free_port, is_idle, remote, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

const REGISTRY: &str = "/usr/bin/docker-registry";

/// A tunnel under the rules of every day, through a server of its own to `far`.
async fn http_tunnel(lab: &Lab, far: SocketAddr) -> (Sshd, Tunnel, SocketAddr) {
    let sshd = lab.sshd("a", "").await;
    let config = TunnelConfig { access: AccessRules::default(), ..lab.config(&sshd, remote(far)).await };
    let address = config.spec.listen();
    (sshd, Tunnel::start(config, Arc::new(Nobody)).await, address)
}

/// A registry, up; `None`, loudly, where there is none installed.
async fn registry(lab: &Lab) -> Option<(Child, SocketAddr)> {
    if !Path::new(REGISTRY).exists() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{REGISTRY} is missing; CI must have it");
        eprintln!("SKIPPED: {REGISTRY} is missing; install docker-registry to run this test");
        return None;
    }
    let address = SocketAddr::from(([127, 0, 0, 1], free_port().await));
    let config = format!(
        "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n",
        lab.path("storage").display()
    );
    fs::write(lab.path("registry.yml"), config).unwrap();
    let child = Command::new(REGISTRY)
        .arg("serve")
        .arg(lab.path("registry.yml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut tries = tokio::time::interval(Duration::from_millis(50));
    while TcpStream::connect(address).await.is_err() {
        tries.tick().await;
    }
    Some((child, address))
}

/// Runs to the end within half a minute; what it printed.
async fn run(program: &str, arguments: &[&str]) -> String {
    let running = Command::new(program).args(arguments).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(30), running).await.unwrap().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The answer to `bytes`, until the connection ends.
async fn answer(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_page_does_not_even_open_the_tunnel() {
    need_sshd!();
    let lab = Lab::new();
    let (sshd, tunnel, address) = http_tunnel(&lab, echo_server().await).await;
    let port = address.port();
    let post = format!("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: {address}\r\n");
    let long = format!("GET /v2/ HTTP/1.1\r\nHost: cr.test\r\nCookie: {}\r\n\r\n", "c".repeat(17 << 10));
    for (request, status) in [
        (format!("{post}Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n"), 403),
        // More than is read before the answer: it must arrive nevertheless.
        (format!("{post}Origin: null\r\nContent-Length: 300000\r\n\r\n{}", "x".repeat(300_000)), 403),
        (format!("GET /v2/ HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Mode: no-cors\r\n\r\n"), 403),
        (format!("GET /v2/ HTTP/1.1\r\nHost: cr.test:{port}\r\nUser-Agent: Mozilla/5.0\r\n\r\n"), 403),
        (format!("GET /v2/ HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"), 403),
        (long, 431),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("Dockline"), "{answer}");
    }
    // One that says nothing, and one that says half and goes away, do not open it either.
    let _silent = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"GET /v2/ HTTP/1.1\r\n").await.unwrap();
    half.shutdown().await.unwrap();
    assert_eq!(half.read(&mut [0]).await.unwrap(), 0);
    assert!(is_idle(&tunnel.view()), "{:?}", tunnel.view());
    assert_eq!(sshd.logins(), 0);

    let request = format!("GET /v2/ HTTP/1.1\r\nHost: CR.test:{port}\r\n\r\nrest");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut echo = String::new();
    stream.read_to_string(&mut echo).await.unwrap();
    assert_eq!(echo, request, "carried untouched, the head included");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_head_is_waited_for_but_not_forever() {
    need_sshd!();
    let lab = Lab::new();
    let (_sshd, tunnel, address) = http_tunnel(&lab, echo_server().await).await;
    let request = format!("GET /v2/ HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    for byte in request.bytes() {
        pace.tick().await;
        stream.write_u8(byte).await.unwrap();
    }
    let mut echo = vec![0; request.len()];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(echo, request.as_bytes());

    let late = answer(address, b"GET /v2/ HTTP/1.1\r\n").await;
    assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tls_client_hello_passes_as_it_is_and_is_no_failure() {
    need_sshd!();
    let lab = Lab::new();
    let (_sshd, tunnel, address) = http_tunnel(&lab, echo_server().await).await;
    let hello = [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01][..], &[7; 0x1ff]].concat();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The type byte on its own decides nothing.
    stream.write_all(&hello[..1]).await.unwrap();
    stream.write_all(&hello[1..]).await.unwrap();
    let mut echo = vec![0; hello.len()];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(echo, hello);
    drop(stream);
    let view = until(&tunnel, |view| view.leases.is_empty()).await;
    assert!(matches!(view.state, TunnelState::Lingering { .. }), "{view:?}");
    assert_eq!(view.forward_error, None);
    tunnel.stop().await;
}

/// Engines try TLS first, each time. A registry that has none is told apart by its answer: from then on nobody else's
/// attempt gets as far as the tunnel, and it is answered the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_without_tls_is_told_from_one_that_speaks_it() {
    need_sshd!();
    let lab = Lab::new();
    let Some((_registry, far)) = registry(&lab).await else { return };
    let (_sshd, tunnel, address) = http_tunnel(&lab, far).await;
    // A line's end is in every real one (supported_groups is extension 10), and servers of HTTP wait for it.
    let hello = [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01][..], &[7; 0x1fd], b"\r\n"].concat();
    let of_registry = answer(address, &hello).await;
    const OURS: &str = "inside the tunnel it is encrypted all the same";
    assert!(of_registry.starts_with("HTTP/1.1 400 ") && !of_registry.contains(OURS), "{of_registry}");
    let of_dockline = answer(address, &hello).await;
    assert!(of_dockline.starts_with("HTTP/1.1 400 ") && of_dockline.contains(OURS), "{of_dockline}");
    // What is not TLS goes through as before.
    let request = format!("GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert!(answer(address, request.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    tunnel.stop().await;

    // One that answers in TLS is left alone.
    let speaks = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far = speaks.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = speaks.accept().await {
            let mut hello = [0; 16];
            // An alert: handshake_failure (RFC 8446, 6).
            let alert = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];
            if stream.read(&mut hello).await.is_ok() {
                let _ = stream.write_all(&alert).await;
            }
        }
    });
    let lab = Lab::new();
    let (_sshd, tunnel, address) = http_tunnel(&lab, far).await;
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&hello[..16]).await.unwrap();
        let mut alert = [0; 7];
        stream.read_exact(&mut alert).await.unwrap();
        assert_eq!(alert[0], 0x15);
    }
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_and_skopeo_work_as_before() {
    need_sshd!();
    let lab = Lab::new();
    let Some((_registry, far)) = registry(&lab).await else { return };
    let (_sshd, tunnel, address) = http_tunnel(&lab, far).await;
    let port = address.port();
    let status = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"];
    let url = format!("http://{address}/v2/");
    assert_eq!(run("curl", &[&status[..], &[&url]].concat()).await, "200");
    let (named, resolve) = (format!("http://cr.test:{port}/v2/"), format!("cr.test:{port}:127.0.0.1"));
    assert_eq!(run("curl", &[&status[..], &["--resolve", &resolve, &named]].concat()).await, "200");
    assert_eq!(
        run("curl", &[&status[..], &["-H", "Origin: http://evil.example", "-d", "x", &url]].concat()).await,
        "403"
    );
    assert_eq!(
        run("curl", &[&status[..], &["-H", &format!("Host: evil.example:{port}"), &url]].concat()).await,
        "403"
    );

    // What else curl can be made to send: an old version, an offer of another, a body that waits to be asked for, one
    // of unknown length, a head without a body.
    let file = lab.path("blob");
    fs::write(&file, "a blob").unwrap();
    let upload = ["-T", file.to_str().unwrap(), "-H", "Expect: 100-continue", "--expect100-timeout", "5"];
    let body = format!("@{}", file.display());
    let chunked = ["--data-binary", &body, "-H", "Transfer-Encoding: chunked"];
    for (arguments, expected) in [
        (&["--http1.0"][..], "200"),
        (&["--http2"], "200"),
        (&["--head"], "200"),
        (&["--user", "someone:secret"], "200"),
        (&["--referer", "http://elsewhere.example/"], "200"),
        // The registry itself says that nothing can be put there.
        (&upload, "404"),
        (&chunked, "200"),
        (&["--user-agent", "Mozilla/5.0"], "403"),
        (&["-H", "Host:"], "403"),
        (&["--request-target", "http://evil.example/v2/"], "403"),
        (&["--request-target", &url], "200"),
        (&["--haproxy-protocol"], "400"),
    ] {
        let arguments = [&status[..], arguments, &[&url]].concat();
        assert_eq!(run("curl", &arguments).await, expected, "{arguments:?}");
    }

    // An image of one layer, made by hand.
    let folder = lab.path("layer");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("hello"), "hello").unwrap();
    let (tar, layout) = (lab.path("layer.tar"), lab.path("back"));
    run("tar", &["-cf", tar.to_str().unwrap(), "-C", folder.to_str().unwrap(), "hello"]).await;
    let source = format!("tarball:{}", tar.display());
    // With TLS verification off skopeo tries TLS first and comes again without it.
    let there = format!("docker://{address}/team/app:v1");
    run("skopeo", &["copy", "-q", "--insecure-policy", "--dest-tls-verify=false", &source, &there]).await;
    let back = format!("dir:{}", layout.display());
    run("skopeo", &["copy", "-q", "--insecure-policy", "--src-tls-verify=false", &there, &back]).await;
    assert!(layout.join("manifest.json").exists());
    assert_eq!(tunnel.view().forward_error, None);
    tunnel.stop().await;
}
