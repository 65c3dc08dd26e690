//! Apple's `UseKeychain`: the passphrases that its own `ssh` has kept are in the keychain under a name of Apple's, and
//! its `ssh-add` puts their keys into the agent.

use crate::session::key_file::{KeyFile, KeySecret};
use russh::keys::agent::AgentIdentity;
use std::{path::Path, process::Stdio, time::Duration};

/// Apple's; one that somebody installed beside it knows no keychain.
const SSH_ADD: &str = "/usr/bin/ssh-add";
/// The keychain is open as long as the person is logged in, so it takes no time.
const LOAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether the keychain may save somebody a question: a key is encrypted, and the agent does not have it.
pub(super) fn is_wanted(
    is_macos: bool,
    use_keychain: bool,
    identities: &[AgentIdentity],
    files: &[KeyFile],
) -> bool {
    let has = |file: &KeyFile| {
        let key = file.public.as_ref().map(|public| public.key_data());
        identities.iter().any(|identity| key == Some(identity.public_key().key_data()))
    };
    let is_locked = |file: &KeyFile| matches!(file.secret, KeySecret::Encrypted(_)) && !has(file);
    is_macos && use_keychain && files.iter().any(is_locked)
}

/// Has the agent at `place` take the keys whose passphrases the keychain has.
pub(super) async fn load(place: &Path) {
    let mut loading = tokio::process::Command::new(SSH_ADD);
    dockline_programs::prepare(loading.as_std_mut());
    loading.arg("--apple-load-keychain").env("SSH_AUTH_SOCK", place).kill_on_drop(true);
    loading.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ended = tokio::time::timeout(LOAD_TIMEOUT, loading.status()).await;
    tracing::debug!(?ended, "the agent was offered the keychain's keys");
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::{Algorithm, PrivateKey};

    #[test]
    fn the_keychain_is_for_encrypted_keys_that_the_agent_lacks() {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let file = |secret| KeyFile {
            path: "/k".into(),
            public: Some(key.public_key().clone()),
            secret,
            certificate: None,
        };
        let locked = [file(KeySecret::Encrypted("text".to_owned()))];
        let held = AgentIdentity::PublicKey { key: key.public_key().clone(), comment: String::new() };
        assert!(is_wanted(true, true, &[], &locked));
        assert!(!is_wanted(false, true, &[], &locked));
        assert!(!is_wanted(true, false, &[], &locked));
        assert!(!is_wanted(true, true, &[held], &locked));
        assert!(!is_wanted(true, true, &[], &[file(KeySecret::Plain(key.clone().into()))]));
        let unnamed = KeyFile { public: None, ..file(KeySecret::Encrypted("text".to_owned())) };
        assert!(is_wanted(true, true, &[], &[unnamed]));
    }
}
