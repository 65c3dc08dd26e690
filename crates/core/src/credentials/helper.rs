//! `docker-credential-NAME`: other people's keyrings, and clouds (docker-credential-helpers' protocol). The server goes
//! in by standard input and the secret comes out by standard output; neither stands in an argument or a log.

use dockline_model::{Code, UiError};
use dockline_registry::Credentials;
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

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
    let started = match start(OsStr::new(&program)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && cfg!(windows) => {
            let script = script(&program, dockline_programs::folders()).map(OsString::from);
            script.map_or(Err(error), |script| start(&script))
        }
        started => started,
    };
    let mut child = started.map_err(|error| failed(format!("cannot be started: {error}")))?;
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

fn start(program: &OsStr) -> io::Result<Child> {
    let mut command = Command::new(program);
    // It looks for other programs itself.
    dockline_programs::prepare(command.as_std_mut());
    let command = command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn()
}

/// A helper that is a script of Windows', as gcloud's is (`docker-credential-gcloud.cmd`): under a bare name only an
/// `.exe` is looked for. Folders of the PATH that are relative would be wherever Dockline happens to be.
fn script(program: &str, folders: Vec<PathBuf>) -> Option<PathBuf> {
    let mut folders = folders.into_iter().filter(|folder| folder.is_absolute());
    folders.find_map(|folder| {
        ["cmd", "bat"].iter().map(|end| folder.join(format!("{program}.{end}"))).find(|path| path.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_that_is_a_script_is_found_in_the_order_of_the_path() {
        let home = tempfile::tempdir().unwrap();
        let folders = ["one", "two", "three"].map(|name| home.path().join(name));
        for folder in &folders {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::create_dir(folders[0].join("docker-credential-gcloud.cmd")).unwrap();
        let find = || script("docker-credential-gcloud", folders.to_vec());
        assert_eq!(find(), None, "a folder is no program");
        std::fs::write(folders[2].join("docker-credential-gcloud.cmd"), "").unwrap();
        assert_eq!(find(), Some(folders[2].join("docker-credential-gcloud.cmd")));
        std::fs::write(folders[1].join("docker-credential-gcloud.bat"), "").unwrap();
        assert_eq!(find(), Some(folders[1].join("docker-credential-gcloud.bat")));
        assert_eq!(script("docker-credential-gcloud", vec![PathBuf::from(".")]), None);
    }
}
