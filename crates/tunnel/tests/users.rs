//! Whose programs get through: users of this machine, user namespaces, and containers on a bridge. Real users, real
//! namespaces, a real sshd; only root can make the first two.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Code, RegistrySpec, RemoteEnd};
use dockline_tunnel::{AccessRules, Gateway, Nobody, SshEnvironment, Tunnel, TunnelConfig};
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use support::{Lab, echo_server, free_port, is_idle, remote, until};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// `nobody`, whose the tunnel is, and `daemon`, who is another user.
const OWNER: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const STRANGER: &[&str] = &["setpriv", "--reuid=1", "--regid=1", "--clear-groups"];
const ROOT: &[&str] = &[];
/// In a user namespace of its own, where it is root.
const AS_ROOT_ELSEWHERE: &[&str] = &["unshare", "--user", "--map-root-user"];

fn is_root() -> bool {
    if nix::unistd::geteuid().is_root() {
        return true;
    }
    assert!(env::var("CI").as_deref() != Ok("true"), "CI must run this as root");
    eprintln!("*** SKIPPED: only root can become other users, and make networks");
    false
}

/// What a program gets back from the echo behind `address`, that runs as `wrapper` says: its word, or nothing.
async fn echo(wrapper: &[&[&str]], address: SocketAddr) -> String {
    let script = format!("exec 3<>/dev/tcp/{}/{}; echo mine >&3; head -n1 <&3", address.ip(), address.port());
    let words = wrapper.iter().copied().flatten().copied().chain(["bash", "-c", &script]);
    let words: Vec<&str> = words.collect();
    let running = Command::new(words[0]).args(&words[1..]).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(30), running).await.unwrap().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!complaint.contains("Operation not permitted"), "{words:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn sh(line: &str) {
    let output = Command::new("sh").args(["-ec", line]).output().await.unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// This test program again, as another user: a tunnel that runs until its standard input ends.
const TUNNEL: &str = "DOCKLINE_TEST_TUNNEL";

async fn tunnel_of_the_owner(settings: &str) {
    let words: Vec<&str> = settings.split(' ').collect();
    let [port, ssh_port, far, folder] = words[..] else { panic!("{settings}") };
    let folder = Path::new(folder);
    let mut ssh: dockline_model::SshTarget = format!("root@127.0.0.1:{ssh_port}").parse().unwrap();
    ssh.identity = Some(folder.join("id"));
    let spec = RegistrySpec {
        remote: far.parse::<RemoteEnd>().unwrap(),
        port: port.parse().unwrap(),
        linger_seconds: 1,
        ..RegistrySpec::new("cr.test".parse().unwrap(), ssh, Ipv4Addr::LOCALHOST)
    };
    let environment = SshEnvironment {
        home_ssh: folder.join("home-ssh"),
        config: Some(folder.join("config")),
        known_hosts: vec![folder.join("known_hosts")],
        agent_socket: None,
        ssh_program: Some(PathBuf::from("ssh")),
        keepalive: None,
    };
    let config = TunnelConfig { access: AccessRules::AnyProtocol, ..TunnelConfig::new(spec, environment) };
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    assert_eq!(tunnel.view().listener_error, None);
    println!("\nthe tunnel listens");
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await.unwrap();
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_own_user_and_root_get_through_and_nobody_else() {
    if let Ok(settings) = env::var(TUNNEL) {
        return tunnel_of_the_owner(&settings).await;
    }
    need_sshd!();
    if !is_root() {
        return;
    }
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let folder = lab.folder.path().to_str().unwrap();
    // Where this program lies, the owner may not look.
    fs::copy(env::current_exe().unwrap(), lab.path("tunnel")).unwrap();
    sh(&format!("chown -R 65534:65534 {folder}")).await;
    let settings = format!("{} {} {} {folder}", address.port(), sshd.port, config.spec.remote);
    let mut tunnel = Command::new(OWNER[0])
        .args(&OWNER[1..])
        .arg(lab.path("tunnel"))
        .args(["--exact", "its_own_user_and_root_get_through_and_nobody_else", "--nocapture"])
        .env(TUNNEL, settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    wait_for(&mut tunnel, "the tunnel listens").await;

    assert_eq!(echo(&[STRANGER], address).await, "", "another user");
    assert_eq!(echo(&[STRANGER, AS_ROOT_ELSEWHERE], address).await, "", "root in another user's namespace");
    assert_eq!(sshd.logins(), 0, "nobody who may has asked for the tunnel");
    assert_eq!(echo(&[OWNER], address).await, "mine", "its own user");
    assert_eq!(echo(&[OWNER, AS_ROOT_ELSEWHERE], address).await, "mine", "its own user's namespace");
    assert_eq!(echo(&[ROOT], address).await, "mine", "root, whose the engine is");
    assert_eq!(echo(&[STRANGER], address).await, "", "another user, while the tunnel is up");
    tunnel.kill().await.unwrap();
}

/// Waits for a program to say something.
async fn wait_for(program: &mut Child, text: &str) {
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains(text) {
            return;
        }
    }
    panic!("it ended before it said: {text}");
}

/// Runs a test in a network, and a `/sys` that shows it, of its own. What it starts is in there, too.
fn in_a_network_of_its_own<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let thread = std::thread::spawn(|| {
        use nix::sched::{CloneFlags, unshare};
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sh("mount --make-rprivate / && mount -t sysfs sysfs /sys && ip link set lo up").await;
            test().await;
        });
    });
    thread.join().unwrap();
}

#[test]
fn containers_on_a_bridge_get_through_where_its_gateway_is_open() {
    need_sshd!();
    if is_root() {
        in_a_network_of_its_own(gateway);
    }
}

async fn gateway() {
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    let loopback = config.spec.listen();
    let port = free_port().await;
    let address: SocketAddr = format!("172.30.77.1:{port}").parse().unwrap();
    config.gateway = Some(Gateway { address: format!("172.30.77.1:{port}").parse().unwrap() });
    let tunnel = Tunnel::start(config.clone(), Arc::new(Nobody)).await;
    let error = tunnel.view().gateway_error.unwrap();
    assert_eq!(error.code, Code::AddressUnavailable, "the engine has not made its bridge yet: {error}");
    assert_eq!(tunnel.view().listener_error, None);
    assert_eq!(echo(&[ROOT], loopback).await, "mine", "programs of this machine can use it all the same");

    // What an engine makes: a bridge, and a container that is one end of a cable to it.
    let mut container = Command::new("unshare")
        .args(["--net", "sh", "-c", "echo is there; exec sleep infinity"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    wait_for(&mut container, "is there").await;
    let pid = container.id().unwrap().to_string();
    sh(&format!(
        "ip link add bridge0 type bridge; ip address add 172.30.77.1/24 dev bridge0; ip link set bridge0 up
         ip link add near type veth peer name far netns {pid}
         ip link set near master bridge0 up
         nsenter --net --target {pid} sh -ec 'ip link set lo up; ip address add 172.30.77.2/24 dev far
             ip link set far up'"
    ))
    .await;
    until(&tunnel, |view| view.gateway_error.is_none()).await;
    let inside: &[&str] = &["nsenter", "--net", "--target", &pid];
    assert_eq!(echo(&[inside], address).await, "mine", "a container");
    assert_eq!(echo(&[inside, STRANGER], address).await, "mine", "whatever its users are");
    assert_eq!(echo(&[ROOT], address).await, "mine", "root");
    assert_eq!(
        echo(&[STRANGER], address).await,
        "",
        "another user of this machine, by the gateway's address"
    );
    assert_eq!(echo(&[inside], loopback).await, "", "the loopback address of a container is its own");

    // The same cable, but an address that is not the bridge's.
    sh(&format!(
        "ip route add 10.99.0.0/24 dev bridge0
         nsenter --net --target {pid} sh -ec 'ip address add 10.99.0.2/24 dev far
             ip route replace 172.30.77.0/24 dev far src 10.99.0.2'"
    ))
    .await;
    assert_eq!(echo(&[inside], address).await, "", "an address that is not of the bridge's network");
    until(&tunnel, |view| view.leases.is_empty()).await;
    tunnel.stop().await;

    // An ordinary network card: the whole network could come in.
    sh("ip link add card type veth peer name socket; ip address add 192.168.77.1/24 dev card; ip link set card up")
        .await;
    config.gateway = Some(Gateway { address: format!("192.168.77.1:{port}").parse().unwrap() });
    let tunnel = Tunnel::start(config.clone(), Arc::new(Nobody)).await;
    let error = tunnel.view().gateway_error.unwrap();
    assert_eq!(error.code, Code::AddressUnavailable);
    assert!(error.message.contains("bridge"), "{error}");
    tunnel.stop().await;

    // Nor does a configuration that names an address of the network, however it came to, open it to the network.
    config.gateway = None;
    config.spec.address = Ipv4Addr::UNSPECIFIED;
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    assert_eq!(tunnel.view().listener_error.unwrap().code, Code::AddressUnavailable);
    assert!(is_idle(&tunnel.view()));
    assert_eq!(echo(&[ROOT], loopback).await, "", "nothing listens there");
    tunnel.stop().await;
}
