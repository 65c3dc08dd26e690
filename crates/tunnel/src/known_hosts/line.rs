//! One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read as OpenSSH's `hostfile.c` reads it.

use super::key::{self, Key};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Longer patterns make OpenSSH pass over the whole line.
const LONGEST_PATTERN: usize = 1022;
/// What a salt decodes to: as many bytes as SHA-1 makes.
const SALT_BYTES: usize = 20;

/// What a line says about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// It is the host's.
    Plain,
    /// It must not be trusted.
    Revoked,
    /// It may sign certificates of the host.
    CertAuthority,
}

/// Whom a line is about.
#[derive(Debug, Clone)]
pub(super) enum Hosts {
    Patterns(Vec<Pattern>),
    Hashed { salt: [u8; SALT_BYTES], field: Vec<u8> },
}

/// A name with or without wildcards, in small letters.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    is_negated: bool,
    text: Vec<u8>,
}

/// A line that could be read.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub marker: Marker,
    pub hosts: Hosts,
    pub key: Key,
    /// A whole certificate stands in the line. As a host's key it matches nothing; as a revoked one its key counts.
    pub is_certificate: bool,
}

/// Reads a line without its newline. `None` for comments, and for whatever OpenSSH passes over.
pub(super) fn parse(line: &[u8]) -> Option<Line> {
    // OpenSSH's lines end at a zero byte.
    let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let line = key::trim_blank(line);
    let (first, rest) = key::split_word(line);
    if first.is_empty() || first.starts_with(b"#") {
        return None;
    }
    let (marker, hosts, rest) = match first {
        b"@revoked" => {
            let (hosts, rest) = key::split_word(rest);
            (Marker::Revoked, hosts, rest)
        }
        // Where a line has blanks, OpenSSH ends the marker at the first of them and not at a tab, which makes it one
        // that it does not know. To trust what `ssh` does not would be worse than to share the oddity; a revocation
        // holds all the same.
        b"@cert-authority" if line.contains(&b' ') && is_tab_after(line, first) => return None,
        b"@cert-authority" => {
            let (hosts, rest) = key::split_word(rest);
            (Marker::CertAuthority, hosts, rest)
        }
        unknown if unknown.starts_with(b"@") => return None,
        hosts => (Marker::Plain, hosts, rest),
    };
    // One marker at most.
    if hosts.starts_with(b"@") || rest.is_empty() {
        return None;
    }
    let hosts = parse_hosts(hosts)?;
    let key::WrittenKey { key, is_certificate } = key::read_text(rest)?;
    Some(Line { marker, hosts, key, is_certificate })
}

fn is_tab_after(line: &[u8], word: &[u8]) -> bool {
    line.get(word.len()) == Some(&b'\t')
}

fn parse_hosts(field: &[u8]) -> Option<Hosts> {
    if field.starts_with(b"|") {
        let salt = field.strip_prefix(b"|1|")?.split(|byte| *byte == b'|').next()?;
        let salt = STANDARD.decode(salt).ok()?.try_into().ok()?;
        return Some(Hosts::Hashed { salt, field: field.to_owned() });
    }
    let patterns: Vec<Pattern> = field
        .split(|byte| *byte == b',')
        .map(|text| match text.strip_prefix(b"!") {
            Some(negated) => Pattern { is_negated: true, text: negated.to_ascii_lowercase() },
            None => Pattern { is_negated: false, text: text.to_ascii_lowercase() },
        })
        .collect();
    patterns.iter().all(|pattern| pattern.text.len() <= LONGEST_PATTERN).then_some(Hosts::Patterns(patterns))
}

impl Hosts {
    /// Whether the line is about the host `name`, which is in small letters.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            // Compared as text, like OpenSSH: there is one way to write a hash.
            Self::Hashed { salt, field } => hashed_field(salt, name).as_bytes() == field,
            // A negated pattern that matches rules the whole line out, wherever it stands.
            Self::Patterns(patterns) => {
                let matching = |pattern: &&Pattern| wildcard(&pattern.text, name.as_bytes());
                let mut matched = patterns.iter().filter(matching).peekable();
                matched.peek().is_some() && matched.all(|pattern| !pattern.is_negated)
            }
        }
    }

    /// Whether the line names one host and nothing else, so that it can be changed for that host alone.
    pub(super) fn is_single(&self) -> bool {
        match self {
            Self::Hashed { .. } => true,
            Self::Patterns(patterns) => match &patterns[..] {
                [only] => !only.is_negated && !only.text.iter().any(|byte| matches!(byte, b'*' | b'?')),
                _ => false,
            },
        }
    }
}

/// A line for the host `name`, without the newline. With a salt the name is hashed (`HashKnownHosts yes`).
pub(super) fn format(name: &str, key: &Key, salt: Option<&[u8; SALT_BYTES]>) -> String {
    let host = salt.map_or_else(|| name.to_owned(), |salt| hashed_field(salt, name));
    format!("{host} {} {}", key.key_type(), STANDARD.encode(key.blob()))
}

fn hashed_field(salt: &[u8; SALT_BYTES], name: &str) -> String {
    // HMAC takes a key of any length; the error is for ciphers that do not.
    let hash = Hmac::<Sha1>::new_from_slice(salt)
        .map(|mac| mac.chain_update(name.as_bytes()).finalize().into_bytes().to_vec())
        .unwrap_or_default();
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash))
}

/// `*` for any number of characters, `?` for one (ssh_config(5), PATTERNS). Linear in time but for the product of
/// both lengths at worst: the files may be hostile, and a recursive matcher would take exponential time.
pub(super) fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
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
