//! What the integration tests share: real registries, skopeo, archives made on the spot.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod line;

use dockline_model::LayerView;
use dockline_registry::{Client, ClientConfig, Server, sample};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// Whether `program` is here. Without it a test says loudly that it was not run; in CI it fails.
pub fn have(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    if !found {
        skip(&format!("{program} is not installed"));
    }
    found
}

/// Says that a test was not run; in CI that is a failure.
pub fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "not run in CI: {why}");
    shout(why);
}

/// The same where CI may lack it too. Past the test harness, which keeps what passing tests print to itself.
pub fn shout(why: &str) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "\n*** SKIPPED: {why} ***\n").unwrap();
}

/// A registry to test against.
pub struct Registry {
    pub address: SocketAddr,
    pub folder: TempDir,
    server: Option<Server>,
    child: Option<Child>,
}

impl Registry {
    pub async fn built_in() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server =
            Server::bind((Ipv4Addr::LOCALHOST, 0).into(), &folder.path().join("data")).await.unwrap();
        Self { address: server.local_addr(), folder, server: Some(server), child: None }
    }

    /// Debian's docker-registry, with more configuration if wanted.
    pub async fn docker(extra: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        Self::docker_at(folder, &data, extra).await
    }

    pub async fn docker_at(folder: TempDir, data: &Path, extra: &str) -> Option<Self> {
        if !have("docker-registry") {
            return None;
        }
        // The port is free when it is asked for; should somebody take it meanwhile, another is tried.
        for _ in 0..5 {
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
            let config = format!(
                "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    \
                 enabled: true\n{extra}\nhttp:\n  addr: {address}\n",
                data.display()
            );
            let file = folder.path().join("config.yml");
            std::fs::write(&file, config).unwrap();
            let mut child = Command::new("docker-registry")
                .arg("serve")
                .arg(&file)
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("listening on") {
                    // Its log must be read on, or it stops at a full pipe.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return Some(Self { address, folder, server: None, child: Some(child) });
                }
                eprintln!("docker-registry: {line}");
            }
        }
        panic!("docker-registry did not start");
    }

    /// Both kinds, as far as they are here.
    pub async fn both() -> Vec<(&'static str, Self)> {
        let mut registries = vec![("built-in", Self::built_in().await)];
        registries.extend(Self::docker("").await.map(|registry| ("docker-registry", registry)));
        registries
    }

    pub fn client(&self) -> Client {
        Client::new(ClientConfig::new(self.address, "cr.boss.org:5000")).unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `docker://127.0.0.1:PORT/app:v1` for skopeo.
    pub fn docker_url(&self, image: &str) -> String {
        format!("docker://{}/{image}", self.address)
    }
}

/// Runs skopeo and returns what it printed.
pub async fn skopeo(arguments: &[&str]) -> String {
    let output = Command::new("skopeo")
        .args(["--tmpdir", std::env::temp_dir().to_str().unwrap(), "--insecure-policy"])
        .args(arguments)
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "skopeo {arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

pub async fn skopeo_digest(registry: &Registry, image: &str) -> String {
    let url = registry.docker_url(image);
    skopeo(&["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &url]).await.trim().to_owned()
}

/// The sample archive in a folder of its own.
pub fn sample() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.tar");
    sample::write_sample(&path).unwrap();
    (folder, path)
}

/// Keeps every report of a transfer, and checks what must hold for all of them.
#[derive(Default)]
pub struct Reports {
    pub last: Vec<LayerView>,
    pub current: u64,
    pub total: u64,
    pub count: usize,
}

impl Reports {
    pub fn take(&mut self, layers: &[LayerView], current: u64, total: u64) {
        assert!(current >= self.current, "the overall figure ran backwards");
        assert!(current <= total, "more than everything");
        assert!(self.total == 0 || self.total == total, "the total changed");
        for layer in layers {
            assert!(layer.current <= layer.total.unwrap());
        }
        (self.last, self.current, self.total) = (layers.to_vec(), current, total);
        self.count += 1;
    }
}

/// A tar of these files.
pub fn tar_of<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Written by hand: the tar crate would refuse the names some tests need.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}
