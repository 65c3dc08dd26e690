//! Dockline's own logins: in the keyring, with a list of whose there are beside the state.

use crate::{
    Paths,
    files::{blocking, replace},
    secrets::{NotKept, Secrets},
};
use dockline_model::{Code, UiError};
use dockline_registry::Credentials;
use dockline_tunnel::SecretId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[cfg(windows)]
const KEYRING_HINT: &str =
    "See that Windows' service Credential Manager runs, or allow it: keyring = true in the configuration.";
#[cfg(target_os = "macos")]
const KEYRING_HINT: &str =
    "Unlock the login keychain in Keychain Access, or allow it: keyring = true in the configuration.";
#[cfg(not(any(windows, target_os = "macos")))]
const KEYRING_HINT: &str =
    "Start or unlock one (gnome-keyring, KWallet), or allow it: keyring = true in the configuration.";

/// The logins in the keyring.
#[derive(Debug, Clone)]
pub struct Kept {
    secrets: Secrets,
    /// Registry → user; a keyring cannot be asked for everything in it on every system. No secret is in there.
    list: PathBuf,
}

/// A login to keep, or one that was kept. `Debug` never shows the secret.
#[derive(Debug, Clone)]
pub struct KeptLogin {
    /// The name.
    pub user: String,
    /// The password or token.
    pub secret: SecretString,
}

/// The keyring's text.
#[derive(Serialize, Deserialize)]
struct Entry {
    user: String,
    secret: String,
}

impl Kept {
    pub(crate) fn new(secrets: Secrets, state_dir: &Path) -> Self {
        Self { secrets, list: state_dir.join("logins.json") }
    }

    /// For a program that is no owner of tunnels: Docker's credential helper.
    ///
    /// # Errors
    /// If the configuration does not read.
    pub fn open(paths: &Paths) -> Result<Self, UiError> {
        let config = crate::config::load(&paths.config_file).map_err(|error| UiError::from(&error))?;
        Ok(Self::new(Secrets::new(config.settings.keyring), &paths.state_dir))
    }

    /// Whether there is a keyring, and it has answered the last time.
    pub(crate) fn is_available(&self) -> bool {
        self.secrets.is_available()
    }

    pub(crate) async fn get(&self, server: &str) -> Option<Credentials> {
        let text = self.secrets.recall(&id(server)).await?;
        let entry: Entry = serde_json::from_str(text.expose_secret()).ok()?;
        Some(Credentials { user: entry.user, secret: SecretString::from(entry.secret) })
    }

    /// What is kept for `server`.
    pub async fn login(&self, server: &str) -> Option<KeptLogin> {
        let credentials = self.get(server).await?;
        Some(KeptLogin { user: credentials.user, secret: credentials.secret })
    }

    /// Keeps a login, in the place of an earlier one.
    ///
    /// # Errors
    /// `Keyring` if there is none that works, or it takes nothing of that length.
    pub async fn keep(&self, server: &str, login: KeptLogin) -> Result<(), UiError> {
        self.store(server, &Credentials { user: login.user, secret: login.secret }).await
    }

    pub(crate) async fn store(&self, server: &str, credentials: &Credentials) -> Result<(), UiError> {
        let entry =
            Entry { user: credentials.user.clone(), secret: credentials.secret.expose_secret().to_owned() };
        let text = serde_json::to_string(&entry)
            .map(SecretString::from)
            .map_err(|_| not_kept(NotKept::NoKeyring))?;
        self.secrets.try_remember(&id(server), &text).await.map_err(not_kept)?;
        self.note(|list| drop(list.insert(server.to_owned(), credentials.user.clone()))).await;
        Ok(())
    }

    /// Forgets a login; one that is not there is forgotten already.
    pub async fn erase(&self, server: &str) {
        self.secrets.forget(&id(server)).await;
        self.note(|list| drop(list.remove(server))).await;
    }

    /// Whose logins there are: registry → user.
    pub async fn list(&self) -> BTreeMap<String, String> {
        let text = tokio::fs::read(&self.list).await.unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// The list is only for looking: one that cannot be written takes no login away.
    async fn note(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        let mut list = self.list().await;
        let before = list.clone();
        change(&mut list);
        if list == before {
            return;
        }
        let path = self.list.clone();
        let written = blocking(move || replace(&path, &serde_json::to_vec(&list)?)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::warn!("the list of logins could not be written");
        }
    }
}

fn not_kept(why: NotKept) -> UiError {
    match why {
        NotKept::NoKeyring => {
            UiError::new(Code::Keyring, "The login was not kept: this system has no keyring that works.")
                .hint(KEYRING_HINT)
        }
        NotKept::TooLong => {
            UiError::new(Code::Keyring, "The login was not kept: it is longer than this system's keyring takes.").hint(
                "Log in with a shorter token, or name a credential helper for this registry in Docker's config.json \
                 (credHelpers).",
            )
        }
    }
}

fn id(server: &str) -> SecretId {
    SecretId::Registry { server: server.to_owned() }
}
