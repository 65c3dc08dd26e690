//! Whether a server is who it should be: the verdict of known_hosts and of `RevokedHostKeys` on the key or
//! certificate that it showed.
//!
//! The order is OpenSSH's (`verify_host_key`, `check_host_key`): revoked keys first; then, for a certificate, its
//! authority; then the key alone, for which a certificate without a valid signature of a trusted authority is no
//! reason either way. Three things are stricter: a certificate that a trusted authority signed and that is not valid
//! (any more) is refused instead of asked about, unless its key is known by itself; a key that has changed at a port
//! is refused even if it came in a certificate and is known without the port; and nothing lets a changed or a revoked
//! key through, `StrictHostKeyChecking no` included. And with `HostKeyAlgorithms`, too, the types that are known are
//! asked for first.

mod certificate;
mod file;
mod update;

pub(super) use file::remember;
pub(super) use update::Announcement;

use crate::{
    error::{Distrust, TunnelError},
    host_options::{HostOptions, StrictChecking},
    known_hosts::{Authority, Key, KnownHosts, Place, RevokedKeys, Verdict},
};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKeyOrCertificate};
use std::{
    io,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

/// The types that are asked for, in the order of OpenSSH 9's defaults. SHA-1 signatures (`ssh-rsa`) and DSA never.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// What to ask a server for, most wanted first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostKeyAlgorithms {
    pub keys: Vec<Algorithm>,
    /// The types of keys whose certificates are wanted; they go before all keys.
    pub certificates: Vec<Algorithm>,
}

/// Judges the key of one session. An unknown key ends the session and is left in `shown`: a person is asked with no
/// session waiting, since sshd's `LoginGraceTime` would end it under their hands.
pub(super) struct Verifier {
    known: KnownHosts,
    revoked: Option<RevokedKeys>,
    options: HostOptions,
    trusted: Vec<(String, Vec<u8>)>,
    shown: Arc<OnceLock<Key>>,
    /// The key that was accepted by itself, and where it is written.
    accepted: Option<(Key, Place)>,
    /// The key that the session began with.
    session: Option<Key>,
}

impl Verifier {
    /// Reads the files that `options` name. A known_hosts file that does not exist holds no keys.
    /// `trusted` are keys that no file may remember, by name.
    pub(super) fn new(
        options: &HostOptions,
        trusted: Vec<(String, Vec<u8>)>,
        shown: Arc<OnceLock<Key>>,
    ) -> Result<Self, TunnelError> {
        let (known, revoked) = read(options)?;
        Ok(Self { known, revoked, options: options.clone(), trusted, shown, accepted: None, session: None })
    }

    /// Judges what the server showed at the first key exchange of a session, at the time `now`.
    pub(super) fn verify(
        &mut self,
        shown: &PublicKeyOrCertificate,
        now: SystemTime,
    ) -> Result<(), TunnelError> {
        self.judge(shown, now)?;
        self.session = Key::shown(shown);
        Ok(())
    }

    /// The same at a later exchange, by what the files say now: a key may have been revoked meanwhile. The key that the
    /// session began with needs nobody's trust again, though.
    pub(super) fn verify_again(
        &mut self,
        shown: &PublicKeyOrCertificate,
        now: SystemTime,
    ) -> Result<(), TunnelError> {
        match read(&self.options) {
            Ok((known, revoked)) => (self.known, self.revoked) = (known, revoked),
            Err(error) => tracing::warn!(%error, "the key is judged by what the files said before"),
        }
        let is_the_same = self.session.is_some() && self.session == Key::shown(shown);
        match self.judge(shown, now) {
            Err(TunnelError::HostKeyUnknown { .. } | TunnelError::HostCertificate { .. }) if is_the_same => {
                Ok(())
            }
            judged => judged,
        }
    }
}

/// Reads the files that `options` name. A known_hosts file that does not exist holds no keys.
fn read(options: &HostOptions) -> Result<(KnownHosts, Option<RevokedKeys>), TunnelError> {
    let mut known = KnownHosts::default();
    for file in options.user_known_hosts.iter().chain(&options.global_known_hosts) {
        match std::fs::read(file) {
            Ok(content) => known.add_file(file, &content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Not to be passed over: it may be the one that revokes a key.
            Err(error) => {
                return Err(TunnelError::KnownHosts { file: file.clone(), source: Arc::new(error) });
            }
        }
    }
    let revoked = options.revoked_host_keys.as_deref().map(|file| {
        let content = std::fs::read(file)
            .map_err(|error| TunnelError::RevokedHostKeys { file: file.into(), source: Arc::new(error) })?;
        RevokedKeys::parse(&content)
            .map_err(|source| TunnelError::RevokedHostKeysInvalid { file: file.into(), source })
    });
    Ok((known, revoked.transpose()?))
}

impl Verifier {
    /// What to ask the server for: known types first, so that a host whose key was swapped for one of another type
    /// cannot pass for a host never seen (`order_hostkeyalgs` of OpenSSH). Certificates are asked for where an
    /// authority is known for the host; and where something is revoked, for the types that are known or for all where
    /// none is, since a certificate shows whether its authority is among that.
    pub(super) fn algorithms(&self) -> HostKeyAlgorithms {
        let configured = &self.options.host_key_algorithms;
        let mut wanted: Vec<Algorithm> = configured
            .iter()
            .filter_map(|name| ALGORITHMS.into_iter().find(|algorithm| algorithm.as_str() == name))
            .collect();
        if wanted.is_empty() {
            wanted = ALGORITHMS.to_vec();
        }
        let names = self.options.known_hosts_names();
        let is_known = |algorithm: &Algorithm| self.known.knows_type(&names, key_type(algorithm));
        wanted.sort_by_key(|algorithm| !is_known(algorithm));
        let of_certificates = || {
            let is_wanted = |algorithm: &Algorithm| {
                configured.is_empty() || configured.contains(&algorithm.to_certificate_type())
            };
            ALGORITHMS.into_iter().filter(is_wanted)
        };
        let certificates = if self.known.has_authority(&names) {
            of_certificates().collect()
        } else if self.revoked.is_some() || self.known.has_revocation(&names) {
            let is_any_known = wanted.iter().any(is_known);
            of_certificates().filter(|algorithm| !is_any_known || is_known(algorithm)).collect()
        } else {
            Vec::new()
        };
        HostKeyAlgorithms { keys: wanted, certificates }
    }

    fn judge(&mut self, shown: &PublicKeyOrCertificate, now: SystemTime) -> Result<(), TunnelError> {
        let names = self.options.known_hosts_names();
        let host = names.name().to_owned();
        let key = Key::shown(shown).ok_or(TunnelError::HostKeyUnusable { host: host.clone() })?;
        let (key_type, fingerprint) = (key.key_type().to_owned(), key.fingerprint().to_owned());
        let certificate = match shown {
            PublicKeyOrCertificate::PublicKey { .. } => None,
            PublicKeyOrCertificate::Certificate(certificate) => Some(
                certificate::read(certificate)
                    .ok_or_else(|| TunnelError::HostKeyUnusable { host: host.clone() })?,
            ),
        };
        if let Some((revoked, file)) = self.revoked.as_ref().zip(self.options.revoked_host_keys.clone())
            && revoked.revokes(&key, certificate.as_ref().map(|read| &read.facts))
        {
            return Err(TunnelError::HostKeyRevoked { host, key_type, fingerprint, file, line: None });
        }
        let mut fault = None;
        if let Some(read) = &certificate {
            match self.known.authority(&names, &key, &read.facts.authority) {
                Authority::Revoked(Place { file, line }) => {
                    return Err(TunnelError::HostKeyRevoked {
                        host,
                        key_type,
                        fingerprint,
                        file,
                        line: Some(line),
                    });
                }
                Authority::Trusted(_) => {
                    let allowed = &self.options.ca_signature_algorithms;
                    match certificate::check(read, self.options.principal(), allowed, now) {
                        Ok(()) => return Ok(()),
                        Err(reason) => fault = Some(reason),
                    }
                }
                Authority::Unknown => {}
            }
        }
        match self.known.verdict(&names, &key) {
            Verdict::Known(place) => {
                self.accepted = Some((key, place));
                Ok(())
            }
            Verdict::Changed(Place { file, line }) => {
                Err(TunnelError::HostKeyChanged { host, key_type, fingerprint, file, line })
            }
            Verdict::Revoked(Place { file, line }) => {
                Err(TunnelError::HostKeyRevoked { host, key_type, fingerprint, file, line: Some(line) })
            }
            Verdict::Unknown => {
                if let Some(fault) = fault {
                    return Err(TunnelError::HostCertificate { host, key_type, fingerprint, fault });
                }
                if self.trusted.iter().any(|(name, blob)| *name == host && blob == key.blob()) {
                    return Ok(());
                }
                let because = match self.options.strict_checking {
                    StrictChecking::Yes => Distrust::Strict,
                    StrictChecking::Ask | StrictChecking::AcceptNew => {
                        let _ = self.shown.set(key);
                        Distrust::NobodyAsked
                    }
                };
                Err(TunnelError::HostKeyUnknown { host, key_type, fingerprint, because })
            }
        }
    }

    /// What the server's list of its keys is compared with; `None` where it must change nothing: the session's key
    /// was not accepted by itself and from a file of the user's, or `UpdateHostKeys` says no.
    pub(super) fn announcement(&self) -> Option<Announcement> {
        let (key, place) = self.accepted.as_ref()?;
        let is_the_users = self.options.user_known_hosts.contains(&place.file);
        (self.options.update_host_keys && is_the_users).then(|| Announcement {
            name: self.options.known_hosts_names().name().to_owned(),
            shown: key.clone(),
            files: self.options.user_known_hosts.clone(),
            is_hashed: self.options.hash_known_hosts,
            revoked: self.revoked.clone().unwrap_or_default(),
        })
    }
}

/// The type as it stands in known_hosts; the hash of an RSA signature is no part of it (RFC 8332 §3).
fn key_type(algorithm: &Algorithm) -> &str {
    if algorithm.clone().is_rsa() { "ssh-rsa" } else { algorithm.as_str() }
}

#[cfg(test)]
mod tests;
