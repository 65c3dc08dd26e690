//! One login at a host for what its shell is to do: no tunnel, no port, and nothing that comes back by itself.

use crate::{
    Ask, SshEnvironment,
    error::TunnelError,
    network::Surroundings,
    program::Program,
    session::{Credentials, Dialer, Session},
};
use dockline_model::{RegistryName, SshTarget, UiError};
use std::{fmt, sync::Arc};

/// A session with a host. Dropping it, or [`HostSession::close`], ends it; so does a lost connection.
pub struct HostSession(Session);

impl fmt::Debug for HostSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostSession").field(&self.0.host()).finish()
    }
}

impl HostSession {
    /// Logs in. Questions are put to `ask`, in the name of `name`.
    ///
    /// # Errors
    /// Why there is no session.
    pub async fn dial(
        name: RegistryName,
        target: SshTarget,
        ssh: SshEnvironment,
        ask: Arc<dyn Ask>,
    ) -> Result<Self, UiError> {
        let (surroundings, credentials) = (Arc::new(Surroundings::new()), Arc::new(Credentials::default()));
        let dialer = Dialer::new(name, target, ssh, ask, surroundings, credentials);
        let dialled = dialer.dial(true).await;
        dialled.map(Self).map_err(|error: TunnelError| UiError::from(&error))
    }

    /// Runs a program there, through the user's login shell.
    ///
    /// # Errors
    /// Where the host runs none for us, or the session is lost.
    pub async fn run(&self, command: &str) -> Result<Program, UiError> {
        self.0.run(command).await.map_err(|error| UiError::from(&error))
    }

    /// Ends it, and waits for that.
    pub async fn close(self) {
        self.0.close().await;
    }
}
