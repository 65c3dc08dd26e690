//! The hosts that a person has given names in `~/.ssh/config`. What the options of one are is `ssh -G`'s to say; this is
//! only the list, which no program of OpenSSH's prints.

use dockline_model::SshTarget;
use dockline_tunnel::SshEnvironment;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// ssh_config(5) allows 16.
const DEEPEST: usize = 4;
/// A file longer than that is not one that people write names into.
const LONGEST: u64 = 1 << 20;

/// A host with a name of the person's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SshHost {
    /// By that name.
    pub(crate) target: SshTarget,
    /// The `HostName`, or the name itself.
    pub(crate) host_name: String,
}

/// All of them, in the files' order; patterns are left out. Blocks. A file that does not read has none.
pub(crate) fn read(ssh: &SshEnvironment) -> Vec<SshHost> {
    let file = ssh.config.clone().unwrap_or_else(|| ssh.home_ssh.join("config"));
    let mut lines = Vec::new();
    gather(&file, &ssh.home_ssh, DEEPEST, &mut lines);
    hosts(lines.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

/// Keywords, lower-cased, with their arguments; what is included stands in its place.
fn gather(file: &Path, home_ssh: &Path, depth: usize, lines: &mut Vec<(String, String)>) {
    if fs::metadata(file).is_ok_and(|about| about.len() > LONGEST) {
        return;
    }
    let Ok(text) = fs::read_to_string(file) else { return };
    for line in text.lines() {
        let line = line.trim();
        let Some((key, value)) = line.split_once([' ', '\t', '=']).filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let (key, value) = (key.to_ascii_lowercase(), value.trim_matches([' ', '\t', '=']).to_owned());
        if key == "include" && depth > 0 {
            for pattern in value.split_whitespace() {
                for included in matching(pattern.trim_matches('"'), home_ssh) {
                    gather(&included, home_ssh, depth - 1, lines);
                }
            }
        } else {
            lines.push((key, value));
        }
    }
}

/// The files that an `Include` names: relative to `~/.ssh`, `*` in the last part.
fn matching(pattern: &str, home_ssh: &Path) -> Vec<PathBuf> {
    let home = home_ssh.parent().unwrap_or(home_ssh);
    let path = match pattern.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => home_ssh.join(pattern),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((before, after)) = name.split_once('*') else { return vec![path] };
    let Some(folder) = path.parent() else { return Vec::new() };
    let fits = |name: &str| {
        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| fits(&entry.file_name().to_string_lossy()) && entry.path().is_file())
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn hosts<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<SshHost> {
    let mut found: Vec<SshHost> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut block: Vec<usize> = Vec::new();
    for (key, value) in lines {
        match key {
            "match" => block.clear(),
            "host" => {
                block.clear();
                for alias in value.split_whitespace().map(|alias| alias.trim_matches('"')) {
                    let is_pattern = alias.contains(['*', '?', '!']);
                    let Some(target) = alias.parse::<SshTarget>().ok().filter(|_| !is_pattern) else {
                        continue;
                    };
                    if seen.insert(alias.to_owned()) {
                        block.push(found.len());
                        found.push(SshHost { target, host_name: alias.to_owned() });
                    }
                }
            }
            // The first one counts, as in ssh.
            "hostname" => {
                for at in block.drain(..) {
                    let name = value.replace("%h", &found[at].target.host);
                    found[at].host_name = name;
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_patterns_left_out() {
        let home = tempfile::tempdir().unwrap();
        let ssh = home.path().join(".ssh");
        fs::create_dir_all(ssh.join("conf.d")).unwrap();
        fs::write(
            ssh.join("config"),
            "# Host commented\nInclude conf.d/*.conf\nHost *\n  User me\nHost build b2 !x web-?\n\tHostName=10.0.0.7\n\
             HostName 10.0.0.8\nMatch host z\n  HostName no\nHost build\nHost -oProxyCommand=x\n",
        )
        .unwrap();
        fs::write(ssh.join("conf.d/a.conf"), "host cr\n hostname %h.boss.org\n").unwrap();
        fs::write(ssh.join("conf.d/a.bak"), "host not-me\n").unwrap();
        let environment = SshEnvironment { home_ssh: ssh, ..SshEnvironment::default() };
        let found: Vec<(String, String)> =
            read(&environment).into_iter().map(|host| (host.target.host, host.host_name)).collect();
        let expected = [("cr", "cr.boss.org"), ("build", "10.0.0.7"), ("b2", "10.0.0.7")];
        assert_eq!(found, expected.map(|(alias, name)| (alias.to_owned(), name.to_owned())));
        assert!(super::read(&SshEnvironment::default()).is_empty());
    }
}
