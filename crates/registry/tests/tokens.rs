//! Tokens where several requests go at once: one refusal, one new token, one question to the person.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use dockline_model::UiError;
use dockline_registry::{Client, ClientConfig, CredentialSource, Credentials, Digest, RegistryError};
use secrecy::SecretString;
use serde_json::json;
use std::{
    collections::HashSet,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::Barrier, task::JoinSet};

/// Longer than anything here takes: a hang becomes a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// A registry and its token server: whoever has no login may read, if anybody may.
#[derive(Clone)]
struct Guarded(Arc<Rules>);

struct Rules {
    /// Whether it gives tokens to whoever is not logged in; they are good for reading.
    knows_anonymous: bool,
    given: AtomicUsize,
    good: Mutex<HashSet<String>>,
    /// Requests that are to be refused at the same moment.
    together: Mutex<Option<Arc<Barrier>>>,
    /// How many of them are left.
    left: AtomicUsize,
}

impl Guarded {
    fn new(knows_anonymous: bool) -> Self {
        let (given, left) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (good, together) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Rules { knows_anonymous, given, good, together, left }))
    }

    fn forget_tokens(&self) {
        self.0.good.lock().unwrap().clear();
    }

    /// So many of the next refusals come in threes.
    fn refuses_together(&self, count: usize) {
        *self.0.together.lock().unwrap() = Some(Arc::new(Barrier::new(3)));
        self.0.left.store(count, Ordering::SeqCst);
    }

    async fn serve(&self, person: &Arc<Person>) -> (Client, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let credentials: Arc<dyn CredentialSource> = person.clone();
        let config =
            ClientConfig { credentials: Some(credentials), ..ClientConfig::new(address, "cr.boss.org:5000") };
        (Client::new(config).unwrap(), tasks)
    }

    fn token(&self, request: &Request) -> Response {
        let is_somebody = request.headers().contains_key(header::AUTHORIZATION);
        if !is_somebody && !self.0.knows_anonymous {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let number = self.0.given.fetch_add(1, Ordering::SeqCst);
        let token = format!("{}-{number}", if is_somebody { "somebody" } else { "anonymous" });
        self.0.good.lock().unwrap().insert(token.clone());
        json!({ "token": token, "expires_in": 300 }).to_string().into_response()
    }

    async fn refusal(&self) -> Response {
        let together = self.0.together.lock().unwrap().clone();
        let less = |left: usize| left.checked_sub(1);
        let is_one = self.0.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
        if let Some(together) = together.filter(|_| is_one) {
            together.wait().await;
        }
        let challenge = r#"Bearer realm="http://cr.boss.org:5000/token",service="x""#;
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}

async fn answer(State(registry): State<Guarded>, request: Request) -> Response {
    if request.uri().path() == "/token" {
        return registry.token(&request);
    }
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|sent| sent.to_str().ok());
    let token = sent.and_then(|sent| sent.strip_prefix("Bearer ")).unwrap_or_default();
    let is_question = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_good = registry.0.good.lock().unwrap().contains(token);
    if !is_good || !(is_question || token.starts_with("somebody")) {
        return registry.refusal().await;
    }
    match *request.method() {
        Method::POST => {
            (StatusCode::ACCEPTED, [(header::LOCATION, "/v2/app/blobs/uploads/1")]).into_response()
        }
        Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        _ => "{}".into_response(),
    }
}

/// Who is asked for a login.
#[derive(Debug, Default)]
struct Person {
    answers: bool,
    asked: AtomicUsize,
}

#[async_trait]
impl CredentialSource for Person {
    async fn find(&self) -> Result<Option<Credentials>, UiError> {
        Ok(None)
    }

    async fn ask(&self, _: bool) -> Result<Option<Credentials>, UiError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let secret = SecretString::from("secret");
        Ok(self.answers.then(|| Credentials { user: "me".to_owned(), secret }))
    }

    async fn accepted(&self, _: &Credentials) {}
}

fn person(answers: bool) -> Arc<Person> {
    Arc::new(Person { answers, ..Person::default() })
}

/// What three questions and three beginnings of an upload say that are sent at once.
async fn three_questions(client: &Client) -> Vec<Result<bool, RegistryError>> {
    let digests = [Digest::of(b"1"), Digest::of(b"2"), Digest::of(b"3")];
    let asked = digests.iter().map(|digest| client.blob_exists("app", digest));
    tokio::time::timeout(PATIENCE, futures::future::join_all(asked)).await.unwrap()
}

async fn three_uploads(client: &Client) -> Vec<Result<(), RegistryError>> {
    let begun = (0..3).map(|_| client.check_push("app"));
    tokio::time::timeout(PATIENCE, futures::future::join_all(begun)).await.unwrap()
}

/// A laptop slept during a pull, and its layers reconnect at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_with_the_same_token_shares_the_next_one() {
    for knows_anonymous in [true, false] {
        let (registry, person) = (Guarded::new(knows_anonymous), person(true));
        let (client, _serving) = registry.serve(&person).await;
        client.blob_exists("app", &Digest::of(b"x")).await.unwrap();
        let before = (registry.0.given.load(Ordering::SeqCst), person.asked.load(Ordering::SeqCst));
        registry.forget_tokens();
        registry.refuses_together(3);
        for answer in three_questions(&client).await {
            assert!(answer.unwrap());
        }
        let after = (registry.0.given.load(Ordering::SeqCst), person.asked.load(Ordering::SeqCst));
        assert_eq!(after, (before.0 + 1, before.1), "one token, and nobody is asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_read_is_asked_once_for_all_that_is_written_at_once() {
    for knows_anonymous in [true, false] {
        let (registry, person) = (Guarded::new(knows_anonymous), person(true));
        let (client, _serving) = registry.serve(&person).await;
        // Without a token, and those with an anonymous one.
        registry.refuses_together(if knows_anonymous { 6 } else { 3 });
        for begun in three_uploads(&client).await {
            begun.unwrap();
        }
        assert_eq!(person.asked.load(Ordering::SeqCst), 1, "anonymous: {knows_anonymous}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_would_not_log_in_is_not_asked_by_the_next_of_several_requests() {
    for knows_anonymous in [true, false] {
        let (registry, person) = (Guarded::new(knows_anonymous), person(false));
        let (client, _serving) = registry.serve(&person).await;
        // All of them were sent before the person is asked.
        registry.refuses_together(3);
        for begun in three_uploads(&client).await {
            assert!(matches!(begun, Err(RegistryError::Auth { .. })), "{begun:?}");
        }
        let asked = || person.asked.load(Ordering::SeqCst);
        assert_eq!(asked(), 1, "anonymous: {knows_anonymous}");
        // But what is begun after that asks again.
        client.check_push("app").await.unwrap_err();
        assert_eq!(asked(), 2, "anonymous: {knows_anonymous}");
    }
}
