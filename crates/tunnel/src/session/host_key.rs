//! Whether a server is who it should be: the verdict of known_hosts on the key it showed, and the remembering of a
//! key that a person trusts.

use crate::{
    error::TunnelError,
    host_options::HostOptions,
    known_hosts::{KnownHosts, Place, Verdict, format_line},
};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};
use std::{
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    sync::{Arc, OnceLock},
};

/// What a host showed, for the question whether to trust it.
#[derive(Debug, Clone)]
pub(super) struct ShownKey {
    pub key_type: String,
    pub fingerprint: String,
    pub blob: Vec<u8>,
}

/// Judges the key of one session. An unknown key ends the session and is left in [`Self::shown`]: a person is asked
/// with no session waiting, since sshd's `LoginGraceTime` would end it under their hands.
pub(super) struct Verifier {
    known: KnownHosts,
    name: String,
    trusted: Vec<(String, Vec<u8>)>,
    shown: Arc<OnceLock<ShownKey>>,
}

impl Verifier {
    /// Reads the files that `options` name. A file that does not exist holds no keys.
    /// `trusted` are keys that no file may remember, by name.
    pub(super) fn new(
        options: &HostOptions,
        trusted: Vec<(String, Vec<u8>)>,
        shown: Arc<OnceLock<ShownKey>>,
    ) -> Result<Self, TunnelError> {
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
        Ok(Self { known, name: options.known_hosts_name(), trusted, shown })
    }

    /// The key types to ask the server for: known ones first, so that a host whose key was swapped for one of
    /// another type cannot pass for a host never seen.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let mut wanted = vec![
            Algorithm::Ed25519,
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
            Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
            Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
        ];
        let known = self.known.key_types(&self.name);
        let rank = |algorithm: &Algorithm| {
            let key_type = key_type(algorithm);
            known.iter().position(|known| *known == key_type).unwrap_or(usize::MAX)
        };
        wanted.sort_by_key(rank);
        wanted
    }

    pub(super) fn verify(&self, shown: &PublicKeyOrCertificate) -> Result<(), TunnelError> {
        let key = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.clone(),
            // None is asked for, so none should come; the key in it is not trusted by itself.
            PublicKeyOrCertificate::Certificate(certificate) => {
                PublicKey::new(certificate.public_key().clone(), "")
            }
        };
        let blob = key.to_bytes().map_err(|error| TunnelError::from(russh::Error::from(error)))?;
        let key_type = key_type(&key.algorithm()).to_owned();
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let host = self.name.clone();
        match self.known.verdict(&self.name, &key_type, &blob) {
            Verdict::Known => Ok(()),
            Verdict::Changed(Place { file, line }) => {
                Err(TunnelError::HostKeyChanged { host, key_type, fingerprint, file, line })
            }
            Verdict::Revoked(Place { file, line }) => {
                Err(TunnelError::HostKeyRevoked { host, key_type, fingerprint, file, line })
            }
            Verdict::Unknown if self.trusted.iter().any(|(name, key)| *name == self.name && *key == blob) => {
                Ok(())
            }
            Verdict::Unknown => {
                let shown = ShownKey { key_type: key_type.clone(), fingerprint: fingerprint.clone(), blob };
                let _ = self.shown.set(shown);
                Err(TunnelError::HostKeyUnknown { host, key_type, fingerprint, refused: false })
            }
        }
    }
}

/// The type as it stands in known_hosts; the hash of an RSA signature is no part of it (RFC 8332 §3).
fn key_type(algorithm: &Algorithm) -> &str {
    if algorithm.clone().is_rsa() { "ssh-rsa" } else { algorithm.as_str() }
}

/// Adds a trusted key to the first of the user's known_hosts files; `false` if there is none
/// (`UserKnownHostsFile none`).
pub(super) fn remember(options: &HostOptions, key: &ShownKey) -> Result<bool, TunnelError> {
    let Some(file) = options.user_known_hosts.first() else { return Ok(false) };
    let salt: Option<[u8; 20]> = options.hash_known_hosts.then(rand::random);
    let line = format_line(&options.known_hosts_name(), &key.key_type, &key.blob, salt.as_ref());
    match append_line(file, &line) {
        Ok(()) => Ok(true),
        Err(error) => Err(TunnelError::KnownHosts { file: file.clone(), source: Arc::new(error) }),
    }
}

/// One write with `O_APPEND`, so that two programs that remember a key at once both keep theirs. A last line without
/// its newline gets one first.
fn append_line(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        create_private_folder(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    let mut text = format!("{line}\n");
    if opened.metadata()?.len() > 0 {
        opened.seek(io::SeekFrom::End(-1))?;
        let mut last = [0];
        opened.read_exact(&mut last)?;
        if last != *b"\n" {
            text.insert(0, '\n');
        }
    }
    opened.write_all(text.as_bytes())?;
    opened.sync_data()
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_appended_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/known_hosts");
        append_line(&file, "first").unwrap();
        std::fs::write(&file, "without a newline").unwrap();
        append_line(&file, "second").unwrap();
        append_line(&file, "third").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "without a newline\nsecond\nthird\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ssh/known_hosts");
        append_line(&file, "line").unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
