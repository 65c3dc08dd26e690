//! The platform's file dialogs: the only way for the page to a path that the person did not type or drop.

use dockline_core::{Client, replace_file};
use dockline_desktop::link::Bridge;
use dockline_model::{Code, Command, Reply, UiError};
use serde::Deserialize;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use tauri::{AppHandle, State};
use tauri_plugin_dialog::{DialogExt as _, FilePath};
use tokio::sync::oneshot;

/// Longest file name that is proposed, in bytes (what most file systems take).
const LONGEST_NAME: usize = 255;

/// What a file is wanted for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// An image archive to push.
    Archive,
    /// Certificates (PEM).
    Certificate,
    /// A private key, which has no usual ending.
    Key,
}

/// Lets the person choose a file; nothing if they close the dialog. Nothing is read here. `title` and `archives`, what image
/// archives are called, are in the language that the page has.
#[tauri::command]
pub async fn choose_file(app: AppHandle, wanted: Wanted, title: String, archives: String) -> Option<PathBuf> {
    let (chosen, choice) = oneshot::channel();
    let dialog = app.dialog().file().set_title(title);
    let dialog = match wanted {
        Wanted::Archive => dialog.add_filter(archives, &["tar", "gz", "tgz", "zst", "tzst"]),
        Wanted::Certificate => dialog.add_filter("PEM", &["pem", "crt", "cer"]).add_filter("*", &["*"]),
        Wanted::Key => dialog,
    };
    // The page may be gone by then; then nobody waits for the answer.
    dialog.pick_file(move |file| drop(chosen.send(file)));
    path(choice).await
}

/// Lets the person choose where to save a file; `name` is what it is called if they change nothing. Nothing if they close
/// the dialog. Nothing is written here.
#[tauri::command]
pub async fn choose_save(app: AppHandle, name: String, title: String) -> Option<PathBuf> {
    let (chosen, choice) = oneshot::channel();
    app.dialog()
        .file()
        .set_title(title)
        .set_file_name(plain_name(&name))
        .save_file(move |file| drop(chosen.send(file)));
    path(choice).await
}

/// Writes the owner's team file where the person says: its text comes from the owner, not from the page. Nothing if they
/// close the dialog.
#[tauri::command]
pub async fn save_team_file(
    app: AppHandle,
    bridge: State<'_, Bridge<Arc<Client>>>,
    title: String,
) -> Result<Option<PathBuf>, UiError> {
    let wanted = Command::ExportRegistries { registries: Vec::new() };
    let Reply::TeamFile { text } = bridge.session().await?.request(wanted).await? else {
        return Err(UiError::new(
            Code::Internal,
            "The owner answered a request for the team file with something else.",
        ));
    };
    let Some(path) = choose_save(app, "dockline-team.toml".to_owned(), title).await else { return Ok(None) };
    match whole(&path, &text) {
        Ok(()) => Ok(Some(path)),
        Err(error) => {
            Err(UiError::new(Code::FileIo, format!("{} cannot be written: {error}.", path.display()))
                .hint("Choose another folder."))
        }
    }
}

/// Writes all of it or nothing.
fn whole(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".dockline.");
    // It is there for others to read; the umask has its say.
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    replace_file(file, path)
}

async fn path(choice: oneshot::Receiver<Option<FilePath>>) -> Option<PathBuf> {
    choice.await.ok()??.into_path().ok()
}

/// A name and nothing but a name: the page does not choose the folder.
fn plain_name(name: &str) -> String {
    let mut plain: String =
        name.chars().map(|c| if c.is_control() || "/\\:".contains(c) { '-' } else { c }).collect();
    let start = plain.trim_start_matches(['.', ' ']).to_owned();
    plain = if start.is_empty() { "image.tar".to_owned() } else { start };
    let mut end = plain.len().min(LONGEST_NAME);
    while !plain.is_char_boundary(end) {
        end -= 1;
    }
    plain.truncate(end);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("team.toml");
        whole(&path, "one").unwrap();
        whole(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert!(whole(&folder.path().join("none").join("team.toml"), "x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_proposed_name_is_no_path() {
        assert_eq!(plain_name("app-v1.tar"), "app-v1.tar");
        assert_eq!(plain_name("../../etc/passwd"), "-..-etc-passwd");
        assert_eq!(plain_name("C:\\x\ny"), "C--x-y");
        assert_eq!(plain_name(".ssh"), "ssh");
        assert_eq!(plain_name("…"), "…");
        assert_eq!(plain_name(""), "image.tar");
        assert_eq!(plain_name(&"é".repeat(200)).len(), 254);
    }
}
