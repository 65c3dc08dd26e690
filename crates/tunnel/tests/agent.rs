//! Keys that an agent holds, and certificates wherever they are: against a real sshd and a real ssh-agent. Only the
//! security keys are in an agent of this test's own, which signs as a FIDO token would: a machine without a token has
//! no other way, and what sshd checks is the signature.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Code, LeaseHolder, UiError};
use dockline_tunnel::{Nobody, Tunnel, TunnelConfig};
use russh::keys::{Algorithm, EcdsaCurve, PrivateKey, signature::Signer as _, ssh_key::Signature};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};
use support::{Lab, echo_server, remote, user};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};

async fn connect(config: TunnelConfig) -> Result<(), UiError> {
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let outcome = tunnel.up(&lease).await;
    tunnel.stop().await;
    outcome
}

/// A real ssh-agent with nothing in it.
struct Agent {
    socket: PathBuf,
    _process: tokio::process::Child,
}

impl Agent {
    async fn start(lab: &Lab) -> Self {
        let socket = lab.path("agent.sock");
        let process = tokio::process::Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        while !socket.exists() {
            tokio::task::yield_now().await;
        }
        Self { socket, _process: process }
    }

    fn add(&self, arguments: &[&str], key: &Path) {
        let output = Command::new("ssh-add")
            .arg("-q")
            .args(arguments)
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn certify(lab: &Lab, key: &str) -> PathBuf {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-I", "test", "-n", &user(), "-V", "+1h", "-s"])
        .arg(lab.path("ca"))
        .arg(lab.path(&format!("{key}.pub")))
        .status()
        .unwrap();
    assert!(status.success());
    lab.path(&format!("{key}-cert.pub"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_for_keys_of_every_type_wherever_they_are() {
    need_sshd!();
    let lab = Lab::new();
    lab.keygen("ca", "rsa", "");
    let extra = format!("TrustedUserCAKeys {}", lab.path("ca.pub").display());
    let sshd = lab.sshd_for("a", &extra, "").await;
    let agent = Agent::start(&lab).await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = None;
    let mut logins = 0;
    for key_type in ["ed25519", "rsa", "ecdsa"] {
        lab.keygen(key_type, key_type, "");
        let certificate = certify(&lab, key_type);

        // Beside its key.
        let key = format!("IdentityFile {}\n", lab.path(key_type).display());
        fs::write(lab.path("config"), &key).unwrap();
        connect(config.clone()).await.unwrap();

        // Where CertificateFile says.
        let elsewhere = lab.path("elsewhere.pub");
        fs::rename(&certificate, &elsewhere).unwrap();
        assert_eq!(connect(config.clone()).await.unwrap_err().code, Code::SshAuth);
        let named = format!("{key}CertificateFile {}\n", elsewhere.display());
        fs::write(lab.path("config"), &named).unwrap();
        connect(config.clone()).await.unwrap();

        // For a key that only the agent has, and that nothing but its certificate names.
        agent.add(&[], &lab.path(key_type));
        fs::rename(lab.path(key_type), lab.path("away")).unwrap();
        fs::rename(lab.path(&format!("{key_type}.pub")), lab.path("away.pub")).unwrap();
        let only =
            format!("IdentitiesOnly yes\nIdentityFile none\nCertificateFile {}\n", elsewhere.display());
        fs::write(lab.path("config"), only).unwrap();
        config.ssh.agent_socket = Some(agent.socket.clone());
        connect(config.clone()).await.unwrap();

        // In the agent itself.
        agent.add(&["-D"], Path::new("/dev/null"));
        fs::rename(&elsewhere, lab.path("away-cert.pub")).unwrap();
        agent.add(&[], &lab.path("away"));
        fs::write(lab.path("config"), "IdentityFile none\n").unwrap();
        connect(config.clone()).await.unwrap();
        agent.add(&["-D"], Path::new("/dev/null"));
        fs::remove_file(lab.path("away-cert.pub")).unwrap();

        logins += 4;
        config.ssh.agent_socket = None;
    }
    assert_eq!(sshd.logins(), logins);
    for signed in ["ED25519-CERT", "RSA-CERT", "ECDSA-CERT"] {
        assert!(sshd.log().contains(signed), "{signed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_keys_are_a_sentence_and_a_named_key_is_the_remedy() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "MaxAuthTries 3").await;
    let agent = Agent::start(&lab).await;
    for number in 0..6 {
        let name = format!("stranger-{number}");
        lab.keygen(&name, "ed25519", "");
        agent.add(&[], &lab.path(&name));
    }
    agent.add(&[], &lab.path("id"));
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.ssh.agent_socket = Some(agent.socket.clone());
    config.spec.ssh.identity = None;
    let error = connect(config.clone()).await.unwrap_err();
    assert_eq!(error.code, Code::SshAuth);
    assert!(error.message.contains("Too many authentication failures"), "{error:?}");
    let hint = error.hint.unwrap();
    assert!(hint.contains("IdentitiesOnly yes") && hint.contains("many keys"), "{hint}");
    config.spec.ssh.identity = Some(lab.path("id"));
    connect(config).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_bound_to_a_host_serves_that_host_alone() {
    need_sshd!();
    let lab = Lab::new();
    let (mine, other) = (lab.sshd("a", "").await, lab.sshd("b", "").await);
    let hosts = lab.path("bound");
    fs::write(&hosts, format!("bound.test {}\n", mine.host_key)).unwrap();
    let agent = Agent::start(&lab).await;
    agent.add(&["-h", "bound.test", "-H", hosts.to_str().unwrap()], &lab.path("id"));
    let remote = remote(echo_server().await);
    for (sshd, outcome) in [(&mine, Ok(())), (&other, Err(Code::SshAuth))] {
        let mut config = lab.config(sshd, remote.clone()).await;
        config.ssh.agent_socket = Some(agent.socket.clone());
        config.spec.ssh.identity = None;
        fs::write(lab.path("config"), "IdentityFile none\n").unwrap();
        assert_eq!(connect(config).await.map_err(|error| error.code), outcome);
    }
}

/// A security key as its agent shows it: a key pair, and the type's name.
struct Token {
    pair: PrivateKey,
    key_type: &'static str,
}

const APPLICATION: &[u8] = b"ssh:";
/// Somebody touched it (PROTOCOL.u2f).
const PRESENT: u8 = 1;

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

impl Token {
    fn public(&self) -> Vec<u8> {
        let mut blob = string(self.key_type.as_bytes());
        let data = self.pair.public_key().key_data();
        if let Some(key) = data.ed25519() {
            blob.extend(string(&key.0));
        } else {
            blob.extend(string(b"nistp256"));
            blob.extend(string(data.ecdsa().unwrap().as_sec1_bytes()));
        }
        blob.extend(string(APPLICATION));
        blob
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let counter = 7_u32.to_be_bytes();
        let told =
            [&Sha256::digest(APPLICATION)[..], &[PRESENT], &counter, &Sha256::digest(message)].concat();
        let signature: Signature = self.pair.key_data().try_sign(&told).unwrap();
        [string(self.key_type.as_bytes()), string(signature.as_bytes()), vec![PRESENT], counter.to_vec()]
            .concat()
    }
}

/// An agent with the tokens' keys, and one of a kind that nobody knows.
async fn token_agent(socket: &Path, tokens: Vec<Token>) {
    let listener = UnixListener::bind(socket).unwrap();
    let tokens = Arc::new(tokens);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tokens = tokens.clone();
            tokio::spawn(async move {
                let _ = serve(stream, &tokens).await;
            });
        }
    });
}

async fn serve(mut stream: UnixStream, tokens: &[Token]) -> std::io::Result<()> {
    loop {
        let mut request = vec![0; stream.read_u32().await? as usize];
        stream.read_exact(&mut request).await?;
        let answer = match request[0] {
            11 => {
                let mut answer = vec![12];
                answer.extend((tokens.len() as u32 + 1).to_be_bytes());
                answer.extend(string(&string(b"ssh-of-the-future@example.org")));
                answer.extend(string(b"from the future"));
                for token in tokens {
                    answer.extend(string(&token.public()));
                    answer.extend(string(b"a token"));
                }
                answer
            }
            13 => {
                let length = u32::from_be_bytes(request[1..5].try_into().unwrap()) as usize;
                let (key, rest) = request[5..].split_at(length);
                let message = &rest[4..4 + u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize];
                match tokens.iter().find(|token| token.public() == key) {
                    Some(token) => [vec![14], string(&token.sign(message))].concat(),
                    None => vec![5],
                }
            }
            // Some agents do not say that they do not know a request (here `session-bind@openssh.com`).
            27 => return Ok(()),
            _ => vec![5],
        };
        stream.write_all(&string(&answer)).await?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_keys_and_their_certificates_sign_through_the_agent() {
    need_sshd!();
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let lab = Lab::new();
    lab.keygen("ca", "ed25519", "");
    let extra = format!("TrustedUserCAKeys {}", lab.path("ca.pub").display());
    for (name, algorithm, key_type) in [
        ("ed", Algorithm::Ed25519, "sk-ssh-ed25519@openssh.com"),
        ("ec", Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }, "sk-ecdsa-sha2-nistp256@openssh.com"),
    ] {
        let token = Token { pair: PrivateKey::random(&mut rand::rng(), algorithm).unwrap(), key_type };
        let public = format!("{key_type} {}\n", STANDARD.encode(token.public()));
        fs::write(lab.path(&format!("{name}.pub")), &public).unwrap();
        let sshd = lab.sshd_for(name, &extra, &public).await;
        let socket = lab.path(&format!("{name}.sock"));
        token_agent(&socket, vec![token]).await;
        let mut config = lab.config(&sshd, remote(echo_server().await)).await;
        config.ssh.agent_socket = Some(socket);
        config.spec.ssh.identity = None;
        fs::write(lab.path("config"), "IdentityFile none\n").unwrap();
        connect(config.clone()).await.unwrap();

        // Its certificate instead of the key itself.
        fs::write(lab.path(&format!("{name}-authorized")), "").unwrap();
        assert_eq!(connect(config.clone()).await.unwrap_err().code, Code::SshAuth);
        let certificate = certify(&lab, name);
        fs::write(
            lab.path("config"),
            format!("IdentityFile none\nCertificateFile {}\n", certificate.display()),
        )
        .unwrap();
        connect(config).await.unwrap();
        assert_eq!(sshd.logins(), 2);
    }
}
