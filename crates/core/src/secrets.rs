//! The operating system's keyring: Secret Service, Keychain or Credential Manager.
//!
//! A machine without one (a server, a container) is nothing unusual: secrets are asked for again there.

use dockline_tunnel::SecretId;
use secrecy::{ExposeSecret, SecretString};
use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};

/// The entries' service name.
const SERVICE: &str = "dockline";
/// A keyring may itself ask the person to unlock it; one that hangs for longer is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The keyring, or none.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    /// As the configuration has it now.
    allowed: Arc<AtomicBool>,
}

impl Secrets {
    pub(crate) fn new(allowed: bool) -> Self {
        Self { allowed: Arc::new(AtomicBool::new(allowed)) }
    }

    /// Takes over the setting from a configuration that was changed.
    pub(crate) fn allow(&self, allowed: bool) {
        self.allowed.store(allowed, Ordering::Relaxed);
    }

    /// `DOCKLINE_KEYRING=off` keeps tests and scripts away from the person's keyring.
    fn is_on(&self) -> bool {
        self.allowed.load(Ordering::Relaxed)
            && env::var_os("DOCKLINE_KEYRING").is_none_or(|value| value != "off")
    }

    /// A secret that was remembered; `None` if there is none, or no keyring.
    pub(crate) async fn recall(&self, id: &SecretId) -> Option<SecretString> {
        let secret = self.with_entry("read", id, |entry| entry.get_password()).await?;
        Some(SecretString::from(secret))
    }

    /// Keeps a secret; a keyring that does not work is only logged, since the connection itself is fine.
    pub(crate) async fn remember(&self, id: &SecretId, secret: &SecretString) {
        let secret = secret.clone();
        self.with_entry("write", id, move |entry| entry.set_password(secret.expose_secret())).await;
    }

    /// Removes a secret that proved wrong.
    pub(crate) async fn forget(&self, id: &SecretId) {
        self.with_entry("remove", id, |entry| entry.delete_credential()).await;
    }

    /// The keyring's calls block, for as long as a person takes to unlock it. A thread of its own, unlike the
    /// runtime's blocking pool, does not hold up the program's end.
    async fn with_entry<T: Send + 'static>(
        &self,
        what: &'static str,
        id: &SecretId,
        call: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Option<T> {
        if !self.is_on() {
            return None;
        }
        let account = account(id);
        let (send, receive) = oneshot::channel();
        let spawned = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            // Nobody listens any more after the time-out.
            let _ = send.send(keyring::Entry::new(SERVICE, &account).and_then(|entry| call(&entry)));
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for the keyring");
            return None;
        }
        match timeout(PATIENCE, receive).await {
            Ok(Ok(Ok(value))) => Some(value),
            Ok(Ok(Err(keyring::Error::NoEntry))) => None,
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, what, "the keyring does not work");
                None
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(what, "the keyring does not answer");
                None
            }
        }
    }
}

fn account(id: &SecretId) -> String {
    match id {
        SecretId::Passphrase { key_path } => format!("passphrase:{}", key_path.display()),
        SecretId::Password { login } => format!("password:{login}"),
    }
}
