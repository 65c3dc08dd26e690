//! What goes wrong with real registries, and what a person is told then.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_model::{Code, UiError};
use dockline_registry::{Client, ClientConfig, Digest, RegistryError, Scope};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::{Registry, have, sample, shout, skip, skopeo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

fn code(error: &RegistryError) -> Code {
    let ui = UiError::from(error);
    assert!(ui.message.ends_with('.'), "no sentence: {}", ui.message);
    eprintln!("{:?}: {} | {:?} | {:?}", ui.code, ui.message, ui.hint, ui.details);
    ui.code
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    for (_, registry) in Registry::both().await {
        let client = registry.client();
        let error = client.manifest_digest("team/app", "v1").await.unwrap_err();
        assert!(
            matches!(&error, RegistryError::NotFound { what, .. } if what == "image team/app:v1"),
            "{error}"
        );
        assert_eq!(code(&error), Code::ReferenceNotFound);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.tar");
        let error = client.pull_archive("app", "nope", &file, |_, _, _| ()).await.unwrap_err();
        assert_eq!(code(&error), Code::ReferenceNotFound);
        assert_eq!(code(&client.tags("nope").await.unwrap_err()), Code::ReferenceNotFound);
        assert!(!client.blob_exists("app", &Digest::of(b"x")).await.unwrap());
        assert_eq!(code(&client.manifest_digest("App", "v1").await.unwrap_err()), Code::ReferenceInvalid);
        assert_eq!(code(&client.manifest_digest("../app", "v1").await.unwrap_err()), Code::ReferenceInvalid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_called_one() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), "8m") else { return };
    let data = disk.0.clone();
    let Some(registry) = Registry::docker_at(folder, &data, "").await else { return };
    let (_keep, sample) = sample();
    registry.client().check_room("app", 1 << 20).await.unwrap();
    let error = registry.client().check_room("app", 16 << 20).await.unwrap_err();
    assert_eq!(code(&error), Code::RegistryDiskFull, "{error:?}");
    let error = registry.client().push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap_err();
    assert_eq!(code(&error), Code::RegistryDiskFull, "{error:?}");
    drop(registry);

    let server = dockline_registry::Server::bind((Ipv4Addr::LOCALHOST, 0).into(), &disk.0.join("own")).await;
    // Whether the folder can still be made depends on what the other registry left.
    if let Ok(server) = server {
        let client = Client::new(ClientConfig::new(server.local_addr(), "cr.boss.org:5000")).unwrap();
        let error = client.push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap_err();
        assert_eq!(code(&error), Code::RegistryDiskFull, "{error:?}");
    }
}

/// A registry that has been there since 2015 still has Docker's first format; skopeo writes it, signed as Docker did.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_dockers_first_format_is_called_that() {
    if !have("skopeo") {
        return;
    }
    let old = "compatibility:\n  schema1:\n    enabled: true";
    let Some(registry) = Registry::docker(old).await else { return };
    let (folder, sample) = sample();
    let (from, to) = (format!("docker-archive:{}", sample.display()), registry.docker_url("old:v1"));
    skopeo(&["copy", "--quiet", "--dest-tls-verify=false", "--format", "v2s1", &from, &to]).await;
    let client = registry.client();
    let digest = client.manifest_digest("old", "v1").await.unwrap();
    let by_digest = digest.to_string();
    let other = Registry::built_in().await;
    for reference in ["v1", by_digest.as_str()] {
        let file = folder.path().join("x.tar");
        let pulled = client.pull_archive("old", reference, &file, |_, _, _| ()).await.unwrap_err();
        let seen = client.look_at("old", reference).await.unwrap_err();
        let scope = Scope { all_platforms: true, referrers: true, ..Scope::default() };
        let mut told = vec![pulled, seen];
        for scope in [Scope::default(), scope] {
            let target = (&other.client(), ("new", "v1"));
            let copied = client.copy_to(("old", reference), target.0, target.1, &scope, |_, _, _| ()).await;
            told.push(copied.unwrap_err());
        }
        for error in told {
            assert!(matches!(error, RegistryError::SchemaOne { .. }), "{error:?}");
            assert_eq!(code(&error), Code::RegistryFailed);
            let ui = UiError::from(&error);
            assert!(ui.message.contains("schema 1") && ui.hint.unwrap().contains("skopeo copy"));
        }
        assert!(!file.exists());
    }
    // It takes room and may go, and another image may take its name.
    let plan = client.plan_delete("old", "v1").await.unwrap();
    assert_eq!((plan.digest, plan.tags), (by_digest, vec!["v1".to_owned()]));
    client.push_archive(&sample, "old", "v1", |_, _, _| ()).await.unwrap();
    client.look_at("old", "v1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_registry_denies() {
    let Some(registry) = Registry::docker("  maintenance:\n    readonly:\n      enabled: true").await else {
        return;
    };
    let (_folder, sample) = sample();
    let error = registry.client().push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap_err();
    assert_eq!(code(&error), Code::RegistryDenied, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_with_a_login_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let htpasswd = folder.path().join("htpasswd");
    std::fs::write(&htpasswd, "").unwrap();
    let extra = format!("auth:\n  htpasswd:\n    realm: test\n    path: {}", htpasswd.display());
    let Some(registry) = Registry::docker(&extra).await else { return };
    let client = registry.client();
    assert_eq!(code(&client.ping().await.unwrap_err()), Code::RegistryAuth);
    let (_folder, sample) = sample();
    let error = client.push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap_err();
    assert_eq!(code(&error), Code::RegistryAuth, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_unreachable() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let client = Client::new(ClientConfig::new(free, "cr.boss.org:5000")).unwrap();
    let error = client.ping().await.unwrap_err();
    assert_eq!(code(&error), Code::RegistryUnreachable);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_after_the_idle_time() {
    let (address, _server) = serve(|mut stream| async move {
        let mut buffer = [0; 1024];
        while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let config = ClientConfig {
        idle_timeout: Duration::from_millis(300),
        ..ClientConfig::new(address, "cr.boss.org")
    };
    let client = Client::new(config).unwrap();
    assert_eq!(code(&client.ping().await.unwrap_err()), Code::TimedOut);
}

/// A gateway before a registry that restarts, or a registry that wants to be left alone for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_again_where_that_may_help() {
    let asked = Arc::new(AtomicUsize::new(0));
    let serving = |failure: &'static str, failures: usize| {
        asked.store(0, Ordering::SeqCst);
        let asked = asked.clone();
        serve(move |mut stream| {
            let asked = asked.clone();
            async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    let fails = asked.fetch_add(1, Ordering::SeqCst) < failures;
                    let answer =
                        if fails { failure } else { "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}" };
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        })
    };
    let client = |address| Client::new(ClientConfig::new(address, "cr.boss.org")).unwrap();
    for failure in [
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (address, _server) = serving(failure, 2).await;
        client(address).ping().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 3, "{failure}");
    }
    // Not for ever, and not for as long as somebody likes.
    let (address, _server) = serving("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", 99).await;
    assert_eq!(code(&client(address).ping().await.unwrap_err()), Code::RegistryFailed);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let limited = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n";
    let (address, _server) = serving(limited, 99).await;
    let error = UiError::from(&client(address).tags("app").await.unwrap_err());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(error.code == Code::RegistryFailed && error.hint.unwrap().contains("wait"), "{}", error.message);
    // What is not there will not be there in a second.
    let (address, _server) = serving("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 99).await;
    client(address).tags("app").await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_is_no_registry() {
    let (address, _server) = serve(|stream| {
        answer(stream, "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p/>")
    })
    .await;
    let client = Client::new(ClientConfig::new(address, "cr.boss.org")).unwrap();
    assert_eq!(code(&client.ping().await.unwrap_err()), Code::RegistryFailed);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_to_other_hosts_are_not_followed() {
    let (address, _server) = serve(|stream| {
        answer(
            stream,
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: https://bucket.s3.example/x?sig=secret\r\ncontent-length: 0\r\n\r\n",
        )
    })
    .await;
    let client = Client::new(ClientConfig::new(address, "cr.boss.org")).unwrap();
    let mut sink = tokio::io::sink();
    let error = client.pull_blob("app", &Digest::of(b"x"), 1, &mut sink, |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("bucket.s3.example"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// Serves every connection with `each` until dropped.
async fn serve<F: Future<Output = ()> + Send + 'static>(
    each: impl Fn(tokio::net::TcpStream) -> F + Send + 'static,
) -> (SocketAddr, tokio::task::JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(each(stream));
        }
    });
    (address, tasks)
}

async fn answer(mut stream: tokio::net::TcpStream, response: &'static str) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
        if stream.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A tmpfs of a few megabytes; only root can have one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(path: &std::path::Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(path.to_owned())),
            Ok(_) | Err(_) => {
                shout("a small disk can only be mounted as root");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a registry that is being killed may still have a file open.
        let unmounted = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            skip(&format!("{} could not be unmounted", self.0.display()));
        }
    }
}
