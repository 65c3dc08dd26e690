//! Nothing of what is carried, and nothing that opens something, gets into a log, at any level.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_tunnel::{AccessRules, HttpRules, Nobody, RegistryProtocol, Tunnel, TunnelConfig};
use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use support::{Lab, Person, echo_server, remote, secret, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// All that was logged, by whichever crate.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What must not be found there. Each is unlike anything else.
const SECRETS: [&str; 7] = [
    "token-in-the-target-5e1f",
    "basic-password-77aa",
    "cookie-of-a-page-91c2",
    "body-of-a-push-0d3b",
    "answer-of-the-registry-4c4c",
    "evil-page-b00b.example",
    "passphrase-of-a-key-2b2b",
];

fn request(host: &str, more: &str) -> String {
    format!(
        "PUT /v2/a/blobs/uploads/1?state=token-in-the-target-5e1f HTTP/1.1\r\nHost: {host}\r\n\
         Authorization: Basic basic-password-77aa\r\nCookie: cookie-of-a-page-91c2\r\n{more}\
         Content-Length: 19\r\n\r\nbody-of-a-push-0d3b"
    )
}

async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_line_at_any_level_holds_what_was_carried() {
    need_sshd!();
    let log = Log::default();
    let writer = log.clone();
    // Everything of every crate; `log`'s records come in, too, as they do in the programs.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let lab = Lab::new();
    let locked = lab.keygen("locked", "ed25519", "passphrase-of-a-key-2b2b");
    let sshd = lab.sshd_for("a", "", &locked).await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("locked"));
    let person = Person::answering([secret("passphrase-of-a-key-2b2b", false)]);
    config.access = AccessRules::Http(HttpRules { speaks: RegistryProtocol::Plain, other_names: Vec::new() });
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, person).await;

    let host = address.to_string();
    let carried = request(&host, "X-Answer: answer-of-the-registry-4c4c\r\n");
    assert_eq!(exchange(address, carried.as_bytes()).await, carried.as_bytes(), "the echo is the registry");
    for (refused, status) in [
        (request(&host, "Origin: http://evil-page-b00b.example\r\n"), "403"),
        (request("evil-page-b00b.example", ""), "403"),
        (request(&host, "Not a field evil-page-b00b.example\r\n"), "400"),
        (request(&host, &format!("A: {}\r\n", "evil-page-b00b.example".repeat(1000))), "431"),
        ("\u{16}\u{3}\u{1}evil-page-b00b.example".to_owned(), "400"),
    ] {
        let answer = String::from_utf8(exchange(address, refused.as_bytes()).await).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(
            SECRETS.iter().all(|secret| !answer.contains(secret)),
            "an answer repeats a request: {answer}"
        );
    }
    let view = format!("{:?}", until(&tunnel, |view| view.leases.is_empty()).await);
    tunnel.stop().await;

    // A forward that fails says why, and of the request not a word.
    let closed = lab.config(&sshd, remote(SocketAddr::from(([127, 0, 0, 1], 1)))).await;
    let closed = TunnelConfig { access: AccessRules::default(), ..closed };
    let address = closed.spec.listen();
    let tunnel = Tunnel::start(closed, Arc::new(Nobody)).await;
    exchange(address, request(&address.to_string(), "").as_bytes()).await;
    let failed = format!("{:?}", tunnel.view());
    tunnel.stop().await;

    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("a connection was refused for what it said first"), "the log is not there");
    assert!(log.contains(" TRACE "), "not every level is there");
    assert!(log.contains("russh"), "the SSH library's lines are not there");
    for text in [&log, &view, &failed] {
        for secret in SECRETS {
            if let Some(at) = text.find(secret) {
                let line = text[..at].rfind('\n').map_or(0, |start| start + 1);
                panic!("{secret} is in this: {}", &text[line..(at + secret.len()).min(line + 2000)]);
            }
            // As bytes in a list, and as hex, which is how libraries print packets.
            let listed = format!("{:?}", secret.as_bytes());
            assert!(
                !text.contains(listed.trim_matches(['[', ']'])),
                "{secret} is in a log as a list of bytes"
            );
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!text.to_lowercase().contains(&hex), "{secret} is in a log as hex");
        }
    }
}
