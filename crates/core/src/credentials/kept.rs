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

/// In the folder of the state.
const LIST: &str = "logins.json";

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
        Self { secrets, list: state_dir.join(LIST) }
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
        let login = read(&self.secrets.recall(&id(server)).await?)?;
        Some(Credentials { user: login.user, secret: login.secret })
    }

    /// What is kept for `server`.
    ///
    /// # Errors
    /// `Keyring` if a login is kept there and the keyring does not give it: it is locked, most of the time.
    pub async fn login(&self, server: &str) -> Result<Option<KeptLogin>, UiError> {
        match self.secrets.try_recall(&id(server)).await {
            Ok(text) => Ok(text.as_ref().and_then(read)),
            // A machine without a keyring has nothing to say of a registry that nobody logged in at: Docker takes an
            // error for the end, and goes on without a login where there is none.
            Err(NotKept::NoKeyring) if self.list().await.contains_key(server) => Err(not_read(server)),
            Err(NotKept::NoKeyring | NotKept::Off | NotKept::TooLong) => Ok(None),
        }
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
    ///
    /// # Errors
    /// `Keyring` if it could not be deleted. It stays in the list then.
    pub async fn erase(&self, server: &str) -> Result<(), UiError> {
        if let Err(why) = self.secrets.try_forget(&id(server)).await
            // A machine without a keyring keeps nothing, and there is nothing to delete.
            && self.list().await.contains_key(server)
        {
            return Err(not_forgotten(server, why));
        }
        self.note(|list| drop(list.remove(server))).await;
        Ok(())
    }

    /// Whose logins there are: registry → user.
    pub async fn list(&self) -> BTreeMap<String, String> {
        read_list(&self.list).await
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

/// Whose logins are kept on this machine: registry → user. The keyring is not asked.
pub(super) async fn names(state_dir: &Path) -> BTreeMap<String, String> {
    read_list(&state_dir.join(LIST)).await
}

async fn read_list(path: &Path) -> BTreeMap<String, String> {
    let text = tokio::fs::read(path).await.unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn read(text: &SecretString) -> Option<KeptLogin> {
    let entry: Entry = serde_json::from_str(text.expose_secret()).ok()?;
    Some(KeptLogin { user: entry.user, secret: SecretString::from(entry.secret) })
}

fn not_read(server: &str) -> UiError {
    UiError::new(
        Code::Keyring,
        format!("The login for {server} is in this system's keyring, which is locked or does not answer."),
    )
    .hint("Unlock the keyring and try again.")
}

fn not_forgotten(server: &str, why: NotKept) -> UiError {
    let error = UiError::new(
        Code::Keyring,
        format!("The login for {server} is still in this system's keyring: it could not be deleted there."),
    );
    error.hint(match why {
        NotKept::Off => {
            "DOCKLINE_KEYRING=off keeps Dockline away from the keyring. Unset it and log out again."
        }
        NotKept::NoKeyring | NotKept::TooLong => "Start or unlock the keyring and log out again.",
    })
}

fn not_kept(why: NotKept) -> UiError {
    match why {
        NotKept::NoKeyring | NotKept::Off => {
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
