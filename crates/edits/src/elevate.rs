//! How a change that needs an administrator's rights gets them.
//!
//! [`choose`] is pure: which way suits which [`Situation`]. [`run`] goes that way: in this process, or by starting
//! `dockline-helper` under pkexec(1), sudo(8), macOS's `osascript` or Windows' `Start-Process -Verb RunAs`. The
//! last two are tested as command lines only (docs/platforms.md).

mod command;
mod request_file;
mod situation;
mod status;

use crate::{HelperAnswer, HelperRequest, Paths, Platform, StepOutcome, perform};
use command::Invocation;
use dockline_model::{Code, UiError};
use request_file::RequestFile;
pub use situation::Situation;
use status::Unanswered;
pub use status::of_answer as exit_status;
use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, ExitStatus, Output, Stdio},
};

/// How it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elevation {
    /// In this process.
    Direct {
        /// The files.
        paths: Paths,
    },
    /// The helper through polkit, which shows a dialogue of its own.
    Pkexec {
        /// Where pkexec is.
        pkexec: PathBuf,
        /// Where the helper is.
        helper: PathBuf,
    },
    /// The helper through sudo.
    Sudo {
        /// Where sudo is.
        sudo: PathBuf,
        /// Where the helper is.
        helper: PathBuf,
        /// Whether sudo may ask for a password on the terminal; otherwise it works only where it needs none.
        may_ask: bool,
    },
    /// The helper through macOS's authorization dialogue.
    Osascript {
        /// Where the helper is.
        helper: PathBuf,
    },
    /// The helper through Windows' User Account Control.
    RunAs {
        /// Where the helper is.
        helper: PathBuf,
    },
    /// There is no way from here.
    Impossible {
        /// The system, for the command line a person can run instead.
        platform: Platform,
        /// Where the helper is; `None` if it is not installed.
        helper: Option<PathBuf>,
    },
}

/// The best way there is.
#[must_use]
pub fn choose(situation: &Situation) -> Elevation {
    let Situation { platform, may_write, graphical, terminal, .. } = *situation;
    if may_write {
        return Elevation::Direct { paths: situation.paths.clone() };
    }
    let Some(helper) = situation.helper.clone() else {
        return Elevation::Impossible { platform, helper: None };
    };
    match platform {
        Platform::Windows => Elevation::RunAs { helper },
        Platform::MacOs if graphical => Elevation::Osascript { helper },
        Platform::Linux | Platform::MacOs => match (&situation.pkexec, &situation.sudo) {
            (Some(pkexec), _) if graphical => Elevation::Pkexec { pkexec: pkexec.clone(), helper },
            (_, Some(sudo)) => Elevation::Sudo { sudo: sudo.clone(), helper, may_ask: terminal },
            (_, None) => Elevation::Impossible { platform, helper: Some(helper) },
        },
    }
}

/// Carries out `request`. Blocks for as long as a person takes to type a password.
///
/// # Errors
/// `PermissionDenied` with the command line a person can run instead, or what the helper answers.
pub fn run(request: &HelperRequest, elevation: &Elevation) -> Result<HelperAnswer, UiError> {
    match elevation {
        Elevation::Direct { paths } => perform(paths, request, None).map_err(|error| UiError::from(&error)),
        Elevation::Pkexec { pkexec, helper } => {
            start(command::pkexec(pkexec, helper), request, Platform::Linux, helper)
        }
        Elevation::Sudo { sudo, helper, may_ask } => {
            start(command::sudo(sudo, helper, *may_ask), request, Platform::Linux, helper)
        }
        Elevation::Osascript { helper } => {
            start(command::osascript(helper, &to_json(request)?), request, Platform::MacOs, helper)
        }
        Elevation::RunAs { helper } => {
            let file = RequestFile::write(&to_json(request)?).map_err(|error| {
                UiError::new(Code::FileIo, format!("The request to dockline-helper could not be written: {error}."))
                    .hint("Nothing was changed. Check that the folder for temporary files can be written.")
            })?;
            start(command::run_as(helper, file.path(), file.hash()), request, Platform::Windows, helper)
        }
        Elevation::Impossible { platform, helper: Some(helper) } => Err(denied(
            "Changing the system's settings takes an administrator's rights, and neither pkexec nor sudo is there to ask for them.",
            request,
            *platform,
            helper,
        )),
        Elevation::Impossible { helper: None, .. } => Err(UiError::new(
            Code::PermissionDenied,
            "Changing the system's settings takes an administrator's rights, and the program that asks for them, \
             dockline-helper, is not beside dockline.",
        )
        .hint(
            "Install Dockline with its helper, set DOCKLINE_HELPER to its path, or run this command as root.",
        )),
    }
}

fn start(
    invocation: Invocation,
    request: &HelperRequest,
    platform: Platform,
    helper: &std::path::Path,
) -> Result<HelperAnswer, UiError> {
    let output = output_of(&invocation, request).map_err(|error| {
        let program = invocation.program.display();
        denied(&format!("{program} could not be started: {error}."), request, platform, helper)
    })?;
    let unanswered = match invocation.answers {
        true => match serde_json::from_slice::<HelperAnswer>(&output.stdout) {
            Ok(HelperAnswer::Failed { error }) => return Err(error),
            Ok(answer) => return Ok(answer),
            Err(_) => status::where_one_was_due(output.status.code()),
        },
        // Windows hands an elevated program no pipes; its exit status is all there is.
        false => status::where_none_comes(output.status.code()),
    };
    match unanswered {
        Unanswered::Done => Ok(HelperAnswer::Done { outcomes: Vec::new(), steps: Vec::new() }),
        Unanswered::Partly => {
            Ok(HelperAnswer::Done { outcomes: Vec::new(), steps: vec![unknown_step()] })
        }
        Unanswered::Refused => Err(with_end(
            denied(
                "Leave to change the system's settings was not given; nothing was changed.",
                request,
                platform,
                helper,
            ),
            &output,
        )),
        Unanswered::Unknown => Err(with_end(
            UiError::new(
                Code::FileIo,
                "The change of the system's settings was begun with an administrator's rights and did not end well; \
                 what went wrong did not come back.",
            )
            .hint("Look at what is there now (dockline setup --plan, or dockline hosts --plan), then try again."),
            &output,
        )),
    }
}

/// Windows does not hand back which step it was.
fn unknown_step() -> StepOutcome {
    StepOutcome {
        words: String::new(),
        error: Some(
            "The settings are written, but something that makes them take effect failed. Restart the engine yourself."
                .to_owned(),
        ),
    }
}

fn output_of(invocation: &Invocation, request: &HelperRequest) -> std::io::Result<Output> {
    let mut command = Command::new(&invocation.program);
    let mut child = dockline_programs::without_window(&mut command)
        .args(&invocation.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(if invocation.shows_stderr { Stdio::inherit() } else { Stdio::piped() })
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let json = serde_json::to_vec(request).map_err(std::io::Error::other)?;
        match stdin.write_all(&json) {
            // It ended without reading: a refused password. Its exit status says so better.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    child.wait_with_output()
}

fn with_end(error: UiError, output: &Output) -> UiError {
    error.details(format!("{}; {}", describe(output.status), String::from_utf8_lossy(&output.stderr).trim()))
}

/// pkexec(1): 126 if the dialogue was dismissed, 127 if authorization could not be had.
fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(126) => "exit status 126, the dialogue was dismissed".to_owned(),
        Some(127) => "exit status 127, not authorized".to_owned(),
        Some(code) => format!("exit status {code}"),
        None => "ended by a signal".to_owned(),
    }
}

fn denied(message: &str, request: &HelperRequest, platform: Platform, helper: &std::path::Path) -> UiError {
    let error = UiError::new(Code::PermissionDenied, message);
    match to_json(request) {
        Ok(json) => error.hint(format!(
            "Try again, or run this as an administrator: {}",
            command::by_hand(platform, helper, &json)
        )),
        Err(_) => error,
    }
}

fn to_json(request: &HelperRequest) -> Result<String, UiError> {
    serde_json::to_string(request).map_err(|error| UiError::new(Code::Internal, format!("{error}.")))
}

#[cfg(test)]
mod tests;
