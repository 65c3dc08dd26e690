//! The controller.

use crate::Paths;
use dockline_model::{Command, Event, Hello, Reply, UiError};

/// Number of a face's connection to the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaceId(pub u64);

/// Handle of the one task that owns all state.
#[derive(Debug, Clone)]
pub struct Controller {}

impl Controller {
    /// Reads the configuration and starts a listener for each registry.
    ///
    /// # Errors
    /// If the configuration file exists and cannot be opened at all; one that does not read is no error here but
    /// shown in the snapshot.
    pub async fn start(paths: Paths) -> Result<Self, UiError> {
        let _ = paths;
        Ok(Self {})
    }

    /// Registers a face; prompts are only made while one that can answer is attached.
    pub async fn attach(&self, hello: Hello) -> FaceId {
        let _ = hello;
        FaceId(0)
    }

    /// Forgets a face: its held leases are dropped, its transfers cancelled if it is a command line.
    pub async fn detach(&self, face: FaceId) {
        let _ = face;
    }

    /// Carries out one command for `face`.
    ///
    /// # Errors
    /// Whatever the command's failure is.
    pub async fn handle(&self, face: FaceId, command: Command) -> Result<Reply, UiError> {
        let _ = (face, command);
        Err(UiError::new(dockline_model::Code::Internal, "not written yet"))
    }

    /// Every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> EventStream {
        EventStream {}
    }
}

/// Changes in their order. Also a [`futures::Stream`].
#[derive(Debug)]
pub struct EventStream {}

impl EventStream {
    /// The next change; `None` once the owner has ended. Whoever reads too slowly gets
    /// [`dockline_model::Change::Resync`] instead of what was missed.
    pub async fn next(&mut self) -> Option<Event> {
        None
    }
}
