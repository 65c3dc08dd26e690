//! How a change that needs an administrator's rights gets them.

use crate::{HelperAnswer, HelperRequest, Paths, Platform};
use dockline_model::UiError;
use std::path::PathBuf;

/// What the choice depends on; gathered by [`Situation::of_process`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The system.
    pub platform: Platform,
    /// The files to be changed.
    pub paths: Paths,
    /// Whether this process may write them itself: it is root, or they are its own (tests, the demo).
    pub may_write: bool,
    /// Whether a graphical session is there to show a password dialogue.
    pub graphical: bool,
    /// Whether a person sits at this process's terminal.
    pub terminal: bool,
    /// Where pkexec(1) is.
    pub pkexec: Option<PathBuf>,
    /// Where sudo(8) is.
    pub sudo: Option<PathBuf>,
    /// Where `dockline-helper` is.
    pub helper: Option<PathBuf>,
}

/// How it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elevation {
    /// In this process.
    Direct {
        /// The files.
        paths: Paths,
    },
    /// The helper through polkit.
    Pkexec {
        /// Where pkexec is.
        pkexec: PathBuf,
        /// Where the helper is.
        helper: PathBuf,
    },
    /// The helper through sudo, which asks on the terminal.
    Sudo {
        /// Where sudo is.
        sudo: PathBuf,
        /// Where the helper is.
        helper: PathBuf,
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
        /// Where the helper is, for the command line a person can run instead.
        helper: Option<PathBuf>,
    },
}

impl Situation {
    /// This process's, for changing `paths`.
    #[must_use]
    pub fn of_process(paths: Paths) -> Self {
        let _ = paths;
        unimplemented!()
    }
}

/// The best way there is.
#[must_use]
pub fn choose(situation: &Situation) -> Elevation {
    let _ = situation;
    unimplemented!()
}

/// Carries out `request`. Blocks for as long as a person takes to type a password.
///
/// # Errors
/// `PermissionDenied` with the command line a person can run instead, or what the helper answers.
pub fn run(request: &HelperRequest, elevation: &Elevation) -> Result<HelperAnswer, UiError> {
    let _ = (request, elevation);
    unimplemented!()
}
