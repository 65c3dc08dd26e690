//! Reading the configuration: all problems at once, each with its line and column.

use super::{Config, Settings};
use dockline_model::{RegistryName, RegistrySpec, RemoteEnd, SshTarget, pick_address};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::Ipv4Addr,
    ops::Range,
    path::PathBuf,
    str::FromStr,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

const REGISTRY_KEYS: &[&str] =
    &["name", "ssh", "identity", "jump", "remote", "address", "port", "linger-seconds", "keep-open"];
const SETTINGS_KEYS: &[&str] = &["transfers-per-registry", "keyring"];
const LONGEST_LINGER: u64 = 86_400;

/// One thing wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right, without a full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// Reads the whole of a configuration file. Registries without an address get one that depends on their name, so
/// that it stays the same from reading to reading.
///
/// # Errors
/// Every problem there is, in the file's order.
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let mut reader = Reader { text, problems: Vec::new() };
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in syntax {
        let span = error.span().unwrap_or(0..0);
        reader.problem(span, error.message());
    }
    // After a syntax error the rest is guesswork: what follows would be reported as missing or unknown.
    let config =
        if reader.problems.is_empty() { reader.config(document.get_ref()) } else { Config::default() };
    if reader.problems.is_empty() {
        Ok(config)
    } else {
        reader.problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(reader.problems)
    }
}

struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

/// A registry before the addresses are given out.
struct Draft {
    name: RegistryName,
    ssh: SshTarget,
    remote: RemoteEnd,
    address: Option<Ipv4Addr>,
    port: u16,
    linger_seconds: u32,
    keep_open: bool,
}

impl Reader<'_> {
    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        let (line, column) = self.position(span.start);
        self.problems.push(Problem { line, column, message: message.into() });
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn config(&mut self, document: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "settings" => config.settings = self.settings(value),
                "registry" => config.registries = self.registries(value),
                other => self.problem(
                    key.span(),
                    format!(
                        "“{other}” is not a part of the configuration; it knows [settings] and [[registry]]"
                    ),
                ),
            }
        }
        config
    }

    fn settings(&mut self, value: &Spanned<DeValue<'_>>) -> Settings {
        let mut settings = Settings::default();
        let Some(table) = value.get_ref().as_table() else {
            self.problem(value.span(), "“settings” must be a table: write [settings] on a line of its own");
            return settings;
        };
        self.reject_unknown(table, SETTINGS_KEYS, "a setting");
        if let Some(count) = self.whole(table, "transfers-per-registry", 1..=8) {
            settings.transfers_per_registry = usize::try_from(count).unwrap_or(1);
        }
        if let Some(keyring) = self.truth(table, "keyring") {
            settings.keyring = keyring;
        }
        settings
    }

    fn registries(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<RegistrySpec> {
        let Some(array) = value.get_ref().as_array() else {
            self.problem(value.span(), "registries are a list: write [[registry]], with two brackets");
            return Vec::new();
        };
        let mut drafts = Vec::new();
        let mut names = BTreeMap::new();
        let mut listeners = BTreeMap::new();
        for entry in array.iter() {
            let Some(table) = entry.get_ref().as_table() else {
                self.problem(entry.span(), "a registry must be a table: write [[registry]]");
                continue;
            };
            let Some(draft) = self.registry(entry.span(), table) else { continue };
            let name_span = span_of(table, "name", entry.span());
            if let Some(first) = names.insert(draft.name.clone(), name_span.clone()) {
                let (line, _) = self.position(first.start);
                self.problem(
                    name_span,
                    format!("“{}” is the name of the registry at line {line} already", draft.name),
                );
            }
            if let Some(address) = draft.address {
                let span = span_of(table, "address", entry.span());
                if let Some(first) = listeners.insert((address, draft.port), span.clone()) {
                    let (line, _) = self.position(first.start);
                    let port = draft.port;
                    self.problem(
                        span,
                        format!("{address}:{port} belongs to the registry at line {line} already"),
                    );
                }
            }
            drafts.push(draft);
        }
        self.give_addresses(value.span(), drafts)
    }

    /// Written addresses first, so that a registry without one never takes another's.
    fn give_addresses(&mut self, span: Range<usize>, drafts: Vec<Draft>) -> Vec<RegistrySpec> {
        let mut taken: BTreeSet<Ipv4Addr> = drafts.iter().filter_map(|draft| draft.address).collect();
        let mut specs = Vec::new();
        for draft in drafts {
            let address = match draft.address.map_or_else(|| pick_address(&draft.name, &taken), Ok) {
                Ok(address) => address,
                Err(error) => {
                    self.problem(span.clone(), error.to_string());
                    continue;
                }
            };
            taken.insert(address);
            specs.push(RegistrySpec {
                name: draft.name,
                ssh: draft.ssh,
                remote: draft.remote,
                address,
                port: draft.port,
                linger_seconds: draft.linger_seconds,
                keep_open: draft.keep_open,
            });
        }
        specs
    }

    fn registry(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<Draft> {
        self.reject_unknown(table, REGISTRY_KEYS, "a setting of a registry");
        let name = self.required::<RegistryName>(span.clone(), table, "name", "cr.boss.org");
        let ssh = self.required::<SshTarget>(span, table, "ssh", "dockercr@88.88.88.88");
        let identity = self.text(table, "identity").and_then(|text| self.key_path(table, text));
        let jump = self.text(table, "jump").and_then(|text| self.jump(table, text));
        let remote = self.parsed::<RemoteEnd>(table, "remote").unwrap_or_default();
        let address = self.parsed_with(table, "address", |text| {
            text.parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_loopback).ok_or_else(|| {
                format!(
                    "“{text}” is not an address of this machine; use one of 127.0.0.0/8, as in 127.77.1.1"
                )
            })
        });
        let port = self.whole(table, "port", 1..=65535).and_then(|port| u16::try_from(port).ok());
        let linger = self.whole(table, "linger-seconds", 0..=LONGEST_LINGER);
        let keep_open = self.truth(table, "keep-open").unwrap_or(false);
        let mut ssh = ssh?;
        ssh.identity = identity;
        ssh.jump = jump;
        Some(Draft {
            name: name?,
            ssh,
            remote,
            address,
            port: port.unwrap_or(RegistrySpec::DEFAULT_PORT),
            linger_seconds: linger
                .and_then(|seconds| u32::try_from(seconds).ok())
                .unwrap_or(RegistrySpec::DEFAULT_LINGER_SECONDS),
            keep_open,
        })
    }

    fn key_path(&mut self, table: &DeTable<'_>, text: String) -> Option<PathBuf> {
        let path = PathBuf::from(&text);
        // The agent and the desktop start in different folders, so a relative path would name different files.
        if path.is_absolute() || text.starts_with("~/") {
            return Some(path);
        }
        let message = format!("“{text}” must be an absolute path, or begin with ~/");
        self.problem(span_of(table, "identity", 0..0), message);
        None
    }

    fn jump(&mut self, table: &DeTable<'_>, text: String) -> Option<String> {
        for hop in text.split(',') {
            if let Err(error) = hop.parse::<SshTarget>() {
                self.problem(span_of(table, "jump", 0..0), error.to_string());
                return None;
            }
        }
        Some(text)
    }

    fn reject_unknown(&mut self, table: &DeTable<'_>, known: &[&str], what: &str) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let message = format!("“{}” is not {what}; these are: {}", key.get_ref(), known.join(", "));
            self.problem(key.span(), message);
        }
    }

    fn required<T: FromStr<Err: fmt::Display>>(
        &mut self,
        span: Range<usize>,
        table: &DeTable<'_>,
        key: &str,
        example: &str,
    ) -> Option<T> {
        if !table.contains_key(key) {
            self.problem(
                span,
                format!("this registry has no {key}; add a line such as {key} = \"{example}\""),
            );
            return None;
        }
        self.parsed(table, key)
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, table: &DeTable<'_>, key: &str) -> Option<T> {
        self.parsed_with(table, key, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }

    fn parsed_with<T>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(table, key)?;
        parse(&text).map_err(|message| self.problem(span_of(table, key, 0..0), message)).ok()
    }

    fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.problem(value.span(), format!("{key} must be a text in quotes"));
        }
        text
    }

    fn truth(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.problem(value.span(), format!("{key} must be true or false, without quotes"));
        }
        truth
    }

    fn whole(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        allowed: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = table.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok())
            .filter(|number| allowed.contains(number));
        if number.is_none() {
            let message = format!(
                "{key} must be a whole number from {} to {}, without quotes",
                allowed.start(),
                allowed.end()
            );
            self.problem(value.span(), message);
        }
        number
    }
}

fn span_of(table: &DeTable<'_>, key: &str, otherwise: Range<usize>) -> Range<usize> {
    table.get(key).map_or(otherwise, Spanned::span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        parse(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_file_reads() {
        let config = parse(
            r#"
            # mine
            [settings]
            transfers-per-registry = 3
            keyring = false

            [[registry]]
            name = "cr.boss.org"
            ssh = "dockercr@88.88.88.88:2222"
            identity = "~/.ssh/boss"
            jump = "a@b:22,c"
            remote = "/run/registry.sock"
            address = "127.77.1.1"
            port = 5001
            linger-seconds = 0
            keep-open = true

            [[registry]]
            name = "cr.other.org"
            ssh = "other"
            "#,
        )
        .unwrap();
        assert_eq!(config.settings, Settings { transfers_per_registry: 3, keyring: false });
        let boss = &config.registries[0];
        assert_eq!(boss.listen().to_string(), "127.77.1.1:5001");
        assert_eq!(boss.ssh.port, Some(2222));
        assert_eq!(boss.ssh.identity.as_deref(), Some(std::path::Path::new("~/.ssh/boss")));
        assert_eq!(boss.remote.to_string(), "/run/registry.sock");
        assert!(boss.keep_open);
        let other = &config.registries[1];
        assert_eq!((other.port, other.linger_seconds, other.keep_open), (5000, 10, false));
        assert!(other.address.is_loopback());
    }

    #[test]
    fn an_empty_file_is_an_empty_configuration() {
        assert_eq!(parse("").unwrap(), Config::default());
        assert_eq!(parse("# nothing\n").unwrap(), Config::default());
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let text = "\
[settings]
transfers-per-registry = 0
colour = \"red\"

[[registry]]
name = \"cr.boss.org\"
ssh = \"-oProxyCommand=id\"
port = \"5000\"

[[registry]]
name = \"cr.boss.org\"
ssh = \"a@b\"
address = \"10.0.0.1\"
linger = 3

[[registry]]
name = \"registry\"
identity = \"keys/id\"
keep-open = 1

[extra]
";
        assert_eq!(
            problems(text),
            [
                "line 2, column 26: transfers-per-registry must be a whole number from 1 to 8, without quotes",
                "line 3, column 1: “colour” is not a setting; these are: transfers-per-registry, keyring",
                "line 7, column 7: “-oProxyCommand=id” is not an SSH destination; write it as user@host, host, or \
                 user@host:2222",
                "line 8, column 8: port must be a whole number from 1 to 65535, without quotes",
                "line 13, column 11: “10.0.0.1” is not an address of this machine; use one of 127.0.0.0/8, as in \
                 127.77.1.1",
                "line 14, column 1: “linger” is not a setting of a registry; these are: name, ssh, identity, jump, \
                 remote, address, port, linger-seconds, keep-open",
                "line 16, column 1: this registry has no ssh; add a line such as ssh = \"dockercr@88.88.88.88\"",
                "line 17, column 8: “registry” needs a dot in it, as in cr.boss.org: Docker takes a name without one \
                 for a Docker Hub user",
                "line 18, column 12: “keys/id” must be an absolute path, or begin with ~/",
                "line 19, column 13: keep-open must be true or false, without quotes",
                "line 21, column 2: “extra” is not a part of the configuration; it knows [settings] and [[registry]]",
            ]
        );
    }

    #[test]
    fn duplicates_name_the_first_line() {
        let text = "\
[[registry]]
name = \"a.example\"
ssh = \"h\"
address = \"127.0.0.1\"
[[registry]]
name = \"A.example\"
ssh = \"h\"
address = \"127.0.0.1\"
";
        assert_eq!(
            problems(text),
            [
                "line 6, column 8: “a.example” is the name of the registry at line 2 already",
                "line 8, column 11: 127.0.0.1:5000 belongs to the registry at line 4 already",
            ]
        );
    }

    #[test]
    fn syntax_errors_have_a_place_too() {
        let told = problems("[[registry]]\nname = \"ü\" x\nssh = \n");
        assert!(told[0].starts_with("line 2, column 12: "), "{told:?}");
        assert!(told.iter().any(|problem| problem.starts_with("line 3, ")), "{told:?}");
        assert!(problems("[registry]\nname = \"a.b\"\n")[0].contains("two brackets"));
        assert!(!problems("\u{feff}x=1\r\n").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n|\\[\\[registry\\]\\]\n|name = |\"|ssh=){0,40}") {
            let _ = parse(&text);
        }
    }
}
