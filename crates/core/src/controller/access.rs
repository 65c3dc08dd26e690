//! The registries' own side: the client for each, and who we are there.

use super::{Answerer, Asker, actor::Actor, contents::Visitor};
use crate::{
    Paths,
    credentials::{Candidate, Kept, Logins, Quiet, docker_folder, tls_files},
};
use dockline_model::{
    AccessView, Code, CredentialOrigin, LoginScheme, RegistryName, RegistrySpec, Reply, Secret, UiError,
};
use dockline_registry::{CertificateFlaw, Client, ClientConfig, CredentialSource, RegistryError, SpokenTls};
use secrecy::SecretString;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What the registry answered, in a sentence, with what mends it for this one.
fn refused(error: &RegistryError, spec: &RegistrySpec) -> UiError {
    let (told, name) = (UiError::from(error), &spec.name);
    if let (RegistryError::Unreachable { .. } | RegistryError::Protocol { .. }, false) =
        (error, spec.has_tunnel())
    {
        return told
            .hint("Check its address (`dockline list` shows it), and whether this machine gets there.");
    }
    if let RegistryError::Auth { .. } = error {
        return told.hint(format!(
            "Log in with `dockline login {name}`; if you did, name or password are not right any more."
        ));
    }
    if let RegistryError::Certificate { flaw: CertificateFlaw::UnknownAuthority, .. } = error {
        return told.hint(format!(
            "If a private authority signed it, name that authority's certificate: dockline setup {name} --ca FILE"
        ));
    }
    told
}

/// How one registry is spoken to. Shared by everything that does, so that what is learned once is known to all.
#[derive(Debug)]
pub(super) struct Access {
    spec: RegistrySpec,
    /// Where its tunnel listens, which may be a tunnel to one of its hosts alone.
    entrance: RegistrySpec,
    paths: Paths,
    /// Docker's folder of settings.
    docker: PathBuf,
    logins: Arc<Logins>,
    /// Outlives the clients.
    spoken_tls: SpokenTls,
    /// Of those who use it now.
    client: Mutex<Option<Client>>,
}

impl Access {
    pub(super) fn new(spec: RegistrySpec, paths: &Paths, asker: Arc<Asker>) -> Self {
        let docker = docker_folder(paths.ssh.home_ssh.parent());
        let kept = Kept::new(asker.secrets.clone(), &paths.state_dir);
        let logins = Arc::new(Logins::new(spec.clone(), asker, kept, docker.join("config.json")));
        Self {
            entrance: spec.clone(),
            spec,
            paths: paths.clone(),
            docker,
            logins,
            spoken_tls: SpokenTls::default(),
            client: Mutex::default(),
        }
    }

    /// The same registry at another entrance: with its logins and certificates, which its own name and port keep.
    pub(super) fn at(&self, entrance: RegistrySpec) -> Self {
        Self {
            spec: self.spec.clone(),
            entrance,
            paths: self.paths.clone(),
            docker: self.docker.clone(),
            logins: self.logins.clone(),
            spoken_tls: self.spoken_tls.clone(),
            client: Mutex::default(),
        }
    }

    /// The client; clones share their connections and their login.
    pub(super) fn client(&self) -> Result<Client, UiError> {
        let mut kept = self.kept_client();
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        let client = self.client_as(self.logins.clone())?;
        Ok(kept.insert(client).clone())
    }

    /// Lets the connections go that a client keeps for its next request: they would hold the tunnel, and count as use
    /// of it. Whoever has a clone still works with it.
    pub(super) fn rest(&self) {
        *self.kept_client() = None;
    }

    /// Which registry that is, whatever port leads there: one of several hosts has contents of its own.
    pub(super) fn place(&self, spec: &RegistrySpec) -> String {
        match spec.hosts().count() == self.spec.hosts().count() {
            true => self.spec.authority(),
            false => format!("{} at {}", self.spec.authority(), spec.ssh),
        }
    }

    /// Which registry this is.
    pub(super) fn name(&self) -> &RegistryName {
        &self.spec.name
    }

    /// See [`refused`].
    pub(super) fn refused(&self, error: &RegistryError) -> UiError {
        refused(error, &self.spec)
    }

    fn kept_client(&self) -> MutexGuard<'_, Option<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client_as(&self, credentials: Arc<dyn CredentialSource>) -> Result<Client, UiError> {
        let spec = &self.spec;
        let config = ClientConfig {
            url: spec.url.as_deref().cloned(),
            tls: tls_files(spec, &self.paths, &self.docker),
            credentials: Some(credentials),
            spoken_tls: self.spoken_tls.clone(),
            own_authority: Some(spec.authority()),
            recorded_as: Some(self.place(&self.entrance)),
            ..ClientConfig::new(self.entrance.listen(), self.entrance.authority())
        };
        Client::new(config).map_err(|error| self.refused(&error))
    }

    /// What is kept for the registry, for an engine that asks it in our place. Nobody is asked.
    pub(super) async fn kept(&self) -> Option<dockline_registry::Credentials> {
        match self.logins.find().await {
            Ok(found) => found,
            Err(error) => {
                // The engine may get in all the same; if not, it says so.
                tracing::warn!(code = ?error.code, "no login could be looked up");
                None
            }
        }
    }

    fn view(&self, client: &Client, origin: Option<CredentialOrigin>) -> AccessView {
        let (scheme, user) = client.login();
        AccessView {
            authority: self.spec.authority(),
            tls: client.is_tls(),
            origin: origin.filter(|_| user.is_some()),
            scheme,
            user,
        }
    }

    /// A client that has what is kept and asks nobody.
    pub(super) fn quiet_client(&self) -> Result<Client, UiError> {
        self.client_as(Arc::new(Quiet(self.logins.clone())))
    }

    /// Whether we get in with what is kept.
    async fn check(&self) -> Result<AccessView, RegistryError> {
        let client = self.quiet_client().map_err(RegistryError::Credentials)?;
        match client.ping().await {
            // A registry that wants a login is no failure here.
            Ok(()) | Err(RegistryError::Auth { .. } | RegistryError::Denied { .. }) => {
                Ok(self.view(&client, self.logins.origin()))
            }
            Err(error) => Err(error),
        }
    }

    /// Tries a login, and keeps it if it is right.
    async fn log_in(
        &self,
        user: Option<String>,
        secret: Option<Secret>,
    ) -> Result<AccessView, RegistryError> {
        let secret = secret.map(|secret| SecretString::from(secret.expose().to_owned()));
        let candidate = Arc::new(Candidate::new(self.logins.clone(), user, secret));
        let client = self.client_as(candidate.clone()).map_err(RegistryError::Credentials)?;
        client.ping().await?;
        let (scheme, user) = client.login();
        let (Some(credentials), Some(_)) = (candidate.tried(), user) else {
            // It lets everybody in: a login that cannot be tried is not kept.
            return Ok(AccessView {
                authority: self.spec.authority(),
                tls: client.is_tls(),
                scheme,
                user: None,
                origin: None,
            });
        };
        let origin = self.logins.keep(credentials).await;
        self.start_anew();
        Ok(self.view(&client, Some(origin)))
    }

    /// Takes notice of a login or a logout that happened elsewhere, as `docker logout` does. Called when somebody begins to
    /// use the registry: a client that lives on would stay logged in.
    pub(super) async fn look_again(&self) {
        let Some(client) = self.kept_client().clone().filter(Client::has_looked_for_login) else { return };
        // What cannot be looked up is not known to have changed.
        if let Some(now) = self.logins.now().await
            && !client.is_logged_in_as(now.as_ref())
        {
            tracing::info!(registry = %self.spec.name, "another login is kept than before, or none");
            client.forget_login();
        }
    }

    fn start_anew(&self) {
        if let Some(client) = &*self.kept_client() {
            client.forget_login();
        }
    }
}

impl Actor {
    pub(super) fn check_access(&self, name: &RegistryName, answer: Answerer) {
        self.visit(name, answer, |visit| async move {
            let access = visit.access.check().await.map_err(|error| visit.told(&error))?;
            Ok(Reply::Access { access })
        });
    }

    pub(super) fn login(
        &self,
        name: &RegistryName,
        user: Option<String>,
        secret: Option<Secret>,
        answer: Answerer,
    ) {
        self.visit(name, answer, |visit| async move {
            match visit.access.log_in(user, secret).await {
                Ok(access) => Ok(Reply::Access { access }),
                Err(RegistryError::Auth { details, .. }) => {
                    let error = UiError::new(
                        Code::RegistryAuth,
                        format!("{} did not accept this name and password.", visit.access.spec.authority()),
                    );
                    Err(error.hint("Nothing was kept. Check both; some registries want a token instead of the password.").details(details))
                }
                Err(error) => Err(visit.told(&error)),
            }
        });
    }

    /// Nothing needs to be open for that.
    pub(super) fn logout(&self, name: &RegistryName, answer: Answerer) {
        let visitor: Result<Visitor, UiError> = self.visitor(name);
        tokio::spawn(async move {
            let result = match visitor {
                Ok(visitor) => {
                    let access = visitor.access;
                    let forgotten = access.logins.forget().await;
                    access.start_anew();
                    // Docker's own login is not ours to forget, and counts from now on.
                    let others = access.kept().await;
                    let client = access.kept_client().clone();
                    let view = AccessView {
                        authority: access.spec.authority(),
                        tls: client.as_ref().is_some_and(Client::is_tls),
                        scheme: client.map_or(LoginScheme::None, |client| client.login().0),
                        origin: others.as_ref().and_then(|_| access.logins.origin()),
                        user: others.map(|login| login.user),
                    };
                    forgotten.map(|()| Reply::Access { access: view })
                }
                Err(error) => Err(error),
            };
            // A face that has gone does not hear it.
            let _ = answer.send(result);
        });
    }
}
