//! Names and passwords for registries: found in Dockline's keyring, in Docker's configuration or with a credential
//! helper, or asked for; and kept in the keyring alone.

mod certs;
mod docker_config;
mod helper;
mod kept;
mod known;

pub(crate) use certs::tls_files;
pub(crate) use docker_config::folder as docker_folder;
pub use kept::{Kept, KeptLogin};
pub(crate) use known::Known;

use crate::controller::Asker;
use async_trait::async_trait;
use docker_config::DockerConfig;
use dockline_model::{Answer, Code, CredentialOrigin, Question, RegistrySpec, UiError};
use dockline_registry::{CredentialSource, Credentials};
use dockline_tunnel::Ask as _;
use secrecy::SecretString;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What Docker calls its Hub in `config.json` (docker/cli, `registry.IndexServer`).
const HUB: &str = "https://index.docker.io/v1/";

/// The key that Docker keeps a registry's login under.
pub(crate) fn docker_key(authority: &str) -> &str {
    if authority == "docker.io" { HUB } else { authority }
}

/// The logins of one registry.
#[derive(Debug)]
pub(crate) struct Logins {
    spec: RegistrySpec,
    asker: Arc<Asker>,
    kept: Kept,
    docker: PathBuf,
    session: Mutex<Session>,
}

/// A helper is a program, and may ask a cloud; it is not started again for every page of a list.
const HELPER_REST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct Session {
    /// Given in this owner's life, and kept nowhere else.
    given: Option<Credentials>,
    origin: Option<CredentialOrigin>,
    /// Whether the person wanted what they typed to be kept.
    is_to_keep: bool,
    /// When it was last looked for.
    looked: Option<Instant>,
}

impl Logins {
    /// `docker` is Docker's `config.json`.
    pub(crate) fn new(spec: RegistrySpec, asker: Arc<Asker>, kept: Kept, docker: PathBuf) -> Self {
        Self { spec, asker, kept, docker, session: Mutex::default() }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the login in use was found.
    pub(crate) fn origin(&self) -> Option<CredentialOrigin> {
        self.session().origin.clone()
    }

    /// Takes over a login that was tried, and keeps it if there is a keyring.
    pub(crate) async fn keep(&self, credentials: Credentials) -> CredentialOrigin {
        let is_kept = self.kept.store(docker_key(&self.spec.authority()), &credentials).await.is_ok();
        // What the keyring has is asked for there, so that it is forgotten where somebody takes it out (docker logout).
        let (origin, given) = match is_kept {
            true => (CredentialOrigin::Keyring, None),
            false => (CredentialOrigin::Session, Some(credentials)),
        };
        *self.session() = Session { given, origin: Some(origin.clone()), ..Session::default() };
        origin
    }

    /// What is kept now; `None` if that cannot be said, or was looked up a moment ago by a program that takes its time.
    pub(crate) async fn now(&self) -> Option<Option<Credentials>> {
        let (origin, looked) = {
            let session = self.session();
            (session.origin.clone(), session.looked)
        };
        let is_helpers = matches!(origin, Some(CredentialOrigin::Helper { .. }));
        if is_helpers && looked.is_some_and(|at| at.elapsed() < HELPER_REST) {
            return None;
        }
        let found = self.find().await.ok()?;
        // A keyring that is locked meanwhile has not forgotten.
        let is_hidden =
            found.is_none() && origin == Some(CredentialOrigin::Keyring) && !self.kept.is_available();
        (!is_hidden).then_some(found)
    }

    /// Forgets what Dockline keeps; Docker's own stays. What a keyring does not let go is an error, and the rest is
    /// forgotten all the same.
    pub(crate) async fn forget(&self) -> Result<(), UiError> {
        *self.session() = Session::default();
        self.kept.erase(docker_key(&self.spec.authority())).await
    }

    /// What is kept somewhere, and where.
    async fn look_up(&self) -> Result<Option<(Credentials, CredentialOrigin)>, UiError> {
        let authority = self.spec.authority();
        if let Some(kept) = self.kept.get(docker_key(&authority)).await {
            return Ok(Some((kept, CredentialOrigin::Keyring)));
        }
        let config = DockerConfig::read(&self.docker).await?;
        // `docker login` is also told the address where the name does not resolve.
        let mut keys = vec![docker_key(&authority).to_owned()];
        if self.spec.has_tunnel() {
            keys.push(self.spec.listen().to_string());
        }
        for key in keys {
            if let Some(name) = config.helper(&key)
                && let Some(credentials) = helper::get(name, &key).await?
            {
                return Ok(Some((credentials, CredentialOrigin::Helper { name: name.to_owned() })));
            }
            if let Some(credentials) = config.auth(&key) {
                return Ok(Some((credentials, CredentialOrigin::DockerConfig)));
            }
        }
        Ok(None)
    }

    async fn ask_person(&self, user: Option<String>, refused: bool) -> Option<(Credentials, bool)> {
        let question = Question::RegistryLogin { authority: self.spec.authority(), user, again: refused };
        match self.asker.ask(&self.spec.name, question).await? {
            Answer::Login { user, secret, remember } => {
                let secret = SecretString::from(secret.expose().to_owned());
                Some((Credentials { user, secret }, remember))
            }
            Answer::Trust | Answer::Refuse | Answer::Secret { .. } => None,
        }
    }
}

#[async_trait]
impl CredentialSource for Logins {
    async fn find(&self) -> Result<Option<Credentials>, UiError> {
        if let Some(given) = self.session().given.clone() {
            return Ok(Some(given));
        }
        let (found, origin) = self.look_up().await?.unzip();
        let mut session = self.session();
        session.origin = origin;
        session.looked = Some(Instant::now());
        Ok(found)
    }

    async fn ask(&self, refused: bool) -> Result<Option<Credentials>, UiError> {
        let Some((credentials, remember)) = self.ask_person(None, refused).await else { return Ok(None) };
        *self.session() = Session {
            given: Some(credentials.clone()),
            origin: Some(CredentialOrigin::Session),
            is_to_keep: remember,
            looked: None,
        };
        Ok(Some(credentials))
    }

    async fn accepted(&self, credentials: &Credentials) {
        let is_to_keep = std::mem::take(&mut self.session().is_to_keep);
        if is_to_keep {
            self.keep(credentials.clone()).await;
        }
    }
}

/// Looks without asking anybody.
#[derive(Debug)]
pub(crate) struct Quiet(pub(crate) Arc<Logins>);

#[async_trait]
impl CredentialSource for Quiet {
    async fn find(&self) -> Result<Option<Credentials>, UiError> {
        self.0.find().await
    }

    async fn ask(&self, _: bool) -> Result<Option<Credentials>, UiError> {
        Ok(None)
    }

    async fn accepted(&self, _: &Credentials) {}
}

/// A login that is being tried: what was given, or what a person types.
#[derive(Debug)]
pub(crate) struct Candidate {
    logins: Arc<Logins>,
    user: Option<String>,
    /// With a password that was given, nobody is asked for another.
    is_given: bool,
    tried: Mutex<Option<Credentials>>,
}

impl Candidate {
    pub(crate) fn new(logins: Arc<Logins>, user: Option<String>, secret: Option<SecretString>) -> Self {
        let given = match (&user, secret) {
            (Some(user), Some(secret)) => Some(Credentials { user: user.clone(), secret }),
            (Some(_) | None, _) => None,
        };
        Self { logins, user, is_given: given.is_some(), tried: Mutex::new(given) }
    }

    /// The one that was tried last.
    pub(crate) fn tried(&self) -> Option<Credentials> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl CredentialSource for Candidate {
    async fn find(&self) -> Result<Option<Credentials>, UiError> {
        if let Some(tried) = self.tried() {
            return Ok(Some(tried));
        }
        self.ask(false).await
    }

    async fn ask(&self, refused: bool) -> Result<Option<Credentials>, UiError> {
        if self.is_given {
            return Ok(None);
        }
        let Some((credentials, _)) = self.logins.ask_person(self.user.clone(), refused).await else {
            let error = UiError::new(
                Code::NobodyToAsk,
                format!(
                    "{} wants a name and a password, and nobody gave them.",
                    self.logins.spec.authority()
                ),
            );
            return Err(error.hint("Give them: --username NAME --password-stdin"));
        };
        *self.tried.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
        Ok(Some(credentials))
    }

    async fn accepted(&self, _: &Credentials) {}
}
