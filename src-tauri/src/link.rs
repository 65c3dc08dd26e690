//! The way to whichever owner there is at the moment.

use dockline_model::{Code, UiError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a command waits for an owner. Finding one takes milliseconds; starting one, a second at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// The session of the moment, or why there is none.
#[derive(Debug, Clone)]
pub enum Link<S> {
    /// Being opened.
    Opening,
    /// There.
    Open(S),
    /// Could not be opened; it is being tried again.
    Broken(UiError),
}

/// Hands out whichever session there is.
#[derive(Debug, Clone)]
pub struct Bridge<S> {
    link: watch::Receiver<Link<S>>,
}

impl<S: Clone> Bridge<S> {
    /// A bridge over `link`.
    #[must_use]
    pub const fn new(link: watch::Receiver<Link<S>>) -> Self {
        Self { link }
    }

    /// The session there is, or the one being opened.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn session(&self) -> Result<S, UiError> {
        let mut link = self.link.clone();
        let settled =
            tokio::time::timeout(PATIENCE, link.wait_for(|link| !matches!(link, Link::Opening))).await;
        let Ok(settled) = settled else {
            return Err(UiError::new(Code::TimedOut, "Dockline's core did not start within 10 seconds.")
                .hint("Quit Dockline and start it from a terminal, where it says why."));
        };
        match settled.as_deref() {
            Ok(Link::Open(session)) => Ok(session.clone()),
            Ok(Link::Broken(error)) => Err(error.clone()),
            Ok(Link::Opening) | Err(_) => {
                Err(UiError::new(Code::OwnerGone, "Dockline is ending and takes no more commands."))
            }
        }
    }
}
