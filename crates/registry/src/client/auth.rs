//! Getting in: Basic (RFC 7617) and Bearer tokens (distribution's token specification, which docker_auth speaks),
//! for every request by itself.

mod challenge;
mod scope;
mod state;
mod token;

use super::Client;
use crate::{Operation, RegistryError};
use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use challenge::Bearer;
pub(super) use challenge::{Challenge, parse as challenges};
use dockline_model::{LoginScheme, UiError};
use reqwest::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
};
use scope::scopes_of;
use secrecy::{ExposeSecret, SecretString};
pub(super) use state::Auth;
use state::{Known, Refused, State};
use std::{fmt, time::Instant};

/// The user name under which Docker keeps an identity token instead of a password (docker/cli,
/// `credentials.tokenUsername`).
const IDENTITY_TOKEN: &str = "<token>";
/// Anonymous, with what is kept, and twice with what a person types.
const TRIES: usize = 4;

/// Name and password for a registry.
#[derive(Clone)]
pub struct Credentials {
    /// The name; `<token>` for an identity token.
    pub user: String,
    /// The password or token.
    pub secret: SecretString,
}

impl Credentials {
    fn basic(&self) -> Option<HeaderValue> {
        let pair = format!("{}:{}", self.user, self.secret.expose_secret());
        sensitive(&format!("Basic {}", BASE64_STANDARD.encode(pair)))
    }

    fn is_identity_token(&self) -> bool {
        self.user == IDENTITY_TOKEN
    }
}

impl PartialEq for Credentials {
    /// Of what is kept in two places of this machine: nobody measures how long that takes.
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

impl Eq for Credentials {}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Where names and passwords come from.
#[async_trait]
pub trait CredentialSource: fmt::Debug + Send + Sync {
    /// What is kept for the registry; nobody is asked.
    async fn find(&self) -> Result<Option<Credentials>, UiError>;

    /// What a person says, after the registry wanted a login, or `refused` the last one. `None` if nobody is there or
    /// they would rather not.
    async fn ask(&self, refused: bool) -> Result<Option<Credentials>, UiError>;

    /// The registry, or its token server, has taken these: they may be kept.
    async fn accepted(&self, credentials: &Credentials);
}

/// Marks a response of 401 to somebody who is logged in.
#[derive(Debug, Clone)]
pub(super) struct LoggedIn;

impl Client {
    /// As whom the registry knows us; nobody, where it never asked or the login is a token without a name.
    pub(super) fn user(&self) -> Option<String> {
        let (_, user) = self.login();
        user.filter(|user| !user.is_empty() && user != IDENTITY_TOKEN)
    }

    /// Puts on `request` whatever is known to get it in. A token that is about to expire is replaced before.
    pub(super) async fn authorize(&self, request: &mut Request) -> Result<(), RegistryError> {
        let refusals = self.auth.state().refusals;
        self.let_in(request, refusals).await
    }

    /// For `refusals` see [`Self::asked`].
    async fn let_in(&self, request: &mut Request, refusals: u64) -> Result<(), RegistryError> {
        let challenge = self.auth.state().challenge.clone();
        let header = match challenge {
            None => None,
            Some(Challenge::Basic) => match self.auth.state().credentials.clone() {
                Known::Some(credentials) => credentials.basic(),
                Known::Unsought | Known::None => None,
            },
            Some(Challenge::Bearer(bearer)) => {
                let scope = scopes_of(request, &self.prefix()).unwrap_or_else(|| bearer.scope.clone());
                match self.auth.token(&scope) {
                    Some(token) => Some(token),
                    None => Some(self.next_token(&bearer, &scope, refusals).await?),
                }
            }
        };
        request.headers_mut().remove(AUTHORIZATION);
        if let Some(header) = header {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        Ok(())
    }

    /// A token, asked for in turn: of several requests that need one, one gets it for all.
    async fn next_token(
        &self,
        bearer: &Bearer,
        scope: &str,
        refusals: u64,
    ) -> Result<HeaderValue, RegistryError> {
        let _turn = self.auth.turn.lock().await;
        match self.auth.token(scope) {
            Some(token) => Ok(token),
            None => self.new_token(bearer, scope, refusals).await,
        }
    }

    /// Sends a request that may be sent again, until it is let in or there is nothing left to try.
    pub(super) async fn admitted(
        &self,
        operation: Operation,
        mut request: Request,
    ) -> Result<Response, Refusal> {
        let refusals = self.auth.state().refusals;
        for attempt in 1.. {
            self.let_in(&mut request, refusals).await.map_err(Refusal::Login)?;
            let again = request.try_clone();
            let used = request.headers().get(AUTHORIZATION).cloned();
            self.crossed.sent(request.body().and_then(reqwest::Body::as_bytes).map_or(0, <[u8]>::len));
            let (method, path) = (request.method().clone(), request.url().path().to_owned());
            let begin = Instant::now();
            // Only this step has a limit: asking a person, or another server, takes its own time.
            let http = self.http_to(request.url());
            let answer = self.idle(operation, http.execute(request)).await.map_err(Refusal::Login)?;
            let mut response = answer.map_err(Refusal::Lost)?;
            let status = response.status().as_u16();
            let after = begin.elapsed();
            tracing::debug!(%method, path, status, ?after, "the registry has answered");
            self.answers.heard(&method, after);
            if response.status() != StatusCode::UNAUTHORIZED {
                if let Some(used) = &used {
                    self.auth.has_let_in(used);
                    self.accepted().await;
                }
                return Ok(response);
            }
            let next = again.filter(|_| attempt < TRIES);
            let may_go_on = match next.is_some() {
                true => self.challenged(&response, used.as_ref(), refusals).await.map_err(Refusal::Login)?,
                false => false,
            };
            match next.filter(|_| may_go_on) {
                Some(next) => request = next,
                None => {
                    if self.auth.state().are_good && used.is_some() {
                        response.extensions_mut().insert(LoggedIn);
                    }
                    return Ok(response);
                }
            }
        }
        unreachable!("the loop ends by returning")
    }

    /// Takes in why a request was not let in, and says whether another try makes sense. `refusals`: how often a person would
    /// not log in before it was sent.
    async fn challenged(
        &self,
        response: &Response,
        used: Option<&HeaderValue>,
        refusals: u64,
    ) -> Result<bool, RegistryError> {
        let Some(challenge) = challenge_of(response) else { return Ok(false) };
        let _turn = self.auth.turn.lock().await;
        let is_first = self.auth.state().challenge.replace(challenge.clone()).is_none();
        match challenge {
            Challenge::Basic => {
                let known = self.credentials(false).await?;
                let sent = known.as_ref().and_then(Credentials::basic);
                // Somebody else's turn may have brought better ones.
                if known.is_some() && sent.as_ref() != used {
                    return Ok(true);
                }
                // What was right before may have been replaced where it is kept: a cloud's passwords last for hours.
                let was_good = std::mem::take(&mut self.auth.state().are_good);
                if was_good && self.credentials(true).await?.is_some_and(|now| Some(now) != known) {
                    return Ok(true);
                }
                self.asked(known.is_some(), refusals).await
            }
            Challenge::Bearer(_) => {
                if is_first || used.is_none() {
                    return Ok(true);
                }
                let knows_somebody = matches!(self.auth.state().credentials, Known::Some(_));
                match (self.auth.refuse(used), knows_somebody) {
                    // Somebody else's turn has brought another one, or a login; how often this helps, `TRIES` says.
                    (Refused::Before, _) => Ok(true),
                    // Another one for the same login.
                    (Refused::Ended | Refused::Fresh, true) => Ok(true),
                    // What was enough until now will be again.
                    (Refused::Ended, false) => Ok(true),
                    (Refused::Fresh, false) => self.asked(false, refusals).await,
                }
            }
        }
    }

    /// What is kept for the registry; looked for once.
    async fn credentials(&self, anew: bool) -> Result<Option<Credentials>, RegistryError> {
        let known = self.auth.state().credentials.clone();
        match known {
            Known::Some(credentials) if !anew => return Ok(Some(credentials)),
            Known::None if !anew => return Ok(None),
            Known::Some(_) | Known::None | Known::Unsought => {}
        }
        let found = match &self.config.credentials {
            Some(source) => source.find().await.map_err(RegistryError::Credentials)?,
            None => None,
        };
        self.know(found.clone());
        Ok(found)
    }

    /// Asks the person; whether there is something new to try. Who has said no since there were `refusals` is not asked once
    /// more for the next of several requests.
    async fn asked(&self, refused: bool, refusals: u64) -> Result<bool, RegistryError> {
        if self.auth.state().refusals > refusals {
            return Ok(false);
        }
        let answer = match &self.config.credentials {
            Some(source) => source.ask(refused).await.map_err(RegistryError::Credentials)?,
            None => None,
        };
        let is_new = answer.is_some();
        match is_new {
            true => self.know(answer),
            false => self.auth.state().refusals += 1,
        }
        Ok(is_new)
    }

    fn know(&self, credentials: Option<Credentials>) {
        let mut state = self.auth.state();
        state.credentials = credentials.map_or(Known::None, Known::Some);
        state.are_good = false;
        state.next_identity = None;
        state.tokens.clear();
    }

    /// They were right: whoever keeps them hears of it once.
    async fn accepted(&self) {
        let credentials = {
            let mut state = self.auth.state();
            match (&state.credentials, state.are_good) {
                (Known::Some(credentials), false) => {
                    let credentials = credentials.clone();
                    state.are_good = true;
                    credentials
                }
                (Known::Some(_), true) | (Known::None | Known::Unsought, _) => return,
            }
        };
        if let Some(source) = self.config.credentials.clone() {
            // Whoever has asked may give up meanwhile; what was right is kept all the same.
            let kept = tokio::spawn(async move { source.accepted(&credentials).await });
            // Only a panic could be the error, and it has been printed.
            let _ = kept.await;
        }
    }

    /// Whether the registry has wanted a login, so that one was looked for.
    #[must_use]
    pub fn has_looked_for_login(&self) -> bool {
        match self.auth.state().credentials {
            Known::Unsought => false,
            Known::None | Known::Some(_) => true,
        }
    }

    /// Whether this is the login in use; `None` is nobody's.
    #[must_use]
    pub fn is_logged_in_as(&self, credentials: Option<&Credentials>) -> bool {
        match &self.auth.state().credentials {
            Known::Unsought | Known::None => credentials.is_none(),
            Known::Some(known) => credentials == Some(known),
        }
    }

    /// Forgets who we are, so that the next request looks anew.
    pub fn forget_login(&self) {
        let mut state = self.auth.state();
        *state = State { refusals: state.refusals, ..State::default() };
    }

    /// Forgets the token that a request without a second try was refused with.
    pub(super) fn forget_token(&self, used: Option<&HeaderValue>) {
        self.auth.refuse(used);
    }

    /// How the registry lets people in, and as whom it did; ask [`Self::ping`] first.
    #[must_use]
    pub fn login(&self) -> (LoginScheme, Option<String>) {
        let state = self.auth.state();
        let scheme = match &state.challenge {
            None => LoginScheme::None,
            Some(Challenge::Basic) => LoginScheme::Basic,
            Some(Challenge::Bearer(bearer)) => LoginScheme::Token { realm: bearer.realm.clone() },
        };
        let user = match &state.credentials {
            Known::Some(credentials) if state.are_good => Some(credentials.user.clone()),
            Known::Some(_) | Known::None | Known::Unsought => None,
        };
        (scheme, user)
    }
}

/// Why a request did not get to an answer.
pub(super) enum Refusal {
    /// The connection.
    Lost(reqwest::Error),
    /// The login.
    Login(RegistryError),
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The strongest of the ways in that the registry offers and we know.
fn challenge_of(response: &Response) -> Option<Challenge> {
    let offers: Vec<Challenge> = response
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(challenge::parse)
        .collect();
    offers.iter().find(|offer| matches!(offer, Challenge::Bearer(_))).or(offers.first()).cloned()
}
