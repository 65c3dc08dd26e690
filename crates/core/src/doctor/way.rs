//! The links of SSH. They are one dial; which of them broke is in the failure's code, and how far it is in the
//! questions that it asks.

use super::Examination;
use async_trait::async_trait;
use dockline_model::{Answer, Code, Link, LinkView, Question, RegistryName, UiError};
use dockline_tunnel::{Ask, SecretId, Tunnel};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// A person who watches waits longer than a program would, but not for ever.
const PATIENCE: Duration = Duration::from_secs(8);

/// How far a dial is, as far as its questions tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing was asked.
    Dialling,
    /// The host has shown its key, and somebody is asked about it.
    HostKey,
    /// The key is accepted, and somebody is asked for a secret.
    Login,
}

/// Passes a tunnel's questions on, and notes how far it is.
#[derive(Debug)]
pub(crate) struct Noting<A> {
    pub(crate) inner: A,
    pub(crate) stage: watch::Sender<Stage>,
}

#[async_trait]
impl<A: Ask> Ask for Noting<A> {
    async fn ask(&self, registry: &RegistryName, question: Question) -> Option<Answer> {
        let stage = if question.wants_secret() { Stage::Login } else { Stage::HostKey };
        self.stage.send_replace(stage);
        self.inner.ask(registry, question).await
    }

    async fn recall(&self, key: &SecretId) -> Option<SecretString> {
        self.inner.recall(key).await
    }

    async fn remember(&self, key: &SecretId, secret: &SecretString) {
        self.inner.remember(key, secret).await;
    }

    async fn forget(&self, key: &SecretId) {
        self.inner.forget(key).await;
    }
}

impl<F: FnMut(&[LinkView]) + Send> Examination<F> {
    /// Up to the open session, and a channel to where the registry is to be.
    pub(super) async fn way(&mut self, tunnel: &Tunnel) -> bool {
        self.begin(Link::SshReach);
        let tunnel = tunnel.with_patience(PATIENCE);
        let lease = Arc::new(tunnel.lease(self.case.holder.clone()));
        let (dialled, held) = (tunnel.clone(), lease.clone());
        let mut dial = tokio::spawn(async move { dialled.up(&held).await });
        let mut stage = self.case.stage.clone();
        let up = loop {
            tokio::select! {
                up = &mut dial => break up.unwrap_or_else(|_| {
                    Err(UiError::new(Code::Internal, "The dial's task failed."))
                }),
                Ok(()) = stage.changed() => {
                    let now = *stage.borrow_and_update();
                    self.note(&tunnel, now);
                }
            }
        };
        if let Err(error) = up {
            self.broken(&tunnel, error);
            return false;
        }
        self.connected(&tunnel, Link::Registry);
        self.begin(Link::Registry);
        if let Err(error) = tunnel.check_remote(&lease).await {
            self.broken(&tunnel, error);
            return false;
        }
        self.lease = Some(lease);
        true
    }

    fn note(&mut self, tunnel: &Tunnel, stage: Stage) {
        match stage {
            Stage::Dialling => {}
            Stage::HostKey => {
                self.connected(tunnel, Link::HostKey);
                self.begin(Link::HostKey);
            }
            Stage::Login => {
                self.connected(tunnel, Link::Login);
                self.begin(Link::Login);
            }
        }
    }

    /// Everything of SSH before `link` holds.
    fn connected(&mut self, tunnel: &Tunnel, link: Link) {
        let view = tunnel.view();
        let spec = &self.case.spec;
        let ssh = view.route.as_ref().map_or_else(|| spec.ssh.clone(), |route| route.ssh.clone());
        let detour = view.route.and_then(|route| route.detour());
        let host = ssh.host.clone();
        let reached = match detour {
            Some(detour) => format!("{host} answers ({detour})."),
            None => format!("{host} answers."),
        };
        let links = [
            (Link::SshReach, reached),
            (Link::HostKey, format!("{host} shows the host key that it should.")),
            (Link::Login, format!("The login at {ssh} works.")),
        ];
        for (passed, words) in links {
            if passed < link {
                self.pass(passed, words);
            }
        }
    }

    fn broken(&mut self, tunnel: &Tunnel, error: UiError) {
        let link = link_of(error.code);
        self.connected(tunnel, link);
        self.fail_as(link, error);
    }
}

/// Which link a dial's failure is about.
fn link_of(code: Code) -> Link {
    if matches!(code, Code::HostKeyUnknown | Code::HostKeyChanged | Code::HostKeyRevoked) {
        Link::HostKey
    } else if matches!(
        code,
        Code::SshAuth | Code::SshKeyUnusable | Code::NobodyToAsk | Code::Keyring | Code::Cancelled
    ) {
        Link::Login
    } else if matches!(
        code,
        Code::RemoteClosed | Code::ForwardForbidden | Code::Disconnected | Code::RegistryUnreachable
    ) {
        Link::Registry
    } else {
        Link::SshReach
    }
}
