//! Which keys are tried, and in which order: a pure decision.
//!
//! OpenSSH's order (`pubkey_prepare`): the agent's keys that the configuration names, the agent's other keys unless
//! `IdentitiesOnly`, key files. Two things differ. A key file that the person named for this registry goes before the
//! agent's other keys: with many of those, sshd's `MaxAuthTries` would end the session before its turn. And encrypted
//! files go last, since they may need a person. Before each key go the certificates for it.

use crate::session::key_file::{KeyFile, KeySecret};
use russh::keys::{
    Certificate, PrivateKey, PublicKey,
    agent::AgentIdentity,
    ssh_key::{certificate::CertType, public::KeyData},
};
use std::{path::PathBuf, sync::Arc};

/// A key to try.
pub(super) struct Candidate {
    /// For messages: the file, or whose it is in the agent.
    pub name: String,
    /// Unknown for an encrypted file of the old PEM format without a public half beside it.
    pub public: Option<PublicKey>,
    /// Tried before the key itself.
    pub certificates: Vec<Certificate>,
    pub source: Source,
}

/// Where the private half is.
pub(super) enum Source {
    Agent(Box<AgentIdentity>),
    Plain(Arc<PrivateKey>),
    /// Still encrypted: the file's text.
    Encrypted(PathBuf, String),
}

/// What the configuration says about the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    pub identities_only: bool,
    /// Whether the files are those that the person named for this registry.
    pub is_explicit: bool,
}

/// Puts everything there is in order. `certificates` are those that `CertificateFile` names.
pub(super) fn arrange(
    identities: Vec<AgentIdentity>,
    files: Vec<KeyFile>,
    certificates: &[Certificate],
    rules: Rules,
) -> Vec<Candidate> {
    let beside: Vec<Certificate> = files.iter().filter_map(|file| file.certificate.clone()).collect();
    let all: Vec<&Certificate> = certificates
        .iter()
        .chain(&beside)
        .filter(|certificate| certificate.cert_type() == CertType::User)
        .collect();
    let of = |key: &KeyData| -> Vec<Certificate> {
        let mut of_key: Vec<Certificate> = Vec::new();
        for certificate in all.iter().filter(|certificate| certificate.public_key() == key) {
            if !of_key.contains(certificate) {
                of_key.push((*certificate).clone());
            }
        }
        of_key
    };
    let is_named = |key: &KeyData| {
        files.iter().any(|file| file.public.as_ref().is_some_and(|public| public.key_data() == key))
            || all.iter().any(|certificate| certificate.public_key() == key)
    };

    let (mut named, mut others) = (Vec::new(), Vec::new());
    for identity in identities {
        let public = identity.public_key().into_owned();
        let is_certificate = matches!(identity, AgentIdentity::Certificate { .. });
        let candidate = Candidate {
            name: match identity.comment() {
                "" => format!("an {} key of the agent", public.algorithm()),
                comment => format!("the agent's {}", crate::session::plain_text(comment)),
            },
            // A certificate in the agent is tried as such; the key that it goes with is there as well, by itself.
            certificates: if is_certificate { Vec::new() } else { of(public.key_data()) },
            source: Source::Agent(Box::new(identity)),
            public: Some(public),
        };
        let is_named = candidate.public.as_ref().is_some_and(|public| is_named(public.key_data()));
        if is_named {
            named.push(candidate);
        } else if !rules.identities_only {
            others.push(candidate);
        }
    }

    let (mut plain, mut encrypted) = (Vec::new(), Vec::new());
    for file in files {
        // What the agent holds need not be decrypted.
        let is_in_agent = file.public.as_ref().is_some_and(|public| {
            named.iter().any(|candidate: &Candidate| {
                candidate.public.as_ref().is_some_and(|held| held.key_data() == public.key_data())
            })
        });
        if is_in_agent {
            continue;
        }
        let certificates = file.public.as_ref().map_or_else(Vec::new, |public| of(public.key_data()));
        let name = file.path.display().to_string();
        match file.secret {
            KeySecret::InAgent => {}
            KeySecret::Plain(key) => {
                plain.push(Candidate { name, public: file.public, certificates, source: Source::Plain(key) });
            }
            KeySecret::Encrypted(text) => encrypted.push(Candidate {
                name,
                public: file.public,
                certificates,
                source: Source::Encrypted(file.path, text),
            }),
        }
    }

    let (first, second) = if rules.is_explicit { (plain, others) } else { (others, plain) };
    named.into_iter().chain(first).chain(second).chain(encrypted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::{Algorithm, ssh_key::certificate::Builder};

    fn key() -> PrivateKey {
        PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap()
    }

    fn in_agent(key: &PrivateKey, comment: &str) -> AgentIdentity {
        AgentIdentity::PublicKey { key: key.public_key().clone(), comment: comment.to_owned() }
    }

    fn file(path: &str, key: &PrivateKey, secret: KeySecret) -> KeyFile {
        KeyFile { path: path.into(), public: Some(key.public_key().clone()), secret, certificate: None }
    }

    fn plain(path: &str, key: &PrivateKey) -> KeyFile {
        file(path, key, KeySecret::Plain(Arc::new(key.clone())))
    }

    fn certificate(key: &PrivateKey, purpose: CertType) -> Certificate {
        let mut builder = Builder::new(vec![1; 16], key.public_key(), 1, u64::MAX >> 1).unwrap();
        builder.cert_type(purpose).unwrap().all_principals_valid().unwrap();
        builder.sign(&self::key()).unwrap()
    }

    fn names(candidates: &[Candidate]) -> Vec<&str> {
        candidates.iter().map(|candidate| candidate.name.as_str()).collect()
    }

    const ANY: Rules = Rules { identities_only: false, is_explicit: false };

    #[test]
    fn named_keys_of_the_agent_come_first_and_encrypted_files_last() {
        let [a, b, c, d] = [(); 4].map(|()| key());
        let everything = |rules| {
            let identities = vec![in_agent(&a, "other"), in_agent(&b, "named")];
            let files = vec![
                file("locked", &d, KeySecret::Encrypted(String::new())),
                file("named.pub", &b, KeySecret::InAgent),
                plain("file", &c),
            ];
            arrange(identities, files, &[], rules)
        };
        assert_eq!(names(&everything(ANY)), ["the agent's named", "the agent's other", "file", "locked"]);
        let explicit = Rules { is_explicit: true, ..ANY };
        assert_eq!(
            names(&everything(explicit)),
            ["the agent's named", "file", "the agent's other", "locked"]
        );
        let only = Rules { identities_only: true, ..ANY };
        assert_eq!(names(&everything(only)), ["the agent's named", "file", "locked"]);
    }

    #[test]
    fn certificates_go_with_their_keys_wherever_those_are() {
        let [a, b, c] = [(); 3].map(|()| key());
        let mut with_certificate = plain("b", &b);
        with_certificate.certificate = Some(certificate(&b, CertType::User));
        let configured = [certificate(&a, CertType::User), certificate(&b, CertType::Host)];
        let identities = vec![in_agent(&a, "a"), in_agent(&c, "c")];
        let rules = Rules { identities_only: true, is_explicit: false };
        let arranged = arrange(identities, vec![with_certificate], &configured, rules);
        assert_eq!(names(&arranged), ["the agent's a", "b"], "a certificate names its key, too");
        assert_eq!(arranged.iter().map(|candidate| candidate.certificates.len()).collect::<Vec<_>>(), [1, 1]);
    }
}
