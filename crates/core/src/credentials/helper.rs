//! `docker-credential-NAME`: other people's keyrings, and clouds (docker-credential-helpers' protocol). The server goes
//! in by standard input and the secret comes out by standard output; neither stands in an argument or a log.

use dockline_model::{Code, UiError};
use dockline_registry::Credentials;
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
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

/// Where helpers are besides the PATH. A program that the desktop has started gets the session's, which lacks what a shell's
/// own files add.
fn more_folders(home: &Path) -> Vec<PathBuf> {
    let own =
        ["bin", ".local/bin", ".docker/bin", "google-cloud-sdk/bin", ".rd/bin"].map(|name| home.join(name));
    let systems: &[&str] = if cfg!(windows) {
        &[r"C:\Program Files\Docker\Docker\resources\bin"]
    } else if cfg!(target_os = "macos") {
        &["/usr/local/bin", "/opt/homebrew/bin", "/Applications/Docker.app/Contents/Resources/bin"]
    } else {
        &["/usr/local/bin", "/snap/bin", "/home/linuxbrew/.linuxbrew/bin"]
    };
    own.into_iter().chain(systems.iter().map(PathBuf::from)).collect()
}

/// The PATH with those behind it.
fn search_path(path: Option<OsString>, home: &Path) -> Option<OsString> {
    // Without one the system has its own.
    let path = path?;
    let folders = env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty());
    // Without a home they would be where Dockline happens to be.
    let more = more_folders(home).into_iter().filter(|folder| folder.is_absolute());
    // None, if a name cannot stand in a list: then it is left as it is.
    env::join_paths(folders.chain(more)).ok()
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
    if let Some(path) = search_path(env::var_os("PATH"), &env::home_dir().unwrap_or_default()) {
        // The helper looks for other programs there, too.
        command.env("PATH", path);
    }
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_found_where_only_a_shell_would_look() {
        let home = Path::new("/home/ann");
        let path = search_path(Some("/usr/bin::/bin".into()), home).unwrap();
        let folders: Vec<PathBuf> = env::split_paths(&path).collect();
        // A person's own order comes first; an empty entry would be the folder that Dockline happens to be in.
        assert_eq!(folders[..3], ["/usr/bin", "/bin", "/home/ann/bin"].map(PathBuf::from));
        assert!(folders.contains(&home.join(".docker/bin")));
        assert!(search_path(None, home).is_none());
        let homeless = search_path(Some("/usr/bin".into()), Path::new("")).unwrap();
        assert!(env::split_paths(&homeless).all(|folder| folder.is_absolute()), "{homeless:?}");
    }
}
