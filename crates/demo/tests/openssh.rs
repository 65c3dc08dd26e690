//! The demo host against real OpenSSH: nothing of Dockline's own is at the client's end of the session.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

use dockline_demo::DemoHost;
use dockline_registry::{Client, ClientConfig};
use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Output, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

/// Without `ssh` the tests say loudly that they were not run; in CI they fail.
fn have_ssh() -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("ssh").is_file()));
    if !found {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "not run in CI: ssh is not installed");
        // Past the test harness, which keeps what passing tests print to itself.
        writeln!(std::io::stderr(), "\n*** SKIPPED: ssh is not installed ***\n").unwrap();
    }
    found
}

fn ssh(host: &DemoHost, identity: &Path) -> Command {
    let mut command = Command::new("ssh");
    command
        .args([
            "-F",
            "none",
            "-v",
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "IdentityAgent=none",
        ])
        .args(["-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=none"])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", host.known_hosts().display()))
        .arg("-i")
        .arg(identity)
        .args(["-p", &host.ssh_addr().port().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// `ssh -N -L`, once it listens, to `target` on the far side.
async fn forward(host: &DemoHost, target: SocketAddr) -> (Child, SocketAddr) {
    let local = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut child = ssh(host, host.identity())
        .args(["-N", "-o", "ExitOnForwardFailure=yes", "-L"])
        .arg(format!("{local}:{target}"))
        .arg(format!("{}@127.0.0.1", host.user()))
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut heard = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        heard += &line;
        heard.push('\n');
        // The listener is there before the login; this line comes after both.
        if line.contains("Entering interactive session") {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (child, local);
        }
    }
    panic!("ssh did not come up:\n{heard}");
}

async fn run(mut command: Command) -> Output {
    command.spawn().unwrap().wait_with_output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn images_go_through_openssh_both_ways() {
    if !have_ssh() {
        return;
    }
    let host = DemoHost::start().await.unwrap();
    let (ssh, local) = forward(&host, host.registry_addr()).await;
    assert_eq!((host.sessions_accepted(), host.sessions_open()), (1, 1));
    let client = Client::new(ClientConfig::new(local, "cr.demo.example:5000")).unwrap();
    client.ping().await.unwrap();
    let pushed = client.push_archive(host.sample_archive(), "sample", "v1", |_, _, _| ()).await.unwrap();
    let back = host.folder().join("back.tar");
    let pulled = client.pull_archive("sample", "v1", &back, |_, _, _| ()).await.unwrap();
    assert_eq!(pulled, pushed);
    assert!(host.forwards_accepted() >= 1);
    assert_eq!(host.sessions_accepted(), 1);

    // The host goes away: so does the session, and the folder.
    let folder = host.folder().to_owned();
    drop(host);
    let status = ssh.wait_with_output().await.unwrap().status;
    assert!(!status.success(), "{status}");
    assert!(!folder.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_registry_is_reachable() {
    if !have_ssh() {
        return;
    }
    let host = DemoHost::start().await.unwrap();
    // Something that listens, and must not be reached.
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (_ssh, local) = forward(&host, other.local_addr().unwrap()).await;
    let mut stream = TcpStream::connect(local).await.unwrap();
    let mut nothing = Vec::new();
    let read = stream.read_to_end(&mut nothing).await;
    assert!(read.is_err() || nothing.is_empty());
    other.set_nonblocking(true).unwrap();
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(host.forwards_accepted(), 0);

    // No commands either, and no forwards from there to here.
    let mut command = ssh(&host, host.identity());
    command.arg(format!("{}@127.0.0.1", host.user())).arg("id");
    let output = run(command).await;
    assert!(!output.status.success());
    let mut command = ssh(&host, host.identity());
    command.args(["-N", "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:1"]);
    command.arg(format!("{}@127.0.0.1", host.user()));
    assert!(!run(command).await.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_keys_and_logins_are_refused() {
    if !have_ssh() {
        return;
    }
    let host = DemoHost::start().await.unwrap();
    let stranger = host.folder().join("stranger");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&stranger);
    assert!(keygen.status().await.unwrap().success());
    for (identity, user) in [(stranger.as_path(), "demo"), (host.identity(), "root")] {
        let mut command = ssh(&host, identity);
        command.args(["-N", &format!("{user}@127.0.0.1")]);
        let output = run(command).await;
        let heard = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(heard.contains("Permission denied (publickey)"), "{heard}");
    }
    assert_eq!(host.sessions_accepted(), 0);
}
