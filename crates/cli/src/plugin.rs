//! `docker dockline …`: this program as a plugin of Docker's command line.
//!
//! Docker looks for programs called `docker-NAME` in `~/.docker/cli-plugins`; a link of that name to `dockline` is
//! all there is to install. It asks each for its metadata, and starts one with its own name as the first argument
//! (docker/cli, cli-plugins/plugin and cli-plugins/metadata).

use std::{ffi::OsString, path::Path};

/// How the program was called.
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    /// To do something: the arguments, the program first.
    Arguments(Vec<OsString>),
    /// By Docker, to say what it is.
    Metadata,
    /// By Docker, as its credential helper: what to do.
    CredentialHelper(String),
}

/// What the arguments mean.
pub fn call(arguments: impl IntoIterator<Item = OsString>) -> Call {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let is_plugin = arguments
        .first()
        .and_then(|program| Path::new(program).file_stem())
        .is_some_and(|name| name == "docker-dockline");
    let is_helper = arguments
        .first()
        .and_then(|program| Path::new(program).file_stem())
        .is_some_and(|name| name == "docker-credential-dockline");
    if is_helper {
        let action = arguments.get(1).map(|action| action.to_string_lossy().into_owned());
        return Call::CredentialHelper(action.unwrap_or_default());
    }
    match arguments.get(1) {
        Some(first) if is_plugin && first == "docker-cli-plugin-metadata" => return Call::Metadata,
        Some(first) if is_plugin && first == "dockline" => drop(arguments.remove(1)),
        Some(_) | None => {}
    }
    Call::Arguments(arguments)
}

/// What Docker is told.
pub fn metadata() -> String {
    serde_json::json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "Dockline",
        "Version": env!("CARGO_PKG_VERSION"),
        "ShortDescription": "Push and pull images through SSH",
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(words: &[&str]) -> Call {
        call(words.iter().map(OsString::from))
    }

    fn arguments(words: &[&str]) -> Call {
        Call::Arguments(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn docker_puts_the_name_first() {
        let plugin = "/home/me/.docker/cli-plugins/docker-dockline";
        assert_eq!(called(&[plugin, "dockline", "status"]), arguments(&[plugin, "status"]));
        assert_eq!(called(&[plugin, "docker-cli-plugin-metadata"]), Call::Metadata);
        assert_eq!(called(&[plugin]), arguments(&[plugin]));
    }

    #[test]
    fn a_credential_helper_is_told_by_its_name() {
        let helper = Call::CredentialHelper("get".to_owned());
        assert_eq!(called(&["/usr/local/bin/docker-credential-dockline", "get"]), helper);
    }

    #[test]
    fn a_direct_call_is_left_alone() {
        assert_eq!(called(&["dockline", "status"]), arguments(&["dockline", "status"]));
        assert_eq!(called(&["dockline", "dockline"]), arguments(&["dockline", "dockline"]));
    }
}
