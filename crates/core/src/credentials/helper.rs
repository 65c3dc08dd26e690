//! `docker-credential-NAME`: other people's keyrings, and clouds (docker-credential-helpers' protocol). The server goes
//! in by standard input and the secret comes out by standard output; neither stands in an argument or a log.

use dockline_model::{Code, UiError};
use dockline_registry::Credentials;
use secrecy::SecretString;
use serde::Deserialize;
use std::{process::Stdio, time::Duration};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// A helper may ask its person to unlock a keyring, or a cloud for a token.
const PATIENCE: Duration = Duration::from_secs(60);
/// What helpers say when they have nothing (docker-credential-helpers, `credentials.errCredentialsNotFoundMessage`).
const NOTHING: &str = "credentials not found";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// What the helper has for `server`.
pub(super) async fn get(name: &str, server: &str) -> Result<Option<Credentials>, UiError> {
    let program = format!("docker-credential-{name}");
    let failed = |what: String| {
        UiError::new(Code::CredentialHelper, format!("The credential helper {program} {what}."))
            .hint("Docker's config.json names it (credHelpers, credsStore). Install it, take it out there, or log in with dockline login.")
    };
    // It is a part of a program's name, not a path.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        return Err(failed("has no name that a program could have".to_owned()));
    }
    let mut command = Command::new(&program);
    // It looks for other programs itself.
    dockline_programs::prepare(command.as_std_mut());
    let mut child = command
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read it has its own way to know.
        let _ = stdin.write_all(server.as_bytes()).await;
    }
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .map_err(|_| failed(format!("has not answered for {} seconds", PATIENCE.as_secs())))?
        .map_err(|error| failed(format!("cannot be heard: {error}")))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stdout);
        let words = words.trim();
        if words.contains(NOTHING) {
            return Ok(None);
        }
        let first: String = words.lines().next().unwrap_or_default().chars().take(300).collect();
        return Err(failed(format!("failed ({})", output.status)).details(first));
    }
    // Its words hold the secret, so they go nowhere.
    let found: Found = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("answered something that does not read".to_owned()))?;
    if found.username.is_empty() && found.secret.is_empty() {
        return Ok(None);
    }
    Ok(Some(Credentials { user: found.username, secret: SecretString::from(found.secret) }))
}
