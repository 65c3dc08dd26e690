//! What the known_hosts files say about a host's key: a pure reader and matcher with OpenSSH's meaning (sshd(8),
//! SSH_KNOWN_HOSTS FILE FORMAT), since the SSH library's own passes over `@revoked`, `@cert-authority`, wildcards and
//! negation. `tests/known_hosts.rs` compares it with the real `ssh`.
//!
//! As in OpenSSH, any key of the host that is not the one it shows makes that one *changed*, whatever its type; only
//! a host of which no key is known is *unknown*. The known types are asked for first, so that a host with several
//! keys shows one that is known.

mod key;
mod line;
mod revoked;
mod update;

pub use key::Key;
use line::{Line, Marker};
pub use revoked::{CertificateFacts, RevocationError, RevokedKeys};
pub(crate) use update::{FileChange, Update};

use std::path::{Path, PathBuf};

/// A line of a file, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
}

/// What the files say about a key that a host showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This very key is the host's.
    Known(Place),
    /// No key of the host is known.
    Unknown,
    /// Other keys of the host are known.
    Changed(Place),
    /// This very key must not be trusted for the host.
    Revoked(Place),
}

/// What the files say about a certificate's authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// It may sign certificates of the host.
    Trusted(Place),
    /// It is not known as one.
    Unknown,
    /// The authority, or the key in the certificate, must not be trusted for the host.
    Revoked(Place),
}

/// The names a host is looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNames {
    /// `host`, or `[host]:port` where the port is not 22, or the `HostKeyAlias`.
    name: String,
    /// Without the port. Where nothing is known under the first name, a key that is known under this one will do
    /// (`check_host_key` of OpenSSH).
    without_port: Option<String>,
}

impl HostNames {
    /// The names of a host at a port.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        let host = host.to_ascii_lowercase();
        match port {
            22 => Self { name: host, without_port: None },
            port => Self { name: format!("[{host}]:{port}"), without_port: Some(host) },
        }
    }

    /// The name that `HostKeyAlias` gives; it stands for host and port both.
    #[must_use]
    pub fn alias(alias: &str) -> Self {
        Self { name: alias.to_ascii_lowercase(), without_port: None }
    }

    /// The name that a new line gets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.without_port.as_deref())
    }
}

#[derive(Debug, Clone)]
struct Entry {
    place: Place,
    line: Line,
}

/// The lines of all files, in order.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
}

impl KnownHosts {
    /// Adds a file's lines. Lines that do not read are passed over, as OpenSSH does.
    pub fn add_file(&mut self, file: &Path, content: &[u8]) {
        for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
            if let Some(line) = line::parse(line) {
                self.entries.push(Entry { place: Place { file: file.to_owned(), line: index + 1 }, line });
            }
        }
    }

    fn of_host<'a>(&'a self, name: &'a str, marker: Marker) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.line.marker == marker && entry.line.hosts.matches(name))
    }

    /// The verdict on a key that a host showed.
    #[must_use]
    pub fn verdict(&self, names: &HostNames, key: &Key) -> Verdict {
        match self.verdict_by_name(&names.name, key) {
            Verdict::Unknown => match &names.without_port {
                // Stricter than OpenSSH, which does not look at revocations here.
                Some(name) => match self.verdict_by_name(name, key) {
                    Verdict::Changed(_) => Verdict::Unknown,
                    verdict @ (Verdict::Known(_) | Verdict::Unknown | Verdict::Revoked(_)) => verdict,
                },
                None => Verdict::Unknown,
            },
            verdict @ (Verdict::Known(_) | Verdict::Changed(_) | Verdict::Revoked(_)) => verdict,
        }
    }

    fn verdict_by_name(&self, name: &str, key: &Key) -> Verdict {
        if let Some(entry) = self.of_host(name, Marker::Revoked).find(|entry| entry.line.key == *key) {
            return Verdict::Revoked(entry.place.clone());
        }
        let plain = || self.of_host(name, Marker::Plain);
        if let Some(entry) = plain().find(|entry| entry.line.key == *key && !entry.line.is_certificate) {
            return Verdict::Known(entry.place.clone());
        }
        let same_type = plain().find(|entry| entry.line.key.key_type() == key.key_type());
        same_type
            .or_else(|| plain().next())
            .map_or(Verdict::Unknown, |entry| Verdict::Changed(entry.place.clone()))
    }

    /// The verdict on the authority that signed a certificate for `key`.
    #[must_use]
    pub fn authority(&self, names: &HostNames, key: &Key, authority: &Key) -> Authority {
        for name in names.all() {
            let revoked = |entry: &&Entry| entry.line.key == *key || entry.line.key == *authority;
            if let Some(entry) = self.of_host(name, Marker::Revoked).find(revoked) {
                return Authority::Revoked(entry.place.clone());
            }
            // A certificate in the place of an authority's key is no authority.
            let trusted = |entry: &&Entry| entry.line.key == *authority && !entry.line.is_certificate;
            if let Some(entry) = self.of_host(name, Marker::CertAuthority).find(trusted) {
                return Authority::Trusted(entry.place.clone());
            }
        }
        Authority::Unknown
    }

    /// Whether a key of this type is known for the host.
    #[must_use]
    pub fn knows_type(&self, names: &HostNames, key_type: &str) -> bool {
        self.of_host(&names.name, Marker::Plain)
            .any(|entry| entry.line.key.key_type() == key_type && !entry.line.is_certificate)
    }

    /// Whether any authority may sign certificates of the host.
    #[must_use]
    pub fn has_authority(&self, names: &HostNames) -> bool {
        names.all().any(|name| self.of_host(name, Marker::CertAuthority).next().is_some())
    }

    /// Whether anything is revoked for the host.
    #[must_use]
    pub fn has_revocation(&self, names: &HostNames) -> bool {
        names.all().any(|name| self.of_host(name, Marker::Revoked).next().is_some())
    }
}

/// A line for a host's key, without the newline. With a salt the name is hashed (`HashKnownHosts yes`).
#[must_use]
pub fn format_line(name: &str, key: &Key, salt: Option<&[u8; 20]>) -> String {
    line::format(name, key, salt)
}

#[cfg(test)]
mod tests;
