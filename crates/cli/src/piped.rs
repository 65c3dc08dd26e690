//! Archives that come by a pipe or go into one. On the way they are kept in a file: their parts are needed out of order,
//! and the owner, which may be another program, reads or writes them there.

use crate::{
    interrupts::{Interrupts, cancelled},
    output::Output,
};
use dockline_model::{Code, UiError};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    env,
    fs::{self, File},
    io::{self, IsTerminal as _, Read, Write as _},
    path::{Path, PathBuf},
};

/// What Windows PowerShell does to what goes through a pipe: it reads it as text.
const SHELL: &str = "Windows PowerShell before 7.4 changes what goes through a pipe: let docker save write a file \
                     (--output app.tar), and push that.";
const READ_HINT: &str = match cfg!(windows) {
    true => {
        "Save the image to a file: docker save --output app.tar app:v1, then dockline push app.tar cr.boss.org"
    }
    false => "Pipe one in: docker save app:v1 | dockline push - cr.boss.org",
};
const WRITE_HINT: &str = match cfg!(windows) {
    true => {
        "Name a file for it: dockline pull cr.boss.org/app:v1 -o app.tar, then docker load --input app.tar"
    }
    false => "Pipe it on: dockline pull cr.boss.org/app:v1 -o - | docker load",
};

/// What is read at once.
const PIECE: usize = 1 << 20;
const FOLDER: &str = "dockline-pipe-";
const LOCK: &str = "lock";

/// The file, in a folder that goes away with this; or, if this process is killed, when the next one is piped.
#[derive(Debug)]
pub struct Piped {
    folder: tempfile::TempDir,
    /// Held for as long as this process lives.
    _lock: File,
}

impl Piped {
    /// Where there is most room, as far as that is known.
    fn somewhere() -> Result<Self, (PathBuf, io::Error)> {
        let mut outcome = None;
        for place in places(env::var_os("TMPDIR").is_some()) {
            match Self::new(&place) {
                Ok(piped) => return Ok(piped),
                Err(error) => outcome = Some((place, error)),
            }
        }
        Err(outcome.unwrap_or_else(|| (env::temp_dir(), io::ErrorKind::NotFound.into())))
    }

    fn new(parent: &Path) -> io::Result<Self> {
        remove_abandoned(parent);
        let folder = tempfile::Builder::new().prefix(FOLDER).tempdir_in(parent)?;
        let (unlocked, lock) = (folder.path().join("unlocked"), folder.path().join(LOCK));
        let file = File::create(&unlocked)?;
        match file.lock() {
            // There nothing is removed either.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => {
                locked?;
                fs::rename(unlocked, lock)?;
            }
        }
        Ok(Self { folder, _lock: file })
    }

    /// Where the archive is, or is to be.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("image.tar")
    }
}

/// Removes what killed processes have left: those that live hold their lock. The folder is everybody's, so nothing in it
/// is trusted to be what its name says: to open a pipe would wait for somebody who writes into it.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let lock = entry.path().join(LOCK);
        if entry.file_name().to_string_lossy().starts_with(FOLDER)
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && lock.symlink_metadata().is_ok_and(|lock| lock.is_file())
            && let Ok(lock) = File::open(lock)
            && lock.try_lock().is_ok()
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::debug!(%error, "what a killed command left stays: {}", entry.path().display());
        }
    }
}

/// Not where the system has its temporary files, unless somebody chose that place: it is memory on many machines, and
/// /var/tmp a disk (file-hierarchy(7)).
fn places(is_chosen: bool) -> Vec<PathBuf> {
    let on_disk = PathBuf::from("/var/tmp");
    let is_better = cfg!(unix) && !is_chosen && on_disk.is_dir();
    is_better.then_some(on_disk).into_iter().chain([env::temp_dir()]).collect()
}

fn failed(what: &str, folder: &Path, error: &dyn std::fmt::Display) -> UiError {
    let text = format!("{what} could not be kept in {}: {error}.", folder.display());
    UiError::new(Code::FileIo, text).hint("Free some space there, or name another folder with TMPDIR.")
}

/// Standard input as a file.
pub async fn read(output: Output) -> Result<Piped, UiError> {
    if io::stdin().is_terminal() {
        return Err(
            UiError::new(Code::InvalidArgument, "There is no archive on standard input.").hint(READ_HINT)
        );
    }
    let mut interrupts = Interrupts::new()?;
    let failed = |folder: &Path, error: &dyn std::fmt::Display| failed("Standard input", folder, error);
    let piped = Piped::somewhere().map_err(|(folder, error)| failed(&folder, &error))?;
    let folder = piped.folder.path().to_owned();
    let bar = bar(output);
    let shown = bar.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut file = File::create(piped.path())?;
        let bytes = copy(&mut io::stdin().lock(), &mut file, |bytes| {
            let read = crate::format::bytes(bytes);
            shown.set_message(format!("Reading from standard input: {read} so far"));
        })?;
        Ok::<_, io::Error>((piped, bytes))
    });
    let read = tokio::select! {
        read = read => Some(read),
        () = interrupts.next() => None,
    };
    bar.finish_and_clear();
    let read = read.ok_or_else(cancelled)?;
    let (piped, bytes) =
        read.map_err(|error| failed(&folder, &error))?.map_err(|error| failed(&folder, &error))?;
    if bytes == 0 {
        return Err(UiError::new(Code::ArchiveInvalid, "Standard input was empty.")
            .hint("The command before the pipe has probably failed; its message stands above."));
    }
    output.remark(format!("Read {} from standard input.", crate::format::bytes(bytes)));
    Ok(piped)
}

/// A line on a terminal, and nothing elsewhere.
fn bar(output: Output) -> ProgressBar {
    let target = if output.is_json() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, target).with_style(style)
}

/// All of `from`, in pieces; `each` hears how much there is.
fn copy(from: &mut impl Read, to: &mut File, mut each: impl FnMut(u64)) -> io::Result<u64> {
    let (mut piece, mut bytes) = (vec![0; PIECE], 0);
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(bytes),
            Ok(read) => {
                to.write_all(&piece[..read])?;
                bytes += read as u64;
                each(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What came by the pipe is no archive: on Windows the shell may be at fault.
pub fn or_by_the_shell(error: UiError, is_windows: bool) -> UiError {
    if !is_windows || error.code != Code::ArchiveInvalid {
        return error;
    }
    let hint = error.hint.iter().map(String::as_str).chain([SHELL]).collect::<Vec<_>>().join(" ");
    error.hint(hint)
}

/// A place for an archive that [`write()`] sends to standard output.
pub fn place(output: Output) -> Result<Piped, UiError> {
    if output.is_json() {
        return Err(UiError::new(
            Code::InvalidArgument,
            "Standard output takes the archive or JSON, not both.",
        )
        .hint("Name a file for the archive: --output app.tar"));
    }
    if io::stdout().is_terminal() {
        return Err(UiError::new(Code::InvalidArgument, "An archive is nothing for a terminal to show.")
            .hint(WRITE_HINT));
    }
    Piped::somewhere().map_err(|(folder, error)| failed("The archive", &folder, &error))
}

/// Sends the archive to standard output.
pub async fn write(piped: Piped) -> Result<(), UiError> {
    let mut interrupts = Interrupts::new()?;
    let written = tokio::task::spawn_blocking(move || {
        let mut file = File::open(piped.path())?;
        io::copy(&mut file, &mut io::stdout().lock()).map(|_| ())
    });
    let written = tokio::select! {
        written = written => written,
        () = interrupts.next() => return Err(cancelled()),
    };
    let failed = |error: &dyn std::fmt::Display| {
        UiError::new(Code::FileIo, format!("The archive could not be written to standard output: {error}."))
            .hint("The command behind the pipe has probably ended before it had all of it.")
    };
    written.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_only_looks_like_a_folder_of_ours_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        // Nobody writes into this pipe: whoever opened it would wait for ever.
        let trap = parent.path().join(format!("{FOLDER}trap"));
        fs::create_dir(&trap).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(trap.join(LOCK)).status().unwrap().success());
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join(LOCK), "").unwrap();
        let link = parent.path().join(format!("{FOLDER}link"));
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        Piped::new(parent.path()).unwrap();
        assert!(trap.exists() && link.exists() && elsewhere.path().join(LOCK).exists());
    }

    #[cfg(unix)]
    #[test]
    fn an_archive_on_a_pipe_is_kept_on_a_disk_unless_a_place_was_chosen() {
        assert_eq!(places(false), [PathBuf::from("/var/tmp"), env::temp_dir()]);
        assert_eq!(places(true), [env::temp_dir()]);
    }

    #[test]
    fn how_much_was_read_is_told_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.tar");
        let bytes = vec![7; 3 * PIECE + 5];
        let mut told = Vec::new();
        let copied = copy(&mut bytes.as_slice(), &mut File::create(&path).unwrap(), |bytes| told.push(bytes));
        assert_eq!(copied.unwrap(), bytes.len() as u64);
        assert!(fs::read(&path).unwrap() == bytes, "other bytes");
        assert!(told.len() > 3 && told.is_sorted() && told.last() == Some(&(bytes.len() as u64)), "{told:?}");
    }

    #[test]
    fn on_windows_the_shell_may_have_spoiled_an_archive() {
        let error = UiError::new(Code::ArchiveInvalid, "It is no archive.").hint("Make it again.");
        assert_eq!(or_by_the_shell(error.clone(), false), error);
        let hint = or_by_the_shell(error, true).hint.unwrap();
        assert!(hint.starts_with("Make it again. Windows PowerShell") && hint.contains("--output app.tar"));
        let other = UiError::new(Code::RegistryAuth, "No.").hint("Log in.");
        assert_eq!(or_by_the_shell(other.clone(), true), other);
    }

    #[test]
    fn what_the_killed_left_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let living = Piped::new(parent.path()).unwrap();
        fs::write(living.path(), "in use").unwrap();
        // A process that was killed has left its folder, and no longer holds the lock.
        let killed = parent.path().join(format!("{FOLDER}killed"));
        fs::create_dir(&killed).unwrap();
        fs::write(killed.join(LOCK), "").unwrap();
        fs::write(killed.join("image.tar"), "left").unwrap();
        // Somebody else's, and one that is not locked yet.
        for other in ["dockline-pipeline", "dockline-pipe-new"] {
            fs::create_dir(parent.path().join(other)).unwrap();
        }
        let next = Piped::new(parent.path()).unwrap();
        assert!(!killed.exists());
        assert_eq!(fs::read_to_string(living.path()).unwrap(), "in use");
        assert!(parent.path().join("dockline-pipeline").exists());
        assert!(parent.path().join("dockline-pipe-new").exists());
        let gone = next.path();
        drop(next);
        assert!(!gone.parent().unwrap().exists());
    }
}
