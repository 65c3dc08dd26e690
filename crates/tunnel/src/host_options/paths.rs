//! Paths as `ssh -G` prints them: expanded, but without the quotes that stood around them, several in one line, and on
//! Windows as its own OpenSSH or as the one of Git (MSYS, Cygwin) writes them.

use crate::SshEnvironment;
use std::path::{Path, PathBuf};

/// What Windows' own OpenSSH prints for `%ProgramData%`.
const PROGRAM_DATA: &str = "__PROGRAMDATA__";
/// Where MSYS and Cygwin have the system's files, in a root of their own that no other program finds.
const PORTED_SYSTEM_FILES: &str = "/etc/ssh/";

/// How a printed path is read.
#[derive(Debug, Clone)]
pub(super) struct Paths<'a> {
    ssh: &'a SshEnvironment,
    is_windows: bool,
    program_data: String,
}

impl<'a> Paths<'a> {
    /// As on this machine.
    pub(super) fn here(ssh: &'a SshEnvironment) -> Self {
        let program_data = std::env::var("ProgramData").unwrap_or_else(|_| r"C:\ProgramData".to_owned());
        Self { ssh, is_windows: cfg!(windows), program_data }
    }

    #[cfg(test)]
    pub(super) fn of_unix(ssh: &'a SshEnvironment) -> Self {
        Self { ssh, is_windows: false, program_data: String::new() }
    }

    #[cfg(test)]
    pub(super) fn of_windows(ssh: &'a SshEnvironment) -> Self {
        Self { ssh, is_windows: true, program_data: r"D:\Program Data".to_owned() }
    }

    /// A line of files. `Err` names one that is relative: it would be whatever the folder holds that Dockline happens
    /// to be in, and what keeps a changed key out must not depend on that.
    pub(super) fn list(&self, value: &str) -> Result<Vec<PathBuf>, String> {
        if self.is_nothing(value) {
            return Ok(Vec::new());
        }
        split(value, self.is_windows)
            .into_iter()
            .filter(|text| !self.is_nothing(text))
            .filter(|text| !(self.is_windows && text.starts_with(PORTED_SYSTEM_FILES)))
            .map(|text| self.unambiguous(text))
            .collect()
    }

    /// A relative path behind another looks like a part of that. The longer file is not there, and the keys in
    /// the shorter one would be unknown.
    fn unambiguous(&self, text: &str) -> Result<PathBuf, String> {
        let path = self.absolute(text)?;
        let mut shorter = text.match_indices(' ').map(|(at, _)| self.one(&text[..at]));
        match shorter.any(|shorter| shorter.is_file()) && !path.is_file() {
            true => Err(format!("the path “{text}” may be several, of which one is not absolute")),
            false => Ok(path),
        }
    }

    /// One file that must not be a relative one.
    pub(super) fn absolute(&self, text: &str) -> Result<PathBuf, String> {
        let native = self.native(text);
        // What is left of a root of MSYS' or Cygwin's own is on whichever drive Dockline happens to be.
        let has_no_drive = self.is_windows && native.starts_with('/') && !native.starts_with("//");
        match begins_path(&native, self.is_windows) && !has_no_drive {
            true => Ok(self.in_home(&native)),
            false => Err(format!("the path “{text}” is not absolute")),
        }
    }

    /// One file.
    pub(super) fn one(&self, text: &str) -> PathBuf {
        self.in_home(&self.native(text))
    }

    fn is_nothing(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case("none")
            || text == "/dev/null"
            || self.is_windows && text.eq_ignore_ascii_case("nul")
    }

    /// As this system writes it.
    fn native(&self, text: &str) -> String {
        if !self.is_windows {
            return text.to_owned();
        }
        match text.strip_prefix(PROGRAM_DATA) {
            Some(rest) if rest.starts_with(['/', '\\']) => format!("{}{rest}", self.program_data),
            _ => with_drive(text).unwrap_or_else(|| text.to_owned()),
        }
    }

    /// `~/.ssh/x` lies in [`SshEnvironment::home_ssh`], which a test or a demo may have put elsewhere.
    fn in_home(&self, path: &str) -> PathBuf {
        let home_ssh = &self.ssh.home_ssh;
        match path.strip_prefix("~/") {
            Some(rest) => match rest.strip_prefix(".ssh/") {
                Some(name) => home_ssh.join(name),
                None => home_ssh.parent().unwrap_or(Path::new("/")).join(rest),
            },
            None => PathBuf::from(path),
        }
    }
}

/// Where the next path begins is a guess: a blank before what looks like the beginning of one. To take one path for two
/// would need a folder whose name ends with a blank.
fn split(value: &str, is_windows: bool) -> Vec<&str> {
    let mut paths = Vec::new();
    let mut rest = value.trim_matches(' ');
    while !rest.is_empty() {
        let begins = |(at, _): &(usize, &str)| begins_path(&rest[at + 1..], is_windows);
        let end = rest.match_indices(' ').find(begins).map_or(rest.len(), |(at, _)| at);
        paths.push(rest[..end].trim_end_matches(' '));
        rest = rest[end..].trim_start_matches(' ');
    }
    paths
}

fn begins_path(text: &str, is_windows: bool) -> bool {
    let has_drive =
        || matches!(text.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic());
    let is_program_data =
        || text.strip_prefix(PROGRAM_DATA).is_some_and(|rest| rest.starts_with(['/', '\\']));
    text.starts_with('/')
        || text.starts_with("~/")
        || is_windows && (text.starts_with(r"\\") || has_drive() || is_program_data())
}

/// `/c/Users/ann` of MSYS, `/cygdrive/c/Users/ann` of Cygwin: `C:\Users\ann`.
fn with_drive(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix("/cygdrive").unwrap_or(text).strip_prefix('/')?.chars();
    let drive = rest.next().filter(char::is_ascii_alphabetic)?;
    let below = rest.as_str();
    let is_drive = below.is_empty() || below.starts_with('/');
    let below = below.trim_start_matches('/').replace('/', r"\");
    is_drive.then(|| format!(r"{}:\{below}", drive.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> SshEnvironment {
        SshEnvironment { home_ssh: PathBuf::from("/h/.ssh"), ..SshEnvironment::default() }
    }

    fn files(texts: &[&str]) -> Result<Vec<PathBuf>, String> {
        Ok(texts.iter().map(PathBuf::from).collect())
    }

    #[test]
    fn a_path_with_blanks_stays_whole() {
        let ssh = environment();
        let paths = Paths::of_unix(&ssh);
        for (value, expected) in [
            ("/tmp/a b/known", vec!["/tmp/a b/known"]),
            ("/tmp/a b/known /tmp/c  d", vec!["/tmp/a b/known", "/tmp/c  d"]),
            ("/a ~/.ssh/k 2", vec!["/a", "/h/.ssh/k 2"]),
            // Two readings: lists are what people write.
            ("/a /b", vec!["/a", "/b"]),
            ("/home/none of us/k", vec!["/home/none of us/k"]),
            ("/home/x C:\\y", vec!["/home/x C:\\y"]),
            ("/a\t/b", vec!["/a\t/b"]),
            ("/dev/null /b", vec!["/b"]),
            ("none", vec![]),
        ] {
            assert_eq!(paths.list(value), files(&expected), "{value}");
        }
    }

    #[test]
    fn what_windows_prints_is_read() {
        let ssh = environment();
        let paths = Paths::of_windows(&ssh);
        for (value, expected) in [
            (
                r"C:\Users\Bob Smith/.ssh/known_hosts C:\Users\Bob Smith/.ssh/known_hosts2",
                vec![r"C:\Users\Bob Smith/.ssh/known_hosts", r"C:\Users\Bob Smith/.ssh/known_hosts2"],
            ),
            (
                r"__PROGRAMDATA__\ssh/ssh_known_hosts __PROGRAMDATA__\ssh/ssh_known_hosts2",
                vec![r"D:\Program Data\ssh/ssh_known_hosts", r"D:\Program Data\ssh/ssh_known_hosts2"],
            ),
            (r"\\server\a share\k d:/k", vec![r"\\server\a share\k", "d:/k"]),
            // Git's own `ssh`, and Cygwin's.
            (
                "/c/Users/Bob Smith/.ssh/known_hosts /cygdrive/d/k",
                vec![r"C:\Users\Bob Smith\.ssh\known_hosts", r"D:\k"],
            ),
            ("/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2", vec![]),
            ("NUL", vec![]),
        ] {
            assert_eq!(paths.list(value), files(&expected), "{value}");
        }
        assert_eq!(paths.one(r"__PROGRAMDATA__/ssh/k"), Path::new(r"D:\Program Data/ssh/k"));
        assert_eq!(paths.one("/cyg/x"), Path::new("/cyg/x"), "no drive has so long a name");
    }

    #[test]
    fn a_relative_path_is_refused() {
        let ssh = environment();
        let (unix, windows) = (Paths::of_unix(&ssh), Paths::of_windows(&ssh));
        for value in ["known", "./known /k", "none k", "C:\\k", "~bob/k", "NUL"] {
            assert!(unix.list(value).is_err(), "{value}");
        }
        // Without a drive it is on the one that Dockline happens to be on, where others may make folders.
        for value in [r"\Users\k", "C:k", "/home/bob/k", "/var/k", "__PROGRAMDATA__x"] {
            assert!(windows.list(value).is_err(), "{value}");
        }
        assert_eq!(unix.absolute("k").unwrap_err(), "the path “k” is not absolute");
    }

    #[cfg(unix)]
    #[test]
    fn a_relative_path_behind_another_hides_none() {
        let (ssh, folder) = (environment(), tempfile::tempdir().unwrap());
        let paths = Paths::of_unix(&ssh);
        let known = folder.path().join("known");
        let value = format!("{} more", known.display());
        assert_eq!(paths.list(&value), files(&[&value]));
        std::fs::write(&known, "").unwrap();
        assert!(paths.list(&value).unwrap_err().contains("may be several"));
        std::fs::write(folder.path().join("known more"), "").unwrap();
        assert_eq!(paths.list(&value), files(&[&value]));
    }
}
