//! The operating system's keyring: Secret Service, Keychain or Credential Manager.
//!
//! A machine without one (a server, a container) is nothing unusual: secrets are asked for again there.

use dockline_tunnel::SecretId;
use secrecy::{ExposeSecret, SecretString};
#[cfg(all(unix, not(target_os = "macos")))]
use std::collections::HashMap;
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
    /// Whether the last call found a keyring that works. Whoever asks for a secret has looked for it before.
    works: Arc<AtomicBool>,
}

impl Secrets {
    pub(crate) fn new(allowed: bool) -> Self {
        Self { allowed: Arc::new(AtomicBool::new(allowed)), works: Arc::new(AtomicBool::new(true)) }
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

    /// Whether it makes sense to offer that a secret be kept.
    pub(crate) fn is_available(&self) -> bool {
        self.is_on() && self.works.load(Ordering::Relaxed)
    }

    /// A secret that was remembered; `None` if there is none, or no keyring.
    pub(crate) async fn recall(&self, id: &SecretId) -> Option<SecretString> {
        let secret = self.with_entry("read", id, |entry| entry.get_password()).await?;
        Some(SecretString::from(secret))
    }

    /// Keeps a secret, and says whether that worked.
    pub(crate) async fn try_remember(&self, id: &SecretId, secret: &SecretString) -> bool {
        let secret = secret.clone();
        self.with_entry("write", id, move |entry| entry.set_password(secret.expose_secret())).await.is_some()
    }

    /// Keeps a secret; a keyring that does not work is only logged, since the connection itself is fine.
    pub(crate) async fn remember(&self, id: &SecretId, secret: &SecretString) {
        self.try_remember(id, secret).await;
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
        let id = id.clone();
        let (send, receive) = oneshot::channel();
        let spawned = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            // Nobody listens any more after the time-out.
            let _ = send.send(entry(&id).and_then(|entry| call(&entry)));
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for the keyring");
            return None;
        }
        let (found, works) = match timeout(PATIENCE, receive).await {
            Ok(Ok(Ok(value))) => (Some(value), true),
            Ok(Ok(Err(keyring::Error::NoEntry))) => (None, true),
            Ok(Ok(Err(error))) => {
                // Every machine without a desktop gets here, so it is no warning.
                tracing::info!(%error, what, "the keyring cannot be used");
                (None, false)
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(what, "the keyring does not answer");
                (None, false)
            }
        };
        self.works.store(works, Ordering::Relaxed);
        found
    }
}

/// The keyring's entry. On a connection of its own: `keyring` makes one for the life of the process, so that a
/// keyring that starts after it (an agent starts before the desktop does) or is started again would never be found.
#[cfg(all(unix, not(target_os = "macos")))]
fn entry(id: &SecretId) -> keyring::Result<keyring::Entry> {
    use keyring_core::api::CredentialStoreApi as _;
    let label = label(id);
    let modifiers = HashMap::from([("label", label.as_str())]);
    let store = zbus_secret_service_keyring_store::Store::new()?;
    Ok(keyring::Entry { inner: store.build(SERVICE, &account(id), Some(&modifiers))? })
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn entry(id: &SecretId) -> keyring::Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, &account(id))
}

/// Which entry it is, for programs.
fn account(id: &SecretId) -> String {
    match id {
        SecretId::Passphrase { key_path } => format!("passphrase:{}", key_path.display()),
        SecretId::Password { login } => format!("password:{login}"),
        SecretId::Registry { server } => format!("registry:{server}"),
    }
}

/// What the person reads in the list of their secrets.
#[cfg(all(unix, not(target_os = "macos")))]
fn label(id: &SecretId) -> String {
    match id {
        SecretId::Passphrase { key_path } => format!("Dockline: passphrase of {}", key_path.display()),
        SecretId::Password { login } => format!("Dockline: password of {login}"),
        SecretId::Registry { server } => format!("Dockline: login at {server}"),
    }
}
