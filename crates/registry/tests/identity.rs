//! Identity tokens, which `docker login` and credential helpers keep where a token server gives them: Azure's registry and
//! docker_auth, as their answers are, and servers that do not know the OAuth2 variant of the question.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use dockline_model::{Code, UiError};
use dockline_registry::{Client, ClientConfig, CredentialSource, Credentials, Digest, RegistryError};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinSet};

/// The identity token that is kept: no word that a message could have by itself.
const KEPT: &str = "Zq7vX2mJ";

/// How the token server goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Azure's: `access_token` alone, and the refresh token again.
    Azure,
    /// docker_auth's: both names, and nothing about refreshing.
    DockerAuth,
    /// One that has all names, and `null` where it gives nothing.
    Nulls,
    /// A new refresh token each time, and the one before is good no more.
    Rotating,
    /// A new one each time, which is of no use; the one that is kept stays good.
    RotatingForNothing,
    /// It does not know the POST, and says so.
    GetOnly(u16),
    /// It refuses what is kept, and says what it was sent.
    Refusing(u16),
}

#[derive(Clone)]
struct House(Arc<Rules>);

/// A query, and the login it came with.
type Asked = (BTreeMap<String, String>, Option<String>);

struct Rules {
    manner: Manner,
    /// The refresh token that is good now.
    identity: Mutex<String>,
    given: AtomicUsize,
    good: Mutex<HashSet<String>>,
    /// Forms that were posted, and queries that were asked with which login.
    posted: Mutex<Vec<BTreeMap<String, String>>>,
    asked: Mutex<Vec<Asked>>,
}

fn fields(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

impl House {
    async fn serve(manner: Manner, keeper: &Arc<Keeper>) -> (Client, Self, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let house = Self(Arc::new(Rules {
            manner,
            identity: Mutex::new(KEPT.to_owned()),
            given: AtomicUsize::new(0),
            good: Mutex::default(),
            posted: Mutex::default(),
            asked: Mutex::default(),
        }));
        let router = Router::new().fallback(answer).with_state(house.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (client(address, keeper), house, tasks)
    }

    fn token(&self) -> String {
        let token = format!("access-{}", self.0.given.fetch_add(1, Ordering::SeqCst));
        self.0.good.lock().unwrap().insert(token.clone());
        token
    }

    fn oauth(&self, form: BTreeMap<String, String>) -> Response {
        let sent = form.get("refresh_token").cloned().unwrap_or_default();
        let refused = json!({ "errors": [{ "code": "INVALID_GRANT", "message": sent, "detail": form }] });
        let refused = refused.to_string();
        self.0.posted.lock().unwrap().push(form);
        match self.0.manner {
            Manner::GetOnly(status) | Manner::Refusing(status) => {
                return (StatusCode::from_u16(status).unwrap(), refused).into_response();
            }
            Manner::Azure
            | Manner::DockerAuth
            | Manner::Nulls
            | Manner::Rotating
            | Manner::RotatingForNothing => {}
        }
        let mut good = self.0.identity.lock().unwrap();
        if sent != *good {
            return (StatusCode::BAD_REQUEST, refused).into_response();
        }
        let token = self.token();
        let answer = match self.0.manner {
            Manner::Azure => json!({ "access_token": token, "refresh_token": sent }),
            Manner::Nulls => nulls("access_token", &token),
            Manner::Rotating => {
                *good = format!("{sent}+");
                json!({ "access_token": token, "refresh_token": *good, "expires_in": 300 })
            }
            Manner::RotatingForNothing => {
                json!({ "access_token": token, "refresh_token": "another", "expires_in": 300 })
            }
            Manner::DockerAuth | Manner::GetOnly(_) | Manner::Refusing(_) => {
                json!({ "access_token": token, "token": "not this one", "expires_in": 300, "scope": "" })
            }
        };
        answer.to_string().into_response()
    }

    fn posted(&self) -> Vec<BTreeMap<String, String>> {
        std::mem::take(&mut *self.0.posted.lock().unwrap())
    }

    /// As after an hour.
    fn forget_access(&self) {
        self.0.good.lock().unwrap().clear();
    }
}

/// A token under one of its names, and nothing under all others.
fn nulls(name: &str, token: &str) -> Value {
    let mut answer = json!({
        "token": null, "access_token": null, "refresh_token": null, "expires_in": null, "issued_at": null,
    });
    answer[name] = token.into();
    answer
}

fn client(address: SocketAddr, keeper: &Arc<Keeper>) -> Client {
    let credentials: Arc<dyn CredentialSource> = keeper.clone();
    let config =
        ClientConfig { credentials: Some(credentials), ..ClientConfig::new(address, "cr.boss.org:5000") };
    Client::new(config).unwrap()
}

async fn answer(State(house): State<House>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let login = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if parts.uri.path() == "/oauth2/token" {
        if parts.method == Method::POST {
            assert_eq!(parts.headers[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
            assert_eq!(login, None, "the token stands in the form");
            let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            return house.oauth(fields(std::str::from_utf8(&bytes).unwrap()));
        }
        let login = login
            .and_then(|login| login.strip_prefix("Basic "))
            .map(|login| String::from_utf8(BASE64_STANDARD.decode(login).unwrap()).unwrap());
        let query = fields(parts.uri.query().unwrap_or_default());
        house.0.asked.lock().unwrap().push((query, login.clone()));
        if !matches!(house.0.manner, Manner::GetOnly(_)) || login != Some(format!(":{KEPT}")) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        return nulls("token", &house.token()).to_string().into_response();
    }
    let token = login.and_then(|login| login.strip_prefix("Bearer ")).unwrap_or_default();
    if !house.0.good.lock().unwrap().contains(token) {
        let challenge = r#"Bearer realm="http://cr.boss.org:5000/oauth2/token",service="cr.boss.org",scope="repository:x:pull""#;
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    StatusCode::OK.into_response()
}

/// What a credential helper has of the registry.
#[derive(Debug, Default)]
struct Keeper {
    asked: AtomicUsize,
    /// What a person types when asked: a name, and what goes with it.
    typed: Option<(&'static str, &'static str)>,
}

#[async_trait]
impl CredentialSource for Keeper {
    async fn find(&self) -> Result<Option<Credentials>, UiError> {
        Ok(Some(Credentials { user: "<token>".to_owned(), secret: KEPT.into() }))
    }

    async fn ask(&self, refused: bool) -> Result<Option<Credentials>, UiError> {
        assert!(refused, "there was a login");
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.typed.map(|(user, secret)| Credentials { user: user.to_owned(), secret: secret.into() }))
    }

    async fn accepted(&self, _: &Credentials) {}
}

/// The identity token is nowhere that a person or a log would see it.
fn assert_is_not_told(error: &RegistryError) {
    let UiError { message, hint, details, .. } = UiError::from(error);
    for text in [Some(message), hint, details, Some(format!("{error} {error:?}"))].into_iter().flatten() {
        assert!(!text.contains(KEPT), "{text}");
    }
}

async fn ask(client: &Client, repository: &str) -> Result<bool, RegistryError> {
    client.blob_exists(repository, &Digest::of(b"x")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_token_is_posted_and_its_access_token_used() {
    for manner in [Manner::Azure, Manner::DockerAuth, Manner::Nulls] {
        let keeper = Arc::new(Keeper::default());
        let (client, house, _serving) = House::serve(manner, &keeper).await;
        assert!(ask(&client, "team/app").await.unwrap(), "{manner:?}");
        let [form] = <[_; 1]>::try_from(house.posted()).unwrap();
        let expected = [
            ("grant_type", "refresh_token"),
            ("service", "cr.boss.org"),
            ("scope", "repository:team/app:pull"),
            ("refresh_token", KEPT),
            ("client_id", "dockline"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(form, BTreeMap::from(expected), "{manner:?}");
        // One token for a scope, and another for the next one.
        ask(&client, "team/app").await.unwrap();
        ask(&client, "other").await.unwrap();
        assert_eq!(house.posted().len(), 1, "{manner:?}");
        assert_eq!(client.login().1.as_deref(), Some("<token>"), "it has let us in");
        assert!(house.0.asked.lock().unwrap().is_empty(), "nothing else was asked");
    }
}

/// A server may put another refresh token in place of the one that it got (RFC 6749 §6).
#[tokio::test(flavor = "multi_thread")]
async fn the_next_question_has_the_refresh_token_that_came_with_the_last_answer() {
    let keeper = Arc::new(Keeper::default());
    let (client, house, _serving) = House::serve(Manner::Rotating, &keeper).await;
    for _ in 0..3 {
        assert!(ask(&client, "app").await.unwrap());
        house.forget_access();
    }
    let sent: Vec<String> = house.posted().into_iter().map(|form| form["refresh_token"].clone()).collect();
    assert_eq!(sent, ["", "+", "++"].map(|more| format!("{KEPT}{more}")));
    let kept = Credentials { user: "<token>".to_owned(), secret: KEPT.into() };
    assert!(client.is_logged_in_as(Some(&kept)), "the login is the one that is kept all the same");

    // One that is of no use, and what is kept still is.
    let (client, house, _serving) = House::serve(Manner::RotatingForNothing, &keeper).await;
    for _ in 0..2 {
        assert!(ask(&client, "app").await.unwrap());
        house.forget_access();
    }
    let sent: Vec<String> = house.posted().into_iter().map(|form| form["refresh_token"].clone()).collect();
    assert_eq!(sent, [KEPT, "another", KEPT]);
    assert_eq!(keeper.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_no_post_is_asked_as_with_a_password() {
    for status in [404, 405, 501] {
        let keeper = Arc::new(Keeper::default());
        let (client, house, _serving) = House::serve(Manner::GetOnly(status), &keeper).await;
        assert!(ask(&client, "app").await.unwrap(), "{status}");
        let asked = house.0.asked.lock().unwrap().clone();
        let [(query, login)] = <[_; 1]>::try_from(asked).unwrap();
        let expected = [("service", "cr.boss.org"), ("scope", "repository:app:pull")];
        assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(login, Some(format!(":{KEPT}")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_identity_token_that_has_ended_is_told_to_log_in_anew() {
    for status in [400, 401, 403] {
        let keeper = Arc::new(Keeper::default());
        let (client, house, _serving) = House::serve(Manner::Refusing(status), &keeper).await;
        let error = ask(&client, "app").await.unwrap_err();
        assert!(matches!(error, RegistryError::Auth { .. }), "{error:?}");
        let told = UiError::from(&error);
        assert_eq!(told.code, Code::RegistryAuth);
        assert!(told.message.ends_with('.') && told.hint.as_ref().unwrap().contains("dockline login"));
        assert!(told.details.as_ref().unwrap().contains("has ended or was taken back"), "{told:?}");
        assert_is_not_told(&error);
        assert_eq!((house.posted().len(), keeper.asked.load(Ordering::SeqCst)), (1, 1), "{status}");
    }
    // Somebody who logs in anew when asked is let in.
    let keeper = Arc::new(Keeper { typed: Some(("<token>", "new")), ..Keeper::default() });
    let (client, house, _serving) = House::serve(Manner::Azure, &keeper).await;
    *house.0.identity.lock().unwrap() = "new".to_owned();
    assert!(ask(&client, "app").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failing_server_says_of_the_question_is_not_told() {
    for status in [400, 404, 422, 500] {
        let keeper = Arc::new(Keeper::default());
        let (client, house, _serving) = House::serve(Manner::Refusing(status), &keeper).await;
        let error = ask(&client, "app").await.unwrap_err();
        let [form] = <[_; 1]>::try_from(house.posted()).unwrap();
        assert_eq!(form["refresh_token"], KEPT, "{status}");
        assert_is_not_told(&error);
        if status == 500 {
            assert!(matches!(error, RegistryError::Failed { status: 500, .. }), "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_typed_a_wrong_password_is_not_told_of_the_identity_token() {
    let keeper = Arc::new(Keeper { typed: Some(("mary", "wrong")), ..Keeper::default() });
    let (client, house, _serving) = House::serve(Manner::Refusing(400), &keeper).await;
    let error = ask(&client, "app").await.unwrap_err();
    let details = UiError::from(&error).details.unwrap();
    assert!(details.ends_with("did not take the login"), "{details}");
    let logins: Vec<_> =
        house.0.asked.lock().unwrap().iter().filter_map(|(_, login)| login.clone()).collect();
    assert_eq!(logins, ["mary:wrong", "mary:wrong"]);
    assert_eq!(keeper.asked.load(Ordering::SeqCst), 2);
}
