//! `dockline login` and `dockline logout`, and Docker's credential helper.

use crate::{
    arguments::Login,
    face::{Face, unexpected},
    output::{Output, to_stdout, wrapped_for_stdout},
    prompts::Answers,
};
use dockline_core::{
    Paths,
    credentials::{Kept, KeptLogin},
};
use dockline_model::{
    AccessView, Code, Command, CredentialOrigin, LoginScheme, RegistryName, Reply, Secret, UiError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    process::ExitCode,
};

/// Tries a login and keeps it in the keyring.
pub async fn login(login: Login, output: Output) -> Result<(), UiError> {
    let secret = if login.password_stdin { Some(first_line()?) } else { None };
    if secret.is_some() && login.username.is_none() {
        return Err(UiError::new(Code::InvalidArgument, "A password alone is no login.")
            .hint("Say whose it is: --username NAME --password-stdin"));
    }
    let (face, _) = Face::open_configured(Answers::Terminal, output).await?;
    let command = Command::Login { registry: login.registry, user: login.username, secret };
    let told = access(&face, command).await.and_then(|access| {
        if access.origin == Some(CredentialOrigin::Session) {
            output.warn(match face.is_owner() {
                true => "There is no keyring that works, so the login is forgotten when this command ends.",
                false => "There is no keyring that works, so the login is kept only until Dockline ends.",
            });
        }
        output.result(&access, || text(&access))
    });
    face.close_when_unneeded().await;
    told
}

/// Forgets what Dockline keeps.
pub async fn logout(registry: RegistryName, output: Output) -> Result<(), UiError> {
    let (face, _) = Face::open_configured(Answers::Nobody, output).await?;
    let told = access(&face, Command::Logout { registry })
        .await
        .and_then(|access| output.result(&access, || wrapped_for_stdout(&after_logout(&access))));
    face.close_when_unneeded().await;
    told
}

async fn access(face: &Face, command: Command) -> Result<AccessView, UiError> {
    let reply = face.request(command).await?;
    let Reply::Access { access } = reply else { return Err(unexpected(&reply)) };
    Ok(access)
}

fn text(access: &AccessView) -> String {
    let AccessView { authority, scheme, user, .. } = access;
    match (user, scheme) {
        (Some(user), LoginScheme::Token { realm }) => {
            format!("Logged in at {authority} as {user}, with tokens from {realm}.")
        }
        (Some(user), LoginScheme::Basic | LoginScheme::None) => {
            format!("Logged in at {authority} as {user}.")
        }
        (None, _) => format!("{authority} lets everybody in; no login is needed."),
    }
}

fn after_logout(access: &AccessView) -> String {
    let AccessView { authority, user, origin, .. } = access;
    let gone = format!("Dockline keeps no login for {authority} any more.");
    let user = user.as_deref().unwrap_or("somebody");
    match origin {
        Some(CredentialOrigin::DockerConfig) => format!(
            "{gone} Docker does, as {user}, and it still counts, here too: docker logout {authority} takes it away."
        ),
        Some(CredentialOrigin::Helper { name }) => format!(
            "{gone} docker-credential-{name}, which Docker's config.json names, still has one, as {user}, and it counts \
             here too: docker logout {authority} asks it to forget that."
        ),
        Some(CredentialOrigin::Keyring | CredentialOrigin::Session) | None => gone,
    }
}

fn first_line() -> Result<Secret, UiError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|error| {
        UiError::new(Code::InvalidArgument, format!("Standard input could not be read: {error}."))
            .hint("Pipe the password in.")
    })?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(UiError::new(Code::InvalidArgument, "Standard input held no password.")
            .hint("Pipe it in: pass show registry | dockline login … --password-stdin"));
    }
    Ok(Secret::new(secret.to_owned()))
}

/// What Docker sends and gets (docker-credential-helpers, `credentials.Credentials`).
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "ServerURL")]
    server: String,
    username: String,
    secret: String,
}

/// `docker-credential-dockline ACTION`: Docker's own logins in the same keyring. Answers in the protocol's form, not in
/// ours: errors go to standard output as plain words, and the status is 1.
pub async fn helper(action: &str) -> ExitCode {
    match helped(action).await {
        Ok(answer) => {
            if !answer.is_empty() {
                // Docker has gone.
                drop(to_stdout(&answer));
            }
            ExitCode::SUCCESS
        }
        Err(words) => {
            drop(to_stdout(&words.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// What a helper says when it has nothing (docker-credential-helpers, `errCredentialsNotFoundMessage`): Docker compares.
const NOTHING: &str = "credentials not found in native keychain";

async fn helped(action: &str) -> Result<String, UiError> {
    let paths = Paths::from_process().map_err(|error| UiError::from(&error))?;
    let kept = Kept::open(&paths)?;
    let json = |value: serde_json::Value| Ok(value.to_string());
    match action {
        "get" => {
            let server = stdin()?;
            let login = kept.login(key(&server)).await?;
            let login = login.ok_or_else(|| UiError::new(Code::NotFound, NOTHING))?;
            let secret = login.secret.expose_secret().to_owned();
            json(serde_json::json!(Entry { server: server.trim().to_owned(), username: login.user, secret }))
        }
        "store" => {
            // What does not read may be the secret.
            let entry: Entry = serde_json::from_str(&stdin()?)
                .map_err(|_| UiError::new(Code::InvalidArgument, "standard input holds no credentials"))?;
            let login = KeptLogin { user: entry.username, secret: SecretString::from(entry.secret) };
            kept.keep(key(&entry.server), login).await.map(|()| String::new())
        }
        "erase" => kept.erase(key(&stdin()?)).await.map(|()| String::new()),
        "list" => {
            let list: BTreeMap<String, String> = kept.list().await;
            json(serde_json::json!(list))
        }
        "version" => Ok(format!("docker-credential-dockline {}", env!("CARGO_PKG_VERSION"))),
        other => Err(UiError::new(
            Code::InvalidArgument,
            format!("unknown action {other}; there are get, store, erase, list and version"),
        )),
    }
}

fn stdin() -> Result<String, UiError> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| UiError::new(Code::InvalidArgument, format!("standard input: {error}")))?;
    Ok(text)
}

/// As Dockline itself keeps it: Docker gives Hub's login a URL, and older programs everybody's.
fn key(server: &str) -> &str {
    let server = server.trim();
    if server.contains("index.docker.io") {
        return server;
    }
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
