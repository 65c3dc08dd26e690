//! Docker's `config.json`, as far as logins go (docker/cli, `cli/config/configfile`). Only read.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use dockline_model::{Code, UiError};
use dockline_registry::Credentials;
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    env, io,
    path::{Path, PathBuf},
};

/// What is in it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DockerConfig {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// Where it is: in `DOCKER_CONFIG`, or in `.docker` of the home folder.
pub(crate) fn folder(home: Option<&Path>) -> PathBuf {
    match env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()) {
        Some(folder) => folder.into(),
        None => home.unwrap_or(Path::new("")).join(".docker"),
    }
}

impl DockerConfig {
    /// One that is not there is empty.
    pub(super) async fn read(path: &Path) -> Result<Self, UiError> {
        let text = match tokio::fs::read(path).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(UiError::new(
                    Code::FileIo,
                    format!("{} cannot be read: {error}.", path.display()),
                )
                .hint("Docker keeps logins there; check that the file is yours."));
            }
        };
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        // serde's words may quote what is in the file.
        serde_json::from_slice(&text).map_err(|error| {
            let at = format!("line {}, column {}", error.line(), error.column());
            UiError::new(Code::FileIo, format!("{} does not read as JSON: {at}.", path.display()))
                .hint("Docker keeps logins there; docker itself says what is wrong with it.")
        })
    }

    /// The helper for a registry: its own, or the one for all.
    pub(super) fn helper(&self, key: &str) -> Option<&str> {
        let own = self.cred_helpers.get(key).or_else(|| self.cred_helpers.get(host_of(key)));
        // Ourselves: that is the keyring, where we have looked.
        own.or(Some(&self.creds_store)).map(String::as_str).filter(|name| !matches!(*name, "" | "dockline"))
    }

    /// A login that stands in the file itself.
    pub(super) fn auth(&self, key: &str) -> Option<Credentials> {
        self.entry(key)?.read()
    }

    /// Whether a login for it stands in the file, or the file names who has one. No helper is asked.
    pub(super) fn names(&self, key: &str) -> bool {
        let own = self.cred_helpers.get(key).or_else(|| self.cred_helpers.get(host_of(key)));
        // What is in a store for all has an empty entry (`credentials.nativeStore.Store`).
        own.is_some_and(|name| !matches!(name.as_str(), "" | "dockline"))
            || self.entry(key).is_some_and(|auth| !self.creds_store.is_empty() || auth.read().is_some())
    }

    fn entry(&self, key: &str) -> Option<&Auth> {
        // Older Docker wrote keys as URLs (`credentials.ConvertToHostname`).
        self.auths.get(key).or_else(|| {
            let same = self.auths.iter().find(|(other, _)| host_of(other) == host_of(key));
            same.map(|(_, auth)| auth)
        })
    }
}

impl Auth {
    fn read(&self) -> Option<Credentials> {
        if !self.identitytoken.is_empty() {
            return Some(Credentials {
                user: "<token>".to_owned(),
                secret: self.identitytoken.clone().into(),
            });
        }
        if !self.username.is_empty() {
            return Some(Credentials { user: self.username.clone(), secret: self.password.clone().into() });
        }
        let pair = String::from_utf8(BASE64_STANDARD.decode(self.auth.trim()).ok()?).ok()?;
        let (user, secret) = pair.split_once(':')?;
        if user.is_empty() {
            return None;
        }
        // Docker pads some with zeros.
        let secret = secret.trim_end_matches('\0').to_owned();
        Some(Credentials { user: user.to_owned(), secret: SecretString::from(secret) })
    }
}

fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    fn parse(text: &str) -> DockerConfig {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn logins_are_found_as_docker_finds_them() {
        // base64 of me:p:w and of you:x
        let config = parse(
            r#"{"auths":{"cr.boss.org:5000":{"auth":"bWU6cDp3"},"https://old.example/v1/":{"auth":"eW91Ong="},
                "https://index.docker.io/v1/":{"identitytoken":"T"},"empty.example":{}},
                "credHelpers":{"1.dkr.ecr.eu-central-1.amazonaws.com":"ecr-login"},"HttpHeaders":{"a":"b"}}"#,
        );
        let found = |key: &str| config.auth(key).map(|c| (c.user, c.secret.expose_secret().to_owned()));
        let is = |user: &str, secret: &str| Some((user.to_owned(), secret.to_owned()));
        assert_eq!(found("cr.boss.org:5000"), is("me", "p:w"));
        assert_eq!(found("old.example"), is("you", "x"));
        assert_eq!(found(super::super::HUB), is("<token>", "T"));
        assert_eq!(found("cr.boss.org"), None, "another port is another registry");
        assert_eq!(found("empty.example"), None);
        assert_eq!(config.helper("1.dkr.ecr.eu-central-1.amazonaws.com"), Some("ecr-login"));
        assert_eq!(config.helper("cr.boss.org:5000"), None);
        assert_eq!(parse(r#"{"credsStore":"pass"}"#).helper("x"), Some("pass"));
        assert_eq!(parse(r#"{"credsStore":"dockline"}"#).helper("x"), None);
    }

    #[test]
    fn whose_logins_there_are_is_told_without_a_helper() {
        let config = parse(
            r#"{"auths":{"cr.boss.org:5000":{"auth":"bWU6cDp3"},"https://old.example/v1/":{"auth":"eW91Ong="},
                "empty.example":{}},"credHelpers":{"1.dkr.example":"never-run","ours.example":"dockline"}}"#,
        );
        for key in ["cr.boss.org:5000", "old.example", "1.dkr.example"] {
            assert!(config.names(key), "{key}");
        }
        for key in ["cr.boss.org", "empty.example", "ours.example", "other.example"] {
            assert!(!config.names(key), "{key}");
        }
        let stored = parse(r#"{"auths":{"empty.example":{}},"credsStore":"desktop"}"#);
        assert!(stored.names("empty.example") && !stored.names("other.example"));
    }
}
