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

/// Why a secret was not kept, read or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotKept {
    /// Somebody switched it off.
    Off,
    /// There is no keyring that works, or it is locked and stays so.
    NoKeyring,
    /// The keyring works, and takes nothing of that length: Windows' takes 2,560 bytes, and a cloud's token may be longer.
    TooLong,
}

impl NotKept {
    fn of(error: &keyring::Error) -> Self {
        if matches!(error, keyring::Error::TooLong(..)) { Self::TooLong } else { Self::NoKeyring }
    }
}

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

    fn is_on(&self) -> bool {
        self.allowed.load(Ordering::Relaxed) && !is_out_of_reach()
    }

    /// Whether it makes sense to offer that a secret be kept.
    pub(crate) fn is_available(&self) -> bool {
        self.is_on() && self.works.load(Ordering::Relaxed)
    }

    /// A secret that was remembered; `None` if there is none, or no keyring.
    pub(crate) async fn recall(&self, id: &SecretId) -> Option<SecretString> {
        self.try_recall(id).await.ok()?
    }

    /// The same where it matters why there is none.
    pub(crate) async fn try_recall(&self, id: &SecretId) -> Result<Option<SecretString>, NotKept> {
        if !self.is_on() {
            return Err(NotKept::Off);
        }
        Ok(self.with_entry("read", id, read).await?.map(SecretString::from))
    }

    /// Keeps a secret, or says why it could not.
    pub(crate) async fn try_remember(&self, id: &SecretId, secret: &SecretString) -> Result<(), NotKept> {
        if !self.is_on() {
            return Err(NotKept::Off);
        }
        let secret = secret.clone();
        self.with_entry("write", id, move |entry| write(entry, secret.expose_secret())).await?;
        Ok(())
    }

    /// Keeps a secret; a keyring that does not work is only logged, since the connection itself is fine.
    pub(crate) async fn remember(&self, id: &SecretId, secret: &SecretString) {
        // It has been logged.
        let _ = self.try_remember(id, secret).await;
    }

    /// Removes a secret that proved wrong.
    pub(crate) async fn forget(&self, id: &SecretId) {
        if self.is_on() {
            // It has been logged.
            let _ = self.try_forget(id).await;
        }
    }

    /// Removes a secret, or says why it may still be there. Settings that keep a keyring from being used do not keep a
    /// secret in it that a person wants gone.
    pub(crate) async fn try_forget(&self, id: &SecretId) -> Result<(), NotKept> {
        if is_out_of_reach() {
            return Err(NotKept::Off);
        }
        self.with_entry("remove", id, |entry| entry.delete_credential()).await?;
        Ok(())
    }

    /// `Ok(None)` if the keyring has no such entry.
    ///
    /// The keyring's calls block, for as long as a person takes to unlock it. A thread of its own, unlike the
    /// runtime's blocking pool, does not hold up the program's end.
    async fn with_entry<T: Send + 'static>(
        &self,
        what: &'static str,
        id: &SecretId,
        call: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<Option<T>, NotKept> {
        let id = id.clone();
        let (send, receive) = oneshot::channel();
        let spawned = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            // Nobody listens any more after the time-out.
            let _ = send.send(entry(&id).and_then(|entry| call(&entry)));
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for the keyring");
            return Err(NotKept::NoKeyring);
        }
        let found = match timeout(PATIENCE, receive).await {
            Ok(Ok(Ok(value))) => Ok(Some(value)),
            Ok(Ok(Err(keyring::Error::NoEntry))) => Ok(None),
            Ok(Ok(Err(error))) => {
                // Every machine without a desktop gets here, so it is no warning.
                tracing::info!(%error, what, "the keyring cannot be used");
                Err(NotKept::of(&error))
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(what, "the keyring does not answer");
                Err(NotKept::NoKeyring)
            }
        };
        self.works.store(!matches!(found, Err(NotKept::NoKeyring)), Ordering::Relaxed);
        found
    }
}

/// `DOCKLINE_KEYRING=off` keeps tests and scripts away from the person's keyring, whatever they do.
fn is_out_of_reach() -> bool {
    env::var_os("DOCKLINE_KEYRING").is_some_and(|value| value == "off")
}

#[cfg(not(windows))]
fn read(entry: &keyring::Entry) -> keyring::Result<String> {
    entry.get_password()
}

#[cfg(not(windows))]
fn write(entry: &keyring::Entry, secret: &str) -> keyring::Result<()> {
    entry.set_password(secret)
}

#[cfg(windows)]
fn read(entry: &keyring::Entry) -> keyring::Result<String> {
    // The error would have the secret in it.
    text(&entry.get_secret()?).ok_or_else(|| keyring::Error::BadEncoding(Vec::new()))
}

/// As UTF-8, of which the Credential Manager takes twice as many characters as of what `set_password` makes of it.
#[cfg(windows)]
fn write(entry: &keyring::Entry, secret: &str) -> keyring::Result<()> {
    entry.set_secret(secret.as_bytes())
}

/// What the Credential Manager has: UTF-8, or the UTF-16 that earlier versions and other programs write. No secret
/// has a NUL in it, and UTF-16 has one in each character of ASCII.
#[cfg(any(windows, test))]
fn text(bytes: &[u8]) -> Option<String> {
    if !bytes.contains(&0)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Some(text.to_owned());
    }
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16(&units).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_in_both_of_the_ways_that_it_was_written_on_windows() {
        let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        for secret in [r#"{"user":"me","secret":"s3cret"}"#, "pässwörd", "密码密码", "", "x"] {
            assert_eq!(text(secret.as_bytes()).as_deref(), Some(secret));
            assert_eq!(text(&wide(secret)).as_deref(), Some(secret));
        }
        assert_eq!(text(&[0xff, 0, 0xff]), None);
    }

    #[test]
    fn a_secret_that_is_too_long_is_no_keyring_that_does_not_work() {
        let long = keyring::Error::TooLong("secret".to_owned(), 2560);
        assert_eq!(NotKept::of(&long), NotKept::TooLong);
        assert_eq!(NotKept::of(&keyring::Error::NoEntry), NotKept::NoKeyring);
    }
}
