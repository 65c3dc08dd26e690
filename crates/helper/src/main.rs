//! The only program of Dockline's that ever runs with an administrator's rights.
//!
//! It reads one request (JSON, [`HelperRequest`]) from standard input, does it, prints one answer
//! ([`HelperAnswer`]) and exits: 0 if it was done, 1 if not, 3 if in part. What it will write is worked out here, from the
//! files as they are; the request says what should hold and names two fingerprints for each file, and no path. It
//! opens no socket, and starts no program but the few of the system's own that `dockline_edits::SystemStep` lists. Its
//! environment is emptied before anything else (see [`clean_process`]). What it did stands in the file `log` of its
//! journal's folder (`/var/lib/dockline/journal`), which root alone may read.
//!
//! By hand, without the app:
//! - `echo '{"verb":"undo-all"}' | sudo dockline-helper` takes out all that Dockline put into any system file;
//! - `echo '{"verb":"recover"}' | sudo dockline-helper` finishes or takes back what a crash interrupted.

use dockline_edits::{Fingerprint, HelperAnswer, HelperRequest, Paths, elevate, perform};
use dockline_model::{Code, UiError};
use std::{
    ffi::OsString,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

/// A configuration with a thousand registries makes a request of about 100 KB.
const LONGEST_REQUEST: u64 = 1024 * 1024;

fn main() -> ExitCode {
    let paths = paths();
    if let Err(error) = clean_process::clear_environment(&paths) {
        return answer(&failed(format!("The environment could not be cleared: {error}.")));
    }
    let caller = clean_process::caller();
    let outcome = request().map(|request| perform(&paths, &request, caller));
    answer(&match outcome {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => HelperAnswer::Failed { error: UiError::from(&error) },
        Err(message) => failed(message),
    })
}

/// From standard input. On Windows, whose elevated programs get none: from `--request-file PATH SHA256`, a file that holds
/// what the caller of this program put there and nothing else, or, by hand, from `--request-hex HEX`.
fn request() -> Result<HelperRequest, &'static str> {
    let mut arguments = std::env::args_os().skip(1);
    let json = match (arguments.next(), arguments.next(), arguments.next()) {
        (None, ..) => read(io::stdin()).map_err(|_| "Standard input could not be read.")?,
        (Some(option), Some(text), None) if option == "--request-hex" => {
            hex::decode(text.as_encoded_bytes()).map_err(|_| "The argument is not hexadecimal.")?
        }
        // Elsewhere whoever calls has a pipe for it, and no file is opened that somebody merely names.
        (Some(option), Some(path), Some(hash))
            if option == "--request-file" && (cfg!(windows) || !paths().are_system()) =>
        {
            // Before its hash is known to be right, nothing is said about a file that the caller may not be able to read.
            let json = std::fs::File::open(path).and_then(read).unwrap_or_default();
            let is_whole = hash.to_str().is_some_and(|hash| Fingerprint::of(Some(&json)).as_str() == hash);
            if !is_whole {
                return Err("The file of the request is not the one that was written.");
            }
            json
        }
        (Some(_), ..) => {
            return Err("dockline-helper reads one request from standard input and takes no arguments.");
        }
    };
    if json.len() as u64 > LONGEST_REQUEST {
        return Err("The request is longer than any that Dockline makes.");
    }
    serde_json::from_slice(&json).map_err(|_| "The request is not one of Dockline's.")
}

fn read(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    from.take(LONGEST_REQUEST + 1).read_to_end(&mut json)?;
    Ok(json)
}

/// The system's hosts file. Tests name another in `DOCKLINE_HOSTS_FILE`; it counts only where it gives the caller
/// nothing they do not have: not set-user-id, not under sudo or pkexec, and the file is the caller's own.
fn paths() -> Paths {
    match std::env::var_os("DOCKLINE_HOSTS_FILE") {
        Some(file) if clean_process::is_callers_own(&file) => Paths::beside(file.as_ref()),
        Some(_) | None => Paths::system(),
    }
}

fn failed(message: impl Into<String>) -> HelperAnswer {
    HelperAnswer::Failed { error: UiError::new(Code::InvalidArgument, message) }
}

fn answer(answer: &HelperAnswer) -> ExitCode {
    let printed = serde_json::to_vec(answer).map_err(io::Error::from).and_then(|mut line| {
        line.push(b'\n');
        io::stdout().write_all(&line)
    });
    match printed {
        Ok(()) => ExitCode::from(elevate::exit_status(answer)),
        // Nobody hears it on Windows, where the status is the answer.
        Err(_) if cfg!(windows) => ExitCode::from(elevate::exit_status(answer)),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Getting rid of what the caller may have put around us.
#[cfg(unix)]
mod clean_process {
    use super::{OsString, Paths, io};
    use std::{
        os::unix::{fs::MetadataExt as _, process::CommandExt as _},
        process::Command,
    };

    /// What pkexec(1) and sudo(8) say about who called them.
    const CALLERS: [&str; 2] = ["PKEXEC_UID", "SUDO_UID"];

    /// Starts this program over with an empty environment, if it is not empty already: that holds for every
    /// library in it, whatever they read at their start. The caller's number stays, for the log.
    pub fn clear_environment(paths: &Paths) -> io::Result<()> {
        let mut wanted: Vec<(&str, OsString)> = Vec::new();
        if !paths.are_system() {
            wanted.push(("DOCKLINE_HOSTS_FILE", paths.hosts.clone().into()));
        }
        for name in CALLERS {
            wanted.extend(number(name).map(|uid| (name, uid.to_string().into())));
        }
        if std::env::vars_os().count() == wanted.len() {
            return Ok(());
        }
        let mut again = Command::new(std::env::current_exe()?);
        Err(again.args(std::env::args_os().skip(1)).env_clear().envs(wanted).exec())
    }

    fn number(name: &str) -> Option<u32> {
        std::env::var(name).ok()?.parse().ok()
    }

    /// The user who asked.
    pub fn caller() -> Option<u32> {
        CALLERS.into_iter().find_map(number)
    }

    pub fn is_callers_own(file: &OsString) -> bool {
        let (real, effective) = (rustix::process::getuid(), rustix::process::geteuid());
        let is_elevated = real != effective || CALLERS.iter().any(|name| std::env::var_os(name).is_some());
        !is_elevated && std::fs::symlink_metadata(file).is_ok_and(|stat| stat.uid() == real.as_raw())
    }
}

/// Windows has no exec; the helper reads no variable there but those the system sets.
#[cfg(not(unix))]
mod clean_process {
    use super::{OsString, Paths, io};

    pub fn clear_environment(_paths: &Paths) -> io::Result<()> {
        Ok(())
    }

    pub fn caller() -> Option<u32> {
        None
    }

    pub fn is_callers_own(_file: &OsString) -> bool {
        false
    }
}
