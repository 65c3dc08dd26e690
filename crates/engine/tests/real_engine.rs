//! The engine's client against a real dockerd and a real registry.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod rig;

use dockline_engine::{
    Engine, EngineEndpoint, EngineError, EngineFacts, Flavour, ImageStore, Platform, Reached, Surroundings,
};
use dockline_model::{Code, LayerState, LayerView, UiError};
use futures::StreamExt;
use rig::{Dockerd, Registry, can_run, can_run_with, podman::Podman, sluice::Sluice};
use std::{future::Future, time::Duration};
use tokio::{net::TcpListener, time::timeout};

const PROGRAMS: &[&str] = &["dockerd", "docker", "docker-registry"];

/// No more than this for anything that should take a moment.
const SOON: Duration = Duration::from_secs(20);

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.unwrap_or_else(|_| panic!("{what} did not happen within {SOON:?}"))
}

fn code(error: &EngineError) -> Code {
    UiError::from(error).code
}

#[derive(Default)]
struct Seen {
    layers: Vec<LayerView>,
    current: u64,
    total: u64,
    reports: usize,
}

impl Seen {
    fn note(&mut self, layers: &[LayerView], current: u64, total: u64) {
        assert!(current >= self.current && current <= total, "{current} of {total} after {}", self.current);
        *self = Self { layers: layers.to_vec(), current, total, reports: self.reports + 1 };
    }

    fn all(&self, state: impl Fn(&LayerState) -> bool) -> bool {
        !self.layers.is_empty() && self.layers.iter().all(|layer| state(&layer.state))
    }
}

#[tokio::test]
async fn an_image_goes_to_the_registry_and_comes_back() {
    if !can_run(PROGRAMS) {
        return;
    }
    let (dockerd, registry) = (Dockerd::start(), Registry::start());
    let engine = dockerd.engine();
    let id = dockerd.build("app:v1", &[6000, 1, 3000]);
    let reference = format!("{}/app:v1", registry.address);
    engine.tag("app:v1", &reference).await.unwrap();
    assert_eq!(engine.image_id(&reference).await.unwrap(), id);
    let held_at = async || engine.images().await.unwrap().swap_remove(0).held_at;
    assert_eq!(held_at().await, <[String; 0]>::default(), "to be named for a registry is not to be there");

    let mut seen = Seen::default();
    let pushed = engine.push(&reference, |l, c, t| seen.note(l, c, t)).await.unwrap();
    let digest = pushed.digest.expect("dockerd tells the digest");
    assert!(seen.reports > 5 && seen.all(|state| *state == LayerState::Done), "{:?}", seen.layers);
    assert_eq!(seen.layers.len(), 3);
    assert_eq!(held_at().await, [format!("{}/app", registry.address)]);
    assert!(seen.current == seen.total && seen.total >= 9001 * 1024, "{} of {}", seen.current, seen.total);

    let mut again = Seen::default();
    engine.push(&reference, |l, c, t| again.note(l, c, t)).await.unwrap();
    assert!(again.all(|state| *state == LayerState::Exists), "{:?}", again.layers);
    let elsewhere = format!("{}/team/other:v1", registry.address);
    engine.tag("app:v1", &elsewhere).await.unwrap();
    let mut mounted = Seen::default();
    engine.push(&elsewhere, |l, c, t| mounted.note(l, c, t)).await.unwrap();
    assert!(
        mounted.all(|state| matches!(state, LayerState::Mounted { from } if from == "app")),
        "{:?}",
        mounted.layers
    );

    dockerd.docker(&["rmi", "--force", &id]);
    assert_eq!(code(&engine.image_id(&reference).await.unwrap_err()), Code::ImageNotFound);
    let mut fetched = Seen::default();
    let pulled = engine.pull(&reference, |l, c, t| fetched.note(l, c, t)).await.unwrap();
    assert_eq!(pulled.digest.as_deref(), Some(digest.as_str()));
    assert_eq!(engine.image_id(&reference).await.unwrap(), id);
    assert!(fetched.all(|state| *state == LayerState::Done) && fetched.current == fetched.total);
    let by_digest = format!("{}/app@{digest}", registry.address);
    assert_eq!(engine.pull(&by_digest, |_, _, _| {}).await.unwrap().digest, Some(digest));
}

#[tokio::test]
async fn images_are_listed_named_and_watched() {
    if !can_run(PROGRAMS) {
        return;
    }
    let mut dockerd = Dockerd::start();
    let engine = dockerd.engine();
    let description = engine.describe().await.unwrap();
    assert!(description.starts_with("Docker 2") && !description.contains('+'), "{description}");
    assert_eq!(engine.images().await.unwrap(), []);

    let mut events = engine.events();
    soon("the first notice", events.next()).await;
    let older = dockerd.build("older:v1", &[1]);
    soon("the notice of a build", events.next()).await;
    // Times of creation have whole seconds: let one pass.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let newer = dockerd.build("newer:v1", &[1, 2]);
    let images = engine.images().await.unwrap();
    assert_eq!(images.iter().map(|image| image.id.as_str()).collect::<Vec<_>>(), [newer.as_str(), &older]);
    assert_eq!(images[1].tags, ["older:v1"]);
    assert!(images[0].size >= 3 * 1024 && images[0].created > images[1].created, "{images:?}");

    engine.tag("older:v1", "127.0.0.1:5000/older:v1").await.unwrap();
    assert!(engine.untag("127.0.0.1:5000/older:v1").await.unwrap());
    assert!(!engine.untag("older:v1").await.unwrap(), "the last name must stay");
    assert_eq!(engine.image_id("older:v1").await.unwrap(), older);
    assert_eq!(code(&engine.untag("gone:v1").await.unwrap_err()), Code::ImageNotFound);

    // The engine goes and comes back; whoever watches learns of both, and of what follows.
    dockerd.stop();
    let gone = engine.describe().await.unwrap_err();
    assert_eq!(code(&gone), Code::EngineUnavailable, "{gone}");
    dockerd.restart();
    let watched = async {
        loop {
            events.next().await;
            if engine.images().await.is_ok_and(|images| images.len() == 2) {
                break;
            }
        }
    };
    soon("the notice of the engine's return", watched).await;
    engine.tag("older:v1", "again:v1").await.unwrap();
    soon("a notice after the return", events.next()).await;
}

#[tokio::test]
async fn each_failure_has_its_own_code() {
    if !can_run(PROGRAMS) {
        return;
    }
    let (dockerd, registry) = (Dockerd::start(), Registry::start());
    let engine = dockerd.engine();
    dockerd.build("app:v1", &[1]);
    let push = async |reference: &str| {
        engine.tag("app:v1", reference).await.unwrap();
        code(&engine.push(reference, |_, _, _| {}).await.unwrap_err())
    };

    let missing = format!("{}/missing:v1", registry.address);
    assert_eq!(code(&engine.push(&missing, |_, _, _| {}).await.unwrap_err()), Code::ImageNotFound);
    assert_eq!(code(&engine.pull(&missing, |_, _, _| {}).await.unwrap_err()), Code::ReferenceNotFound);
    assert_eq!(code(&engine.tag("missing:v1", "a:b").await.unwrap_err()), Code::ImageNotFound);
    for bad in ["cr.boss.org:5000/UPPER:v1", "../containers/json", "a?b=c"] {
        assert_eq!(code(&engine.pull(bad, |_, _, _| {}).await.unwrap_err()), Code::ReferenceInvalid, "{bad}");
    }

    // Nobody there; somebody who hangs up (as a tunnel whose far end is refused); a name that nobody knows.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(push(&format!("{free}/app:v1")).await, Code::EngineCannotReach);
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = rude.local_addr().unwrap();
    let hang_up = tokio::spawn(async move {
        while let Ok((stream, _)) = rude.accept().await {
            stream.set_zero_linger().unwrap();
        }
    });
    assert_eq!(push(&format!("{address}/app:v1")).await, Code::RegistryUnreachable);
    hang_up.abort();
    assert_eq!(push("nosuchhost.dockline.invalid:5000/app:v1").await, Code::EngineCannotReach);
}

#[tokio::test]
async fn no_engine_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let absent = Engine::connect(EngineEndpoint::Unix(folder.path().join("docker.sock"))).unwrap();
    let error = UiError::from(&absent.images().await.unwrap_err());
    assert_eq!(error.code, Code::EngineUnavailable);
    assert!(error.message.starts_with("Docker is not running") && error.hint.is_some(), "{error:?}");
    let refused = Engine::connect(EngineEndpoint::Tcp("127.0.0.1:1".into())).unwrap();
    let error = refused.push("app:v1", |_, _, _| {}).await.unwrap_err();
    assert_eq!(code(&error), Code::EngineUnavailable);
}

#[tokio::test]
async fn dropping_a_push_stops_the_engines_work() {
    if !can_run(PROGRAMS) {
        return;
    }
    let (dockerd, registry) = (Dockerd::start(), Registry::start());
    let engine = dockerd.engine();
    dockerd.build("app:v1", &[30_000, 30_000]);
    let mut sluice = Sluice::open(registry.address.clone(), 4_000_000).await;
    let reference = format!("{}/app:v1", sluice.address);
    engine.tag("app:v1", &reference).await.unwrap();

    let push = engine.push(&reference, |_, _, _| {});
    tokio::select! {
        result = push => panic!("the push ended: {result:?}"),
        () = async { soon("the middle of the push", sluice.passed.recv()).await.unwrap() } => {}
    }
    // The future is dropped here. dockerd lets go of the registry, and is free for the next.
    soon("the end of dockerd's connections", sluice.open.wait_for(|open| *open == 0)).await.unwrap();
    let direct = format!("{}/app:v1", registry.address);
    engine.tag("app:v1", &direct).await.unwrap();
    engine.push(&direct, |_, _, _| {}).await.unwrap();
}

#[tokio::test]
async fn dropping_a_pull_stops_the_engines_work() {
    if !can_run(PROGRAMS) {
        return;
    }
    let (dockerd, registry) = (Dockerd::start(), Registry::start());
    let engine = dockerd.engine();
    let id = dockerd.build("app:v1", &[30_000, 30_000]);
    let direct = format!("{}/app:v1", registry.address);
    engine.tag("app:v1", &direct).await.unwrap();
    engine.push(&direct, |_, _, _| {}).await.unwrap();
    dockerd.docker(&["rmi", "--force", &id]);

    let mut sluice = Sluice::open_for_pulls(registry.address.clone(), 4_000_000).await;
    let reference = format!("{}/app:v1", sluice.address);
    let pull = engine.pull(&reference, |_, _, _| {});
    tokio::select! {
        result = pull => panic!("the pull ended: {result:?}"),
        () = async { soon("the middle of the pull", sluice.passed.recv()).await.unwrap() } => {}
    }
    // The future is dropped here. dockerd fetches no further, and is free for the next.
    soon("the end of dockerd's connections", sluice.open.wait_for(|open| *open == 0)).await.unwrap();
    assert_eq!(code(&engine.image_id(&reference).await.unwrap_err()), Code::ImageNotFound);
    engine.pull(&direct, |_, _, _| {}).await.unwrap();
    assert_eq!(engine.image_id(&direct).await.unwrap(), id);
}

#[tokio::test]
async fn dropping_a_pull_stops_podmans_work() {
    if !can_run_with("podman", &["docker-registry"]) {
        return;
    }
    let registry = Registry::start();
    let mut sluice = Sluice::open_for_pulls(registry.address.clone(), 4_000_000).await;
    let address = sluice.address.to_string();
    let podman = Podman::start_with(&[&registry.address, &address]).await;
    let engine = podman.engine();
    podman.build("localhost/app:v1", &[30_000]);
    let id = engine.image_id("localhost/app:v1").await.unwrap();
    let direct = format!("{}/app:v1", registry.address);
    engine.tag("localhost/app:v1", &direct).await.unwrap();
    engine.push(&direct, |_, _, _| {}).await.unwrap();
    podman.run(&["image", "rm", "--force", &id]);

    let reference = format!("{address}/app:v1");
    let pull = engine.pull(&reference, |_, _, _| {});
    tokio::select! {
        result = pull => panic!("the pull ended: {result:?}"),
        () = async { soon("the middle of the pull", sluice.passed.recv()).await.unwrap() } => {}
    }
    soon("the end of Podman's connections", sluice.open.wait_for(|open| *open == 0)).await.unwrap();
    engine.pull(&direct, |_, _, _| {}).await.unwrap();
    assert_eq!(engine.image_id(&direct).await.unwrap(), id);
}

#[tokio::test]
async fn dropping_a_push_stops_podmans_work() {
    if !can_run_with("podman", &["docker-registry"]) {
        return;
    }
    let registry = Registry::start();
    let mut sluice = Sluice::open(registry.address.clone(), 4_000_000).await;
    let address = sluice.address.to_string();
    let podman = Podman::start_with(&[&registry.address, &address]).await;
    let engine = podman.engine();
    podman.build("localhost/app:v1", &[30_000]);
    let reference = format!("{address}/app:v1");
    engine.tag("localhost/app:v1", &reference).await.unwrap();
    let push = engine.push(&reference, |_, _, _| {});
    tokio::select! {
        result = push => panic!("the push ended: {result:?}"),
        () = async { soon("the middle of the push", sluice.passed.recv()).await.unwrap() } => {}
    }
    soon("the end of Podman's connections", sluice.open.wait_for(|open| *open == 0)).await.unwrap();
    let direct = format!("{}/app:v1", registry.address);
    engine.tag("localhost/app:v1", &direct).await.unwrap();
    engine.push(&direct, |_, _, _| {}).await.unwrap();
}

#[tokio::test]
async fn an_engine_that_dies_in_the_middle_is_not_mistaken_for_done() {
    if !can_run(PROGRAMS) {
        return;
    }
    let (mut dockerd, registry) = (Dockerd::start(), Registry::start());
    let engine = dockerd.engine();
    dockerd.build("app:v1", &[20_000]);
    let mut sluice = Sluice::open(registry.address.clone(), 2_000_000).await;
    let reference = format!("{}/app:v1", sluice.address);
    engine.tag("app:v1", &reference).await.unwrap();
    let push = tokio::spawn(async move { engine.push(&reference, |_, _, _| {}).await });
    soon("the middle of the push", sluice.passed.recv()).await.unwrap();
    dockerd.kill();
    let error = soon("the push's end", push).await.unwrap().unwrap_err();
    assert!(matches!(error, EngineError::BrokenOff { .. }), "{error:?}");
}

/// What an engine exports it loads again; what is no image it refuses, inside a 200 or not.
async fn loads_what_it_exports(engine: &Engine, name: &str, remove: impl FnOnce()) {
    let id = engine.image_id(name).await.unwrap();
    let mut export = engine.export(name).await.unwrap();
    let mut archive = Vec::new();
    while let Some(piece) = export.chunk().await.unwrap() {
        archive.push(Ok(piece));
    }
    remove();
    assert_eq!(code(&engine.image_id(name).await.unwrap_err()), Code::ImageNotFound);
    soon("the loading", engine.load(name, futures::stream::iter(archive))).await.unwrap();
    assert_eq!(engine.image_id(name).await.unwrap(), id);
    let garbage = futures::stream::iter([Ok(bytes::Bytes::from_static(&[7; 4096]))]);
    let refused = soon("the refusal", engine.load("cr.boss.org/app:v1", garbage)).await.unwrap_err();
    assert_eq!(code(&refused), Code::EngineFailed, "{refused}");
    let lost = futures::stream::iter([Err(std::io::Error::other("the file is gone"))]);
    soon("the end", engine.load("cr.boss.org/app:v1", lost)).await.unwrap_err();
}

#[tokio::test]
async fn an_archive_is_loaded() {
    if !can_run(PROGRAMS) {
        return;
    }
    let dockerd = Dockerd::start();
    let id = dockerd.build("app:v1", &[3000, 1]);
    loads_what_it_exports(&dockerd.engine(), "app:v1", || {
        dockerd.docker(&["rmi", "--force", &id]);
    })
    .await;
}

#[tokio::test]
async fn podman_is_an_engine_too() {
    if !can_run_with("podman", &["docker-registry"]) {
        return;
    }
    let registry = Registry::start();
    let podman = Podman::start(&registry).await;
    let engine = podman.engine();
    assert!(engine.describe().await.unwrap().starts_with("Podman "));
    let mut events = engine.events();
    soon("the first notice", events.next()).await;
    podman.build("localhost/app:v1", &[3000, 1]);
    soon("the notice of a build", events.next()).await;
    let id = engine.image_id("localhost/app:v1").await.unwrap();
    let reference = format!("{}/app:v1", registry.address);
    engine.tag("localhost/app:v1", &reference).await.unwrap();
    let images = engine.images().await.unwrap();
    assert!(images.iter().all(|image| image.held_at.is_empty()), "Podman keeps no record: {images:?}");
    let names: Vec<_> = images.into_iter().flat_map(|image| image.tags).collect();
    assert!(names.contains(&reference), "{names:?}");

    let digest =
        engine.push(&reference, |_, _, _| {}).await.unwrap().digest.expect("Podman tells it of a push");
    assert!(engine.untag(&reference).await.unwrap());
    podman.run(&["image", "rm", "--force", &id]);
    assert_eq!(code(&engine.image_id(&reference).await.unwrap_err()), Code::ImageNotFound);
    let mut seen = Seen::default();
    engine.pull(&reference, |l, c, t| seen.note(l, c, t)).await.unwrap();
    assert!(seen.all(|state| *state == LayerState::Done), "{:?}", seen.layers);
    assert_eq!(engine.image_id(&reference).await.unwrap(), id);
    // Podman does not say what it pulled; the image does.
    assert!(engine.has_digest(&reference, &digest).await.unwrap());
    let other = format!("sha256:{}", "0".repeat(64));
    assert!(!engine.has_digest(&reference, &other).await.unwrap());
    let missing = format!("{}/app:nosuchtag", registry.address);
    assert_eq!(code(&engine.pull(&missing, |_, _, _| {}).await.unwrap_err()), Code::ReferenceNotFound);
    assert_eq!(code(&engine.push(&missing, |_, _, _| {}).await.unwrap_err()), Code::ImageNotFound);
    loads_what_it_exports(&engine, &reference, || podman.run(&["image", "rm", "--force", &id])).await;
}

/// As `DOCKER_HOST=unix://SOCKET` in a shell without a home.
fn around(engine: &Engine) -> Surroundings {
    Surroundings {
        platform: Platform::HERE,
        docker_host: Some(format!("unix://{}", engine.endpoint())),
        docker_context: None,
        tls: false,
        docker_config: None,
        home: None,
        runtime_dir: None,
        buildx_config: None,
        buildx_builder: None,
    }
}

#[tokio::test]
async fn dockerd_is_recognised_and_says_whether_it_reaches_a_registry() {
    if !can_run(PROGRAMS) {
        return;
    }
    let (dockerd, registry) = (Dockerd::start(), Registry::start());
    let engine = dockerd.engine();
    let facts = soon("facts", EngineFacts::gather(&around(&engine))).await.unwrap();
    assert_eq!(facts.flavour, Flavour::Native);
    assert_eq!(facts.image_store, Some(ImageStore::Classic));
    assert!(facts.registries.insecure_networks.contains(&"127.0.0.0/8".to_owned()), "{facts:?}");
    assert!(facts.running.is_empty() && !facts.live_restore && facts.builder.is_none(), "{facts:?}");
    let daemon = facts.daemon.expect("it runs here");
    assert_eq!(daemon.pid, dockerd.pid());
    assert_eq!(daemon.config_file, Some(dockerd.config_file()));
    assert!(daemon.flags.contains("data-root") && daemon.flags.contains("bridge"), "{daemon:?}");
    assert!(!daemon.flags.contains("insecure-registries"), "{daemon:?}");

    assert_eq!(soon("an answer", engine.probe(&registry.address)).await.unwrap(), Reached::Registry);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = soon("a refusal", engine.probe(&closed.to_string())).await.unwrap_err();
    assert_eq!(code(&refused), Code::EngineCannotReach, "{refused}");
    let unknown = soon("a refusal", engine.probe("nobody.dockline.test:5000")).await.unwrap_err();
    assert_eq!(code(&unknown), Code::EngineCannotReach, "{unknown}");
}
