//! What the known_hosts files say about a host's key: a pure reader and matcher (sshd(8), SSH_KNOWN_HOSTS FILE
//! FORMAT), since the SSH library's own passes over `@revoked`, `@cert-authority`, wildcards and negation.
//!
//! One thing is stricter than OpenSSH: where keys of a host are known but none of the type it shows, that is
//! [`Verdict::Changed`] and not "a new key". The known types are offered first in the key exchange, so a host that
//! still has one of those keys shows that one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use std::path::{Path, PathBuf};

/// A line of a file, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
}

/// What the files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This very key is the host's.
    Known,
    /// No key of the host is known.
    Unknown,
    /// Other keys of the host are known.
    Changed(Place),
    /// This very key must not be trusted for the host.
    Revoked(Place),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Plain,
    Revoked,
    CertAuthority,
}

#[derive(Debug, Clone)]
enum Hosts {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

#[derive(Debug, Clone)]
struct Entry {
    place: Place,
    marker: Marker,
    hosts: Hosts,
    key_type: String,
    /// The key as it travels (RFC 4253 §6.6).
    blob: Vec<u8>,
}

/// The lines of all files, in order.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
}

/// The name a host is looked up by: `host`, or `[host]:port` where the port is not 22 (sshd(8)).
#[must_use]
pub fn lookup_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

impl KnownHosts {
    /// Adds a file's lines. Lines that do not read are passed over, as OpenSSH does.
    pub fn add_file(&mut self, file: &Path, content: &[u8]) {
        for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            let place = Place { file: file.to_owned(), line: index + 1 };
            if let Some(entry) = parse_line(&line, place) {
                self.entries.push(entry);
            }
        }
    }

    /// The verdict on a key that the host `name` (see [`lookup_name`]) showed.
    #[must_use]
    pub fn verdict(&self, name: &str, key_type: &str, blob: &[u8]) -> Verdict {
        let of_host = || self.entries.iter().filter(|entry| entry.hosts.matches(name));
        if let Some(entry) = of_host().find(|e| e.marker == Marker::Revoked && e.blob == blob) {
            return Verdict::Revoked(entry.place.clone());
        }
        let plain = || of_host().filter(|entry| entry.marker == Marker::Plain);
        if plain().any(|entry| entry.blob == blob) {
            return Verdict::Known;
        }
        let other = plain().find(|entry| entry.key_type == key_type).or_else(|| plain().next());
        other.map_or(Verdict::Unknown, |entry| Verdict::Changed(entry.place.clone()))
    }

    /// The types of the keys known for the host `name`, in the files' order (`ssh-ed25519`, `ssh-rsa`, …).
    #[must_use]
    pub fn key_types(&self, name: &str) -> Vec<&str> {
        let mut types: Vec<&str> = Vec::new();
        for entry in self.entries.iter().filter(|e| e.marker == Marker::Plain && e.hosts.matches(name)) {
            if !types.contains(&entry.key_type.as_str()) {
                types.push(&entry.key_type);
            }
        }
        types
    }
}

/// A line for the host `name`, without the newline. With a salt the name is hashed (`HashKnownHosts yes`).
#[must_use]
pub fn format_line(name: &str, key_type: &str, blob: &[u8], salt: Option<&[u8; 20]>) -> String {
    let host = match salt {
        Some(salt) => format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash_name(salt, name))),
        None => name.to_owned(),
    };
    format!("{host} {key_type} {}", STANDARD.encode(blob))
}

fn hash_name(salt: &[u8], name: &str) -> Vec<u8> {
    // HMAC takes a key of any length; the error is for ciphers that do not.
    Hmac::<Sha1>::new_from_slice(salt)
        .map(|mac| mac.chain_update(name.as_bytes()).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn parse_line(line: &str, place: Place) -> Option<Entry> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_ascii_whitespace();
    let mut first = fields.next()?;
    let marker = match first {
        "@revoked" => Marker::Revoked,
        "@cert-authority" => Marker::CertAuthority,
        unknown if unknown.starts_with('@') => return None,
        _ => Marker::Plain,
    };
    if marker != Marker::Plain {
        first = fields.next()?;
    }
    let hosts = if first.starts_with('|') {
        let mut parts = first.strip_prefix("|1|")?.split('|');
        let (salt, hash) = (parts.next()?, parts.next()?);
        Hosts::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? }
    } else {
        Hosts::Patterns(first.split(',').map(str::to_ascii_lowercase).collect())
    };
    let key_type = fields.next()?.to_owned();
    let blob = STANDARD.decode(fields.next()?).ok()?;
    // The blob begins with its own type; a line that contradicts itself says nothing.
    let length = u32::from_be_bytes(blob.get(..4)?.try_into().ok()?) as usize;
    if blob.get(4..4_usize.checked_add(length)?)? != key_type.as_bytes() {
        return None;
    }
    Some(Entry { place, marker, hosts, key_type, blob })
}

impl Hosts {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => hash_name(salt, name) == *hash,
            // A negated pattern that matches rules the whole line out, wherever it stands.
            Self::Patterns(patterns) => {
                let mut matched = false;
                for pattern in patterns {
                    match pattern.strip_prefix('!') {
                        Some(negated) if wildcard(negated.as_bytes(), name.as_bytes()) => return false,
                        Some(_) => {}
                        None => matched |= wildcard(pattern.as_bytes(), name.as_bytes()),
                    }
                }
                matched
            }
        }
    }
}

/// `*` for any number of characters, `?` for one (ssh_config(5), PATTERNS). Linear in time but for the product of
/// both lengths at worst: the files may be hostile, and a recursive matcher would take exponential time.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests;
