//! What a change will be: the diff, and the file's hash before and after.

use dockline_model::{HostsAction, HostsView};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use similar::TextDiff;
use std::{fmt, path::Path, str::FromStr};

/// SHA-256 of a file's bytes, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(String);

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a SHA-256 hash: it needs 64 hexadecimal digits")]
pub struct InvalidSha256(pub String);

impl Sha256 {
    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sha256 {
    type Err = InvalidSha256;

    fn from_str(text: &str) -> Result<Self, InvalidSha256> {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidSha256(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Sha256 {
    type Error = InvalidSha256;
    fn try_from(text: String) -> Result<Self, InvalidSha256> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(hash: Sha256) -> Self {
        hash.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A change that has been worked out and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// A unified diff for people; empty if nothing changes.
    pub diff: String,
    /// Hash of the bytes it was planned from.
    pub before: Sha256,
    /// Hash of [`Self::bytes`].
    pub after: Sha256,
    /// The whole file as it will be.
    pub bytes: Vec<u8>,
    /// Whether the file is right as it is.
    pub satisfied: bool,
    /// Things the person should know before agreeing; whole sentences.
    pub warnings: Vec<String>,
}

impl Plan {
    /// The step from `current` to `wanted` in the file that is called `path` in the diff.
    #[must_use]
    pub fn new(path: &Path, current: &[u8], wanted: Vec<u8>, warnings: Vec<String>) -> Self {
        Self {
            diff: if current == wanted { String::new() } else { unified_diff(path, current, &wanted) },
            before: Sha256::of(current),
            after: Sha256::of(&wanted),
            satisfied: current == wanted,
            bytes: wanted,
            warnings,
        }
    }

    /// The plan as the faces show it.
    #[must_use]
    pub fn view(&self, path: &Path, action: HostsAction) -> HostsView {
        HostsView {
            path: path.display().to_string(),
            action,
            diff: self.diff.clone(),
            before: self.before.to_string(),
            after: self.after.to_string(),
            satisfied: self.satisfied,
            warnings: self.warnings.clone(),
        }
    }
}

/// Lines of unchanged text around each change.
const CONTEXT_LINES: usize = 3;

/// For people only: bytes that are no UTF-8, and control characters that a terminal might obey, are replaced.
fn unified_diff(path: &Path, current: &[u8], wanted: &[u8]) -> String {
    let (current, wanted) = (printable(current), printable(wanted));
    let name = path.display().to_string();
    TextDiff::from_lines(current.as_str(), wanted.as_str())
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(&name, &name)
        .to_string()
}

fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_the_change_and_nothing_a_terminal_would_obey() {
        let plan = Plan::new(
            Path::new("/etc/hosts"),
            b"a\x1b[2J\r\n\xff\n",
            b"a\x1b[2J\r\n\xff\nnew\n".to_vec(),
            vec![],
        );
        assert!(plan.diff.starts_with("--- /etc/hosts\n+++ /etc/hosts\n"), "{}", plan.diff);
        assert!(plan.diff.contains("+new\n"), "{}", plan.diff);
        assert!(!plan.diff.contains(['\x1b', '\r']), "{:?}", plan.diff);
        assert!(!plan.satisfied);
        assert!(Plan::new(Path::new("x"), b"a", b"a".to_vec(), vec![]).satisfied);
    }

    #[test]
    fn hashes_are_64_hex_digits() {
        let hash = Sha256::of(b"");
        assert_eq!(hash.as_str(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hash.as_str().to_uppercase().parse::<Sha256>().unwrap(), hash);
        for bad in ["", "e3b0", &"g".repeat(64)] {
            assert!(bad.parse::<Sha256>().is_err());
        }
    }
}
