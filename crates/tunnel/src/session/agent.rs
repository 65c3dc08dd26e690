//! The SSH agent: where it is found, and which keys it holds.

use russh::keys::agent::{
    AgentIdentity,
    client::{AgentClient, AgentStream},
};
use std::{path::Path, time::Duration};

/// An agent on whatever kind of stream the platform has.
pub(super) type Agent = AgentClient<Box<dyn AgentStream + Send + Unpin + 'static>>;

/// Listing keys asks nobody, so an agent that takes longer is stuck.
const LIST_TIMEOUT: Duration = Duration::from_secs(3);

/// Connects, and lists the keys. `None` where there is no agent, or none that answers.
pub(super) async fn open(socket: &Path) -> Option<(Agent, Vec<AgentIdentity>)> {
    let opening = async {
        let mut agent = connect(socket).await?;
        let identities = agent.request_identities().await?;
        Ok::<_, russh::keys::Error>((agent, identities))
    };
    match tokio::time::timeout(LIST_TIMEOUT, opening).await {
        Ok(Ok(opened)) => Some(opened),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the SSH agent does not answer");
            None
        }
        Err(_) => {
            tracing::debug!("the SSH agent did not answer in time");
            None
        }
    }
}

#[cfg(unix)]
async fn connect(socket: &Path) -> Result<Agent, russh::keys::Error> {
    Ok(AgentClient::connect_uds(socket).await?.dynamic())
}

#[cfg(windows)]
async fn connect(pipe: &Path) -> Result<Agent, russh::keys::Error> {
    Ok(AgentClient::connect_named_pipe(pipe.as_os_str()).await?.dynamic())
}
