//! Tokens: asked for at the realm (distribution's token specification; with an identity token its OAuth2 variant, or as
//! with a password where a server does not know that).

use super::{Client, Credentials, challenge::Bearer, sensitive, state::Token};
use crate::{Operation, RegistryError};
use reqwest::{
    Method, Request, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{net::IpAddr, time::Duration};

/// What the specification gives tokens that do not say it.
const LIFETIME: Duration = Duration::from_secs(60);
/// Whatever a token server says; its number may be larger than any time can be.
const LONGEST: Duration = Duration::from_secs(86_400);
/// A token is replaced so long before its end: the way to the registry, and its clock, take some of it.
const MARGIN: Duration = Duration::from_secs(10);
const LONGEST_ANSWER: usize = 256 << 10;

/// Servers leave out what they do not give, or write `null` or nothing for it.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    /// The same; the only one of the OAuth2 variant.
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

impl Client {
    /// Asks for a token and remembers it: as whoever is known, otherwise as nobody.
    /// Whoever calls has the turn; for `refusals` see [`Self::asked`].
    pub(super) async fn new_token(
        &self,
        bearer: &Bearer,
        scope: &str,
        refusals: u64,
    ) -> Result<HeaderValue, RegistryError> {
        let mut credentials = self.credentials(false).await?;
        match self.fetch_token(bearer, scope, credentials.as_ref()).await? {
            Some(token) => Ok(token),
            None => {
                // The token server does not take who we are (or anyone without a login).
                self.auth.state().are_good = false;
                for _ in 0..2 {
                    if !self.asked(credentials.is_some(), refusals).await? {
                        break;
                    }
                    credentials = self.credentials(false).await?;
                    if let Some(token) = self.fetch_token(bearer, scope, credentials.as_ref()).await? {
                        return Ok(token);
                    }
                }
                let realm = &bearer.realm;
                let details = match credentials.is_some_and(|credentials| credentials.is_identity_token()) {
                    true => format!(
                        "the token server {realm} did not take the identity token: it has ended or was taken back"
                    ),
                    false => format!("the token server {realm} did not take the login"),
                };
                Err(RegistryError::Auth { operation: Operation::Ping, details })
            }
        }
    }

    /// `None` if the login was refused.
    async fn fetch_token(
        &self,
        bearer: &Bearer,
        scope: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        let realm: Url = bearer.realm.parse().map_err(|_| {
            self.protocol(format!("“{}” as the place where its tokens come from", bearer.realm))
        })?;
        let Some(answer) = self.answered(bearer, &realm, scope, credentials).await? else { return Ok(None) };
        let text = given(answer.access_token).or(given(answer.token)).unwrap_or_default();
        let header = sensitive(&format!("Bearer {text}"))
            .filter(|_| !text.is_empty())
            .ok_or_else(|| self.protocol("the answer of its token server holds no token"))?;
        let lifetime = answer.expires_in.map_or(LIFETIME, Duration::from_secs).min(LONGEST);
        // A short one is used for half of its life rather than not at all.
        let good_for = lifetime.checked_sub(MARGIN).unwrap_or_default().max(lifetime / 2);
        let token = Token::new(header.clone(), good_for);
        self.auth.state().tokens.insert(scope.to_owned(), token);
        if credentials.is_some() {
            self.accepted().await;
        }
        Ok(Some(header))
    }

    /// What the token server says to whoever we are; `None` if it refused the login.
    async fn answered(
        &self,
        bearer: &Bearer,
        realm: &Url,
        scope: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Option<Answer>, RegistryError> {
        let is_ours = self.is_ours(realm);
        let url = self.realm_url(realm, is_ours)?;
        let Some(kept) = credentials.filter(|credentials| credentials.is_identity_token()) else {
            let request = basic(url, bearer, scope, credentials);
            let response = self.ask_token_server(realm, is_ours, request).await?;
            return self.read_answer(response, credentials.is_some()).await;
        };
        let next = self.auth.state().next_identity.clone();
        // Should the last one be refused, the one that is kept may still be good.
        for identity in next.iter().chain([&kept.secret]) {
            let request = oauth(url.clone(), bearer, scope, identity);
            let mut response = self.ask_token_server(realm, is_ours, request).await?;
            if matches!(response.status().as_u16(), 404 | 405 | 501) {
                // As containerd does: without a name, whose login it is stands in the token.
                let nameless = Credentials { user: String::new(), secret: identity.clone() };
                let request = basic(url.clone(), bearer, scope, Some(&nameless));
                response = self.ask_token_server(realm, is_ours, request).await?;
            }
            if let Some(answer) = self.read_answer(without_words(response), true).await? {
                if let Some(next) = given(answer.refresh_token.clone()) {
                    self.auth.state().next_identity = Some(next.into());
                }
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    async fn ask_token_server(
        &self,
        realm: &Url,
        is_ours: bool,
        mut request: Request,
    ) -> Result<Response, RegistryError> {
        if is_ours {
            request.headers_mut().insert(HOST, self.host.clone());
        }
        let http = if is_ours { self.http_to(request.url()) } else { self.elsewhere()? };
        self.idle(Operation::Login, http.execute(request)).await?.map_err(|source| {
            RegistryError::TokenServer { realm: shown(realm), source: source.without_url() }
        })
    }

    async fn read_answer(
        &self,
        response: Response,
        is_somebody: bool,
    ) -> Result<Option<Answer>, RegistryError> {
        let operation = Operation::Login;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Ok(None),
            // GitHub and GitLab say so to a wrong password, and OAuth2 to a token that has ended (RFC 6749 §5.2).
            StatusCode::BAD_REQUEST if is_somebody => return Ok(None),
            _ => return Err(self.failure(operation, "token server at its realm", response).await),
        }
        let bytes = self.body(operation, response, LONGEST_ANSWER).await?;
        // Its words may hold the token, so they go nowhere.
        let answer = serde_json::from_slice(&bytes)
            .map_err(|_| self.protocol("the answer of its token server does not read"))?;
        Ok(Some(answer))
    }

    /// Where to send the request for a token. A password goes to the registry's own address, over TLS, or nowhere.
    fn realm_url(&self, realm: &Url, is_ours: bool) -> Result<Url, RegistryError> {
        if is_ours {
            return Ok(self.at_ours(realm));
        }
        let is_here = match realm.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            None => true,
        };
        // From behind a tunnel, "localhost" is the far host's own, and on this machine somebody else's.
        let is_behind_the_tunnel = is_here && self.config.url.is_none();
        if is_behind_the_tunnel {
            return Err(RegistryError::RealmUnreachable { realm: shown(realm) });
        }
        let is_safe = realm.scheme() == "https" || (realm.scheme() == "http" && is_here);
        if !is_safe {
            return Err(RegistryError::RealmUnsafe { realm: shown(realm) });
        }
        Ok(realm.clone())
    }
}

fn given(field: Option<String>) -> Option<String> {
    field.filter(|text| !text.is_empty())
}

fn shown(realm: &Url) -> String {
    let mut realm = realm.clone();
    realm.set_query(None);
    realm.to_string()
}

/// What is no success, without what the server says: that may be what it was asked, and so hold the identity token.
fn without_words(response: Response) -> Response {
    if response.status() == StatusCode::OK {
        return response;
    }
    let mut bare = http::Response::new(Vec::new());
    *bare.status_mut() = response.status();
    *bare.headers_mut() = response.headers().clone();
    bare.into()
}

fn basic(mut url: Url, bearer: &Bearer, scope: &str, credentials: Option<&Credentials>) -> Request {
    {
        let mut query = url.query_pairs_mut();
        if !bearer.service.is_empty() {
            query.append_pair("service", &bearer.service);
        }
        for scope in scope.split(' ').filter(|scope| !scope.is_empty()) {
            query.append_pair("scope", scope);
        }
        if let Some(credentials) = credentials.filter(|credentials| !credentials.user.is_empty()) {
            query.append_pair("account", &credentials.user);
        }
    }
    let mut request = Request::new(Method::GET, url);
    if let Some(header) = credentials.and_then(Credentials::basic) {
        request.headers_mut().insert(AUTHORIZATION, header);
    }
    request
}

/// Distribution's `spec/auth/oauth.md`.
fn oauth(url: Url, bearer: &Bearer, scope: &str, identity: &SecretString) -> Request {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("service", &bearer.service)
        .append_pair("client_id", "dockline")
        .append_pair("scope", scope)
        .append_pair("refresh_token", identity.expose_secret())
        .finish();
    let mut request = Request::new(Method::POST, url);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    *request.body_mut() = Some(body.into());
    request
}
