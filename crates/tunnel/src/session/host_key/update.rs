//! `UpdateHostKeys`: a server that has proved one key may name its others (OpenSSH's PROTOCOL §2.5), so that the
//! day it changes one is no day of alarm. What it names is written down only after it proved to hold it.

use super::{ALGORITHMS, file, key_type};
use crate::known_hosts::{Key, RevokedKeys, Update};
use russh::{
    client,
    keys::{PublicKey, signature::Verifier as _, ssh_key::Signature},
};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};
use tokio::sync::oneshot;

/// The request by which the server proves that it holds its new keys.
const PROVE: &str = "hostkeys-prove-00@openssh.com";
/// No server has more keys than that, and a list without an end must not fill known_hosts.
const MOST_KEYS: usize = 16;

/// What a server's list of keys is compared with.
#[derive(Debug, Clone)]
pub(in crate::session) struct Announcement {
    pub(super) name: String,
    /// The key that this session was accepted by.
    pub(super) shown: Key,
    pub(super) files: Vec<PathBuf>,
    pub(super) is_hashed: bool,
    pub(super) revoked: RevokedKeys,
}

/// A change of known_hosts that the server asked for.
#[derive(Debug)]
struct Proposal {
    announcement: Announcement,
    update: Update,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Announcement {
    /// What the list changes, if anything.
    fn heard(self, keys: &[PublicKey]) -> Option<Proposal> {
        let keys: Vec<Key> = keys.iter().filter_map(|key| Key::of(key.key_data())).collect();
        if keys.len() > MOST_KEYS || !keys.contains(&self.shown) {
            return None;
        }
        let mut named: Vec<Key> = Vec::new();
        for key in keys {
            let is_asked_for = ALGORITHMS.iter().any(|algorithm| key_type(algorithm) == key.key_type());
            if is_asked_for && !self.revoked.revokes(&key, None) && !named.contains(&key) {
                named.push(key);
            }
        }
        let files: Vec<(PathBuf, Vec<u8>)> =
            self.files.iter().filter_map(|file| Some((file.clone(), std::fs::read(file).ok()?))).collect();
        let update = Update::plan(&self.name, &named, &files)?;
        Some(Proposal { announcement: self, update, files })
    }
}

impl Announcement {
    /// Asks the server for the proof of what is new, and writes it down. Returns at once: neither the session nor
    /// whoever waits for it waits for this.
    pub(in crate::session) fn follow(
        self,
        keys: &[PublicKey],
        session: &mut client::Session,
        session_id: Arc<OnceLock<Vec<u8>>>,
    ) {
        let Some(proposal) = self.heard(keys) else { return };
        let request = proposal.request();
        if request.is_empty() {
            tokio::task::spawn_blocking(|| proposal.write());
            return;
        }
        let (reply, replied) = oneshot::channel();
        if session.send_global_request(Some(reply), PROVE, &request).is_err() {
            return;
        }
        // It ends with the session at the latest, which drops the other end of the channel.
        tokio::spawn(async move {
            let (Ok(Some(reply)), Some(session_id)) = (replied.await, session_id.get()) else {
                tracing::debug!("the server did not prove its new keys");
                return;
            };
            if proposal.is_proved(session_id, &reply) {
                let _ = tokio::task::spawn_blocking(|| proposal.write()).await;
            } else {
                tracing::warn!("the server named keys that it does not hold");
            }
        });
    }
}

impl Proposal {
    /// What the request for the proof holds; empty where there is nothing to prove.
    fn request(&self) -> Vec<u8> {
        self.update.new.iter().flat_map(|key| string(key.blob())).collect()
    }

    /// Whether the server signed every new key, with this session's number.
    fn is_proved(&self, session_id: &[u8], mut reply: &[u8]) -> bool {
        let proved =
            self.update.new.iter().all(|key| {
                take_string(&mut reply).is_some_and(|signature| proves(key, session_id, signature))
            });
        proved && reply.is_empty()
    }

    /// Writes the change down. Whoever changed a file in between keeps their change; the next session tries again.
    fn write(self) {
        let Self { announcement, update, files } = self;
        let salt = || announcement.is_hashed.then(rand::random);
        for change in update.apply(&announcement.name, files, salt) {
            match file::replace(&change) {
                Ok(true) => tracing::debug!("known_hosts follows the server's keys"),
                Ok(false) => tracing::debug!("known_hosts changed meanwhile and was left alone"),
                Err(error) => {
                    tracing::debug!(kind = ?error.kind(), "known_hosts could not be brought up to date")
                }
            }
        }
    }
}

fn proves(key: &Key, session_id: &[u8], signature: &[u8]) -> bool {
    let signed = [string(PROVE.as_bytes()), string(session_id), string(key.blob())].concat();
    let Ok(public) = PublicKey::from_bytes(key.blob()) else { return false };
    let Ok(signature) = Signature::try_from(signature) else { return false };
    // SHA-1 proves nothing any more.
    signature.algorithm().as_str() != "ssh-rsa" && public.key_data().verify(&signed, &signature).is_ok()
}

/// RFC 4251 §5.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn take_string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (string, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *bytes = rest;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::{Algorithm, PrivateKey, signature::Signer as _};

    fn proposal(keys: &[&PrivateKey]) -> Proposal {
        Proposal {
            announcement: Announcement {
                name: "a.org".to_owned(),
                shown: Key::of(keys[0].public_key().key_data()).unwrap(),
                files: Vec::new(),
                is_hashed: false,
                revoked: RevokedKeys::default(),
            },
            update: Update::plan(
                "a.org",
                &keys.iter().map(|key| Key::of(key.public_key().key_data()).unwrap()).collect::<Vec<_>>(),
                &[],
            )
            .unwrap(),
            files: Vec::new(),
        }
    }

    fn signed(by: &PrivateKey, session_id: &[u8], about: &PrivateKey) -> Vec<u8> {
        let blob = about.public_key().to_bytes().unwrap();
        let text = [string(PROVE.as_bytes()), string(session_id), string(&blob)].concat();
        string(&Vec::try_from(by.try_sign(&text).unwrap()).unwrap())
    }

    #[test]
    fn a_proof_is_of_this_session_by_every_key() {
        let [a, b] = [(); 2].map(|()| PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap());
        let proposal = proposal(&[&a, &b]);
        let good = [signed(&a, b"session", &a), signed(&b, b"session", &b)].concat();
        assert!(proposal.is_proved(b"session", &good));
        assert!(!proposal.is_proved(b"another", &good));
        assert!(!proposal.is_proved(b"session", &signed(&a, b"session", &a)), "one is missing");
        assert!(!proposal.is_proved(b"session", &[good.clone(), vec![0]].concat()), "too much");
        let stolen = [signed(&a, b"session", &a), signed(&a, b"session", &b)].concat();
        assert!(!proposal.is_proved(b"session", &stolen), "signed by another key");
    }
}
