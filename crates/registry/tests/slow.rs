//! Lines that carry less than connections take: what was handed over has not left yet.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use dockline_registry::{Client, ClientConfig, Digest, RegistryError, Scope, Sending};
use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use support::{
    Registry,
    line::{layer, noise, save},
};
use tokio::{net::TcpListener, task::JoinSet};

/// How long nothing may move.
const IDLE: Duration = Duration::from_millis(300);

/// A configuration is that short, and arrives at once.
const SHORT: usize = 500;

/// A registry behind a line on which a body arrives long after all of it was taken.
#[derive(Clone)]
struct Slow {
    takes: Duration,
    /// Whether what was sent under a digest is there.
    is_stored: Arc<AtomicBool>,
    answers_the_end: bool,
    tagged: Arc<Mutex<Option<String>>>,
}

impl Slow {
    async fn serve(takes: Duration, answers_the_end: bool) -> (Client, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = Self { takes, is_stored: Arc::default(), answers_the_end, tagged: Arc::default() };
        let router = Router::new().fallback(answer).with_state(slow);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let config = ClientConfig { idle_timeout: IDLE, ..ClientConfig::new(address, "cr.boss.org:5000") };
        (Client::new(config).unwrap(), tasks)
    }
}

async fn answer(State(slow): State<Slow>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let is_manifest = parts.uri.path().contains("/manifests/");
    if bytes.len() > SHORT && !is_manifest {
        tokio::time::sleep(slow.takes).await;
    }
    let next = [(header::LOCATION, "/v2/app/blobs/uploads/1")];
    let tagged =
        |status, digest: &str| (status, [("docker-content-digest", digest.to_owned())]).into_response();
    match parts.method {
        Method::HEAD if is_manifest => match slow.tagged.lock().unwrap().as_deref() {
            Some(digest) => tagged(StatusCode::OK, digest),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::HEAD if slow.is_stored.load(Ordering::SeqCst) => StatusCode::OK.into_response(),
        Method::POST | Method::PATCH => (StatusCode::ACCEPTED, next).into_response(),
        Method::PUT if is_manifest => {
            let digest = Digest::of(&bytes).to_string();
            *slow.tagged.lock().unwrap() = Some(digest.clone());
            tagged(StatusCode::CREATED, &digest)
        }
        Method::PUT => {
            if bytes.len() > SHORT {
                slow.is_stored.store(true, Ordering::SeqCst);
            }
            if bytes.len() > SHORT && !slow.answers_the_end {
                std::future::pending::<()>().await;
            }
            StatusCode::CREATED.into_response()
        }
        Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn push(client: &Client, bytes: Vec<u8>) -> Result<(), RegistryError> {
    let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
    client.push_blob("app", &digest, size, std::io::Cursor::new(bytes), |_| ()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_waited_for_as_long_as_a_slow_line_takes_for_the_request() {
    let (client, _serving) = Slow::serve(IDLE * 3, true).await;
    // 8 kB a second.
    push(&client, noise(1, 64_000)).await.unwrap();
    // Not for ever: nothing takes a line so long for so little.
    let error = push(&client, noise(2, 800)).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::TimedOut { idle, .. } if idle == IDLE + Duration::from_millis(100)),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_waits_as_long_as_that_for_whoever_receives_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, 64_000)]);
    let from = Registry::built_in().await;
    from.client().push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap();
    let (target, _serving) = Slow::serve(IDLE * 3, true).await;
    let scope = Scope::default();
    from.client().copy_to(("app", "v1"), &target, ("app", "v1"), &scope, |_, _, _| ()).await.unwrap();
}

/// The answer was lost on the way, and not the layer.
#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_arrived_without_an_answer_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, 2_000)]);
    let (client, _serving) = Slow::serve(Duration::ZERO, false).await;
    client.push_archive_as(&file, None, "app", "v1", &Sending::default(), |_, _, _| ()).await.unwrap();
}
