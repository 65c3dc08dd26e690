//! One API for a face, whether the tunnels are its own or another process's.

use crate::{EventStream, Paths};
use dockline_model::{Command, Hello, Reply, UiError};

/// Whether a session may, must or must not be the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Use the owner that runs; become it if there is none (the desktop app, `dockline push`).
    OwnIfNone,
    /// Use the owner that runs; an error if there is none (`dockline agent --stop`).
    RequireOwner,
    /// Become the owner; an error if there is one (`dockline agent`).
    MustOwn,
}

/// A face's way to the owner. Cheap to clone; the last clone dropped ends the session, and with it the leases
/// that it held.
#[derive(Debug, Clone)]
pub struct Session {}

impl Session {
    /// Finds the owner of `paths`, or becomes it.
    ///
    /// # Errors
    /// `OwnerGone` (no owner and [`Mode::RequireOwner`], or one of another version), `OwnerBusy` (an owner runs and
    /// [`Mode::MustOwn`], or one that is ending), `FileIo` (the runtime folder cannot be used).
    pub async fn open(paths: Paths, hello: Hello, mode: Mode) -> Result<Self, UiError> {
        let _ = (paths, hello, mode);
        Err(UiError::new(dockline_model::Code::Internal, "not written yet"))
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// Whatever the command's failure is; `OwnerGone` if the owner ended meanwhile.
    pub async fn request(&self, command: Command) -> Result<Reply, UiError> {
        let _ = command;
        Err(UiError::new(dockline_model::Code::Internal, "not written yet"))
    }

    /// Every change from now on. Ask for a [`Command::Snapshot`] *after* this, and skip events whose sequence is
    /// not above the snapshot's.
    #[must_use]
    pub fn events(&self) -> EventStream {
        EventStream {}
    }

    /// Whether this process owns the tunnels.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        false
    }

    /// Waits until the owner has ended: asked to by [`Command::Quit`], or gone (with the reason, if remote).
    pub async fn ended(&self) -> Option<UiError> {
        None
    }

    /// Ends the session in order. As the owner: leases are dropped, transfers cancelled, tunnels closed, the
    /// control socket removed; other faces are told.
    pub async fn close(self) {}
}
