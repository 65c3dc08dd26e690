//! What a server's list of all its host keys (`UpdateHostKeys`, OpenSSH's PROTOCOL §2.5) changes in the user's
//! known_hosts files: decided here, proved and written elsewhere.

use super::{
    Key,
    line::{self, Line, Marker},
};
use std::path::{Path, PathBuf};

/// The changes that a server's list asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Update {
    /// Keys that are new. The server has to prove that it holds them before they are written down.
    pub new: Vec<Key>,
    /// Lines whose keys the server no longer has, by file, counted from 0.
    old: Vec<(PathBuf, Vec<usize>)>,
}

/// A file with its new content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    pub file: PathBuf,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

impl Update {
    /// Compares the keys that the host `name` says it has with what the user's files say. `None` where nothing is to
    /// be done, or where a person wrote lines that a program had better leave alone: wildcards, several names, markers,
    /// or one of the keys under another name.
    pub(crate) fn plan(name: &str, announced: &[Key], files: &[(PathBuf, Vec<u8>)]) -> Option<Self> {
        let mut update = Self { new: announced.to_vec(), old: Vec::new() };
        let mut old_keys = Vec::new();
        let mut others = Vec::new();
        for (file, content) in files {
            let mut old = Vec::new();
            for (index, Line { marker, hosts, key, is_certificate }) in lines(content) {
                if !hosts.matches(name) {
                    others.push(key);
                } else if marker != Marker::Plain || is_certificate || !hosts.is_single() {
                    return None;
                } else if announced.contains(&key) {
                    update.new.retain(|new| *new != key);
                } else {
                    old_keys.push(key);
                    old.push(index);
                }
            }
            if !old.is_empty() {
                update.old.push((file.clone(), old));
            }
        }
        if others.iter().any(|key| announced.contains(key) || old_keys.contains(key)) {
            return None;
        }
        (!update.new.is_empty() || !update.old.is_empty()).then_some(update)
    }

    /// Carries the update out on the files' contents. New keys go into the first file.
    pub(crate) fn apply(
        &self,
        name: &str,
        files: Vec<(PathBuf, Vec<u8>)>,
        mut salt: impl FnMut() -> Option<[u8; 20]>,
    ) -> Vec<FileChange> {
        let mut changes = Vec::new();
        for (index, (file, before)) in files.into_iter().enumerate() {
            let mut after = without(&before, self.old_in(&file));
            if index == 0 {
                if !self.new.is_empty() && after.last().is_some_and(|last| *last != b'\n') {
                    after.push(b'\n');
                }
                for key in &self.new {
                    after.extend(line::format(name, key, salt().as_ref()).into_bytes());
                    after.push(b'\n');
                }
            }
            if after != before {
                changes.push(FileChange { file, before, after });
            }
        }
        changes
    }

    fn old_in(&self, file: &Path) -> &[usize] {
        self.old.iter().find(|(of, _)| of == file).map_or(&[], |(_, lines)| lines)
    }
}

fn lines(content: &[u8]) -> impl Iterator<Item = (usize, Line)> {
    content
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter_map(|(index, text)| line::parse(text).map(|line| (index, line)))
}

fn without(content: &[u8], lines: &[usize]) -> Vec<u8> {
    content
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(index, _)| !lines.contains(index))
        .flat_map(|(_, line)| line)
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known_hosts::tests::{ED, RSA, key, line};

    fn files(text: &str) -> Vec<(PathBuf, Vec<u8>)> {
        vec![(PathBuf::from("/k"), text.as_bytes().to_vec())]
    }

    fn updated(text: &str, announced: &[Key]) -> Option<String> {
        let files = files(text);
        let update = Update::plan("a.org", announced, &files)?;
        let [change] = &update.apply("a.org", files, || None)[..] else { panic!("one file") };
        Some(String::from_utf8(change.after.clone()).unwrap())
    }

    #[test]
    fn new_keys_are_added_and_old_ones_go() {
        let keep = format!("# mine\n{}junk\n", line("b.org", ED, 9));
        let before = format!("{keep}{}{}", line("a.org", ED, 1), line("a.org", ED, 2));
        let after = updated(&before, &[key(ED, 1), key(RSA, 3)]).unwrap();
        assert_eq!(after, format!("{keep}{}{}", line("a.org", ED, 1), line("a.org", RSA, 3)));
    }

    #[test]
    fn a_last_line_without_its_newline_gets_one() {
        let before = line("a.org", ED, 1);
        let after = updated(before.trim_end(), &[key(ED, 1), key(ED, 2)]).unwrap();
        assert_eq!(after, format!("{before}{}", line("a.org", ED, 2)));
    }

    #[test]
    fn nothing_to_do_is_nothing_done() {
        assert_eq!(updated(&line("a.org", ED, 1), &[key(ED, 1)]), None);
    }

    #[test]
    fn hashed_lines_are_a_hosts_own() {
        let hashed = format!("{}\n", crate::known_hosts::format_line("a.org", &key(ED, 1), Some(&[7; 20])));
        assert_eq!(updated(&hashed, &[key(ED, 2)]).unwrap(), line("a.org", ED, 2));
    }

    #[test]
    fn what_a_person_arranged_is_left_alone() {
        let announced = [key(ED, 1), key(ED, 2)];
        for arranged in [
            line("*.org", ED, 1),
            line("a.org,b.org", ED, 1),
            format!("{}{}", line("a.org", ED, 1), line("@cert-authority *.org", ED, 5)),
            format!("{}{}", line("a.org", ED, 1), line("@revoked a.org", ED, 5)),
            // The new key is another host's already.
            format!("{}{}", line("a.org", ED, 1), line("b.org", ED, 2)),
            // So is the one that would go.
            format!("{}{}{}", line("a.org", ED, 1), line("a.org", ED, 3), line("b.org", ED, 3)),
        ] {
            assert_eq!(updated(&arranged, &announced), None, "{arranged}");
        }
    }
}
