//! What a change will be: the diff, and the file's hash before and after.

use dockline_model::{HostsAction, HostsView};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use similar::{
    DiffOp, DiffTag,
    algorithms::{Capture, Compact, Replace, myers},
    group_diff_ops,
    udiff::UnifiedHunkHeader,
};
use std::{fmt, fmt::Write as _, path::Path, str::FromStr};

/// Which contents a file has: the SHA-256 of its bytes, in lower-case hex, or `absent` if there is no file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// A text that is neither 64 hexadecimal digits nor `absent`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a SHA-256 hash: it needs 64 hexadecimal digits")]
pub struct InvalidFingerprint(pub String);

const ABSENT: &str = "absent";

impl Fingerprint {
    /// That of a file with these contents; `None` for no file.
    #[must_use]
    pub fn of(contents: Option<&[u8]>) -> Self {
        Self(contents.map_or_else(|| ABSENT.to_owned(), |bytes| hex::encode(sha2::Sha256::digest(bytes))))
    }

    /// The fingerprint as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says that there is no file.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0 == ABSENT
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let is_hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if text == ABSENT || is_hash {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidFingerprint(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;
    fn try_from(text: String) -> Result<Self, InvalidFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A change that has been worked out and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// A unified diff for people; empty if nothing changes.
    pub diff: String,
    /// Of the contents it was planned from.
    pub before: Fingerprint,
    /// Of [`Self::contents`].
    pub after: Fingerprint,
    /// The whole file as it will be; `None` if it will be removed.
    pub contents: Option<Vec<u8>>,
    /// Whether the file is right as it is.
    pub satisfied: bool,
    /// Why the file is written in place, where it is; a whole sentence.
    pub in_place_note: Option<String>,
    /// What in the file is Dockline's afterwards: names or `host:port`.
    pub owned: Vec<String>,
}

impl Plan {
    /// The step from `current` to `wanted` in the file that is called `path` in the diff; `None` is no file.
    #[must_use]
    pub fn new(path: &Path, current: Option<&[u8]>, wanted: Option<Vec<u8>>) -> Self {
        let satisfied = current == wanted.as_deref();
        Self {
            diff: if satisfied { String::new() } else { unified_diff(path, current, wanted.as_deref()) },
            before: Fingerprint::of(current),
            after: Fingerprint::of(wanted.as_deref()),
            satisfied,
            contents: wanted,
            in_place_note: None,
            owned: Vec::new(),
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
            warnings: self.in_place_note.iter().cloned().collect(),
        }
    }
}

/// Lines of unchanged text around each change.
const CONTEXT_LINES: usize = 3;

/// For people only: bytes that are no UTF-8, and control characters that a terminal might obey, are replaced.
fn unified_diff(path: &Path, current: Option<&[u8]>, wanted: Option<&[u8]>) -> String {
    let name = |contents: Option<&[u8]>| match contents {
        Some(_) => path.display().to_string(),
        None => "/dev/null".to_owned(),
    };
    let (before, after) = (printable(current.unwrap_or_default()), printable(wanted.unwrap_or_default()));
    let (before, after) = (lines(&before), lines(&after));
    let mut diff = String::new();
    for hunk in group_diff_ops(steps(&before, &after), CONTEXT_LINES).iter().filter(|hunk| !hunk.is_empty()) {
        if diff.is_empty() {
            diff = format!("--- {}\n+++ {}\n", name(current), name(wanted));
        }
        // Nothing that is written to a string fails.
        let _ = writeln!(diff, "{}", UnifiedHunkHeader::new(hunk));
        for step in hunk {
            let (tag, old, new) = step.as_tag_tuple();
            match tag {
                DiffTag::Equal => push(&mut diff, ' ', &before[old]),
                DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                    push(&mut diff, '-', &before[old]);
                    push(&mut diff, '+', &after[new]);
                }
            }
        }
    }
    diff
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// By one way of comparing. The library's own entrance has all the ways that it knows in it, a tenth of the helper.
fn steps(before: &[&str], after: &[&str]) -> Vec<DiffOp> {
    let mut steps = Compact::new(Replace::new(Capture::new()), before, after);
    match myers::diff(&mut steps, before, 0..before.len(), after, 0..after.len()) {
        Ok(()) => steps.into_inner().into_inner().into_ops(),
    }
}

/// Adds lines, each after its mark.
fn push(diff: &mut String, mark: char, lines: &[&str]) {
    for line in lines {
        diff.push(mark);
        diff.push_str(line);
        if !line.ends_with('\n') {
            diff.push_str("\n\\ No newline at end of file\n");
        }
    }
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
            Some(b"a\x1b[2J\r\n\xff\n"),
            Some(b"a\x1b[2J\r\n\xff\nnew\n".to_vec()),
        );
        assert!(plan.diff.starts_with("--- /etc/hosts\n+++ /etc/hosts\n"), "{}", plan.diff);
        assert!(plan.diff.contains("+new\n"), "{}", plan.diff);
        assert!(!plan.diff.contains(['\x1b', '\r']), "{:?}", plan.diff);
        assert!(!plan.satisfied);
        assert!(Plan::new(Path::new("x"), Some(b"a"), Some(b"a".to_vec())).satisfied);
        let made = Plan::new(Path::new("/x"), None, Some(b"a\n".to_vec()));
        assert!(made.diff.starts_with("--- /dev/null\n+++ /x\n"), "{}", made.diff);
        assert!(made.before.is_absent() && !Plan::new(Path::new("/x"), None, Some(vec![])).satisfied);
    }

    /// What `diff -u` says of the same files.
    #[test]
    fn a_diff_has_the_changes_with_three_lines_around_each() {
        let old: Vec<String> = (1..=20).map(|number| format!("line {number}\n")).collect();
        let mut new = old.clone();
        new[4] = "five\n".to_owned();
        new.remove(5);
        new[18] = "twenty".to_owned();
        let plan = Plan::new(Path::new("/x"), Some(old.concat().as_bytes()), Some(new.concat().into_bytes()));
        let wanted = "--- /x\n+++ /x\n\
             @@ -2,8 +2,7 @@\n line 2\n line 3\n line 4\n-line 5\n-line 6\n+five\n line 7\n line 8\n line 9\n\
             @@ -17,4 +16,4 @@\n line 17\n line 18\n line 19\n-line 20\n+twenty\n\\ No newline at end of file\n";
        assert_eq!(plan.diff, wanted);
        let made = Plan::new(Path::new("/x"), None, Some(b"a\n".to_vec()));
        assert_eq!(made.diff, "--- /dev/null\n+++ /x\n@@ -0,0 +1 @@\n+a\n");
        let shorter = Plan::new(Path::new("/x"), Some(b"a"), Some(b"a\n".to_vec()));
        assert_eq!(shorter.diff, "--- /x\n+++ /x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    }

    #[test]
    fn fingerprints_are_64_hex_digits_or_say_that_there_is_no_file() {
        let hash = Fingerprint::of(Some(b""));
        assert_eq!(hash.as_str(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hash.as_str().to_uppercase().parse::<Fingerprint>().unwrap(), hash);
        assert!(Fingerprint::of(None).as_str().parse::<Fingerprint>().unwrap().is_absent());
        for bad in ["", "e3b0", "ABSENT", &"g".repeat(64)] {
            assert!(bad.parse::<Fingerprint>().is_err());
        }
    }
}
