//! The archives that engines write and read: a Docker daemon of the test's own, without network.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_registry::Digest;
use std::{path::Path, process::Stdio};
use support::{Registry, have, line, sample, shout, skip};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// dockerd with everything in a folder of its own.
struct Docker {
    folder: TempDir,
    daemon: Child,
}

impl Docker {
    async fn start() -> Option<Self> {
        if !have("dockerd") || !have("docker") {
            return None;
        }
        // `id -u` rather than a guess: dockerd as anyone else needs another set-up.
        let id = Command::new("id").arg("-u").output().await.unwrap();
        if id.stdout != b"0\n" {
            shout("a Docker daemon of one's own needs root");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        // An empty one, or the machine's own settings would apply.
        std::fs::write(at("daemon.json"), "{}").unwrap();
        let mut daemon = Command::new("dockerd")
            .arg(format!("--data-root={}", at("data").display()))
            .arg(format!("--exec-root={}", at("exec").display()))
            .arg(format!("--pidfile={}", at("pid").display()))
            .arg(format!("--host=unix://{}", at("docker.sock").display()))
            .arg(format!("--config-file={}", at("daemon.json").display()))
            .args(["--bridge=none", "--iptables=false", "--ip-forward=false", "--storage-driver=vfs"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Should a test fail; its containerd dies with it then (it asks the kernel for that).
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(daemon.stderr.take().unwrap()).lines();
        let mut heard = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("API listen on") {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(Self { folder, daemon });
            }
            heard += &line;
            heard.push('\n');
        }
        skip(&format!("dockerd does not start here:\n{heard}"));
        None
    }

    async fn run(&self, arguments: &[&str]) -> String {
        let socket = format!("unix://{}", self.folder.path().join("docker.sock").display());
        let output =
            Command::new("docker").env("DOCKER_HOST", socket).args(arguments).output().await.unwrap();
        let heard = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {heard}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn image_id(&self, name: &str) -> String {
        self.run(&["image", "inspect", "--format", "{{.Id}}", name]).await
    }

    /// In good order, so that nothing stays mounted.
    async fn stop(mut self) {
        let pid = self.daemon.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        self.daemon.wait().await.unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_loads_what_was_pulled_and_its_saves_are_pushed() {
    let Some(docker) = Docker::start().await else { return };
    let (folder, sample) = sample();
    let at = |name: &str| folder.path().join(name);
    let registry = Registry::built_in().await;
    let client = registry.client();

    // Ours: pushed from the sample, pulled as an archive, loaded.
    client.push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap();
    let pulled = at("pulled.tar");
    client.pull_archive("app", "v1", &pulled, |_, _, _| ()).await.unwrap();
    docker.run(&["load", "--input", text(&pulled)]).await;
    let id = docker.image_id("cr.boss.org:5000/app:v1").await;
    docker.run(&["load", "--input", text(&sample)]).await;
    assert_eq!(docker.image_id("dockline-sample:v1").await, id);

    // Docker's: an image made here, with the same layer twice over, saved, pushed, pulled, loaded again.
    std::fs::write(at("root.tar"), support::tar_of([("etc/hostname", b"base\n".to_vec())])).unwrap();
    docker.run(&["import", text(&at("root.tar")), "base:v1"]).await;
    let context = at("context");
    std::fs::create_dir(&context).unwrap();
    std::fs::write(context.join("a.txt"), "a".repeat(5000)).unwrap();
    std::fs::write(context.join("Dockerfile"), "FROM base:v1\nCOPY a.txt /one\nCOPY a.txt /two\nENV X=1\n")
        .unwrap();
    docker.run(&["build", "--network=none", "--tag", "built:v1", text(&context)]).await;
    let id = docker.image_id("built:v1").await;
    let saved = at("saved.tar");
    docker.run(&["save", "--output", text(&saved), "built:v1"]).await;
    let pushed = client.push_archive(&saved, "built", "v1", |_, _, _| ()).await.unwrap();
    docker.run(&["image", "rm", "--force", "built:v1"]).await;
    let back = at("back.tar");
    assert_eq!(client.pull_archive("built", "v1", &back, |_, _, _| ()).await.unwrap(), pushed);
    docker.run(&["load", "--input", text(&back)]).await;
    assert_eq!(docker.image_id("cr.boss.org:5000/built:v1").await, id);
    docker.stop().await;
}

/// What stands behind the rule that an image's word for a layer counts in its own repository: nothing false can be run.
#[tokio::test(flavor = "multi_thread")]
async fn docker_takes_no_layer_that_is_not_what_the_configuration_says() {
    let Some(docker) = Docker::start().await else { return };
    let registry = Registry::built_in().await;
    let client = registry.client();
    let blob = async |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        let body = std::io::Cursor::new(bytes.to_vec());
        client.push_blob("dev/app", &digest, bytes.len() as u64, body, |_| ()).await.unwrap();
        digest
    };
    let (promised, other) = (line::layer(1, 1000), line::layer(2, 1000));
    let rootfs = serde_json::json!({ "type": "layers", "diff_ids": [Digest::of(&promised).to_string()] });
    let config = serde_json::json!({ "os": "linux", "architecture": "amd64", "rootfs": rootfs }).to_string();
    let (config_digest, layer_digest) = (blob(config.as_bytes()).await, blob(&other).await);
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": kind,
        "config": { "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": config.len(), "digest": config_digest.to_string() },
        "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar",
            "size": other.len(), "digest": layer_digest.to_string() }],
    });
    client.push_manifest("dev/app", "v1", kind, manifest.to_string().into_bytes()).await.unwrap();
    let socket = format!("unix://{}", docker.folder.path().join("docker.sock").display());
    let name = format!("{}/dev/app:v1", registry.address);
    let pulled =
        Command::new("docker").env("DOCKER_HOST", socket).args(["pull", &name]).output().await.unwrap();
    let words = String::from_utf8_lossy(&pulled.stderr);
    assert!(!pulled.status.success() && words.contains("don't match image configuration"), "{words}");
    docker.stop().await;
}
