//! Looking inside a registry, and deleting what is there.

use super::{
    Answerer, Mailbox, Message,
    access::Access,
    actor::Actor,
    registries::{TunnelSlot, unknown},
    run::better,
};
use dockline_model::{
    Code, Contents, DeletePlan, LeaseHolder, Look, RegistryName, Reply, UiError, UsageProgress,
};
use dockline_registry::{Client, Digest, RegistryError};
use dockline_tunnel::{Lease, Tunnel};
use std::sync::Arc;

/// A registry whose way there is open.
pub(super) struct Visit {
    pub(super) access: Arc<Access>,
    client: Client,
    /// With the lease that keeps it up; `None` where there is none.
    tunnel: Option<(Tunnel, Lease)>,
}

/// What a visit needs of the actor's state.
pub(super) struct Visitor {
    pub(super) access: Arc<Access>,
    tunnel: Option<TunnelSlot>,
}

impl Visitor {
    /// Opens the tunnel: whether anything listens at its end is told better here than by a client that is hung up on.
    async fn enter(self) -> Result<Visit, UiError> {
        let access = self.access;
        access.look_again().await;
        let client = access.client()?;
        let Some(mut slot) = self.tunnel else { return Ok(Visit { access, client, tunnel: None }) };
        let tunnel = slot.ready().await?;
        let lease = tunnel.lease(LeaseHolder::Visit);
        tunnel.check_remote(&lease).await?;
        // The listener's address may be another program's.
        if let Some(error) = tunnel.view().listener_error {
            return Err(error);
        }
        Ok(Visit { access, client, tunnel: Some((tunnel, lease)) })
    }
}

impl Visit {
    /// The tunnel knows better than the client, which sees nothing but a closed connection.
    pub(super) fn told(&self, error: &RegistryError) -> UiError {
        let error = self.access.refused(error);
        match &self.tunnel {
            Some((tunnel, _)) => better(tunnel, error),
            None => error,
        }
    }

    async fn look(
        &self,
        name: RegistryName,
        look: Look,
        mailbox: Mailbox,
    ) -> Result<Contents, RegistryError> {
        let client = &self.client;
        Ok(match look {
            Look::Repositories { after, limit } => {
                Contents::Repositories { page: client.repositories(after.as_deref(), limit).await? }
            }
            Look::Tags { repository, after, limit } => {
                Contents::Tags { page: client.tag_page(&repository, after.as_deref(), limit).await? }
            }
            Look::Manifest { repository, reference } => {
                Contents::Manifest { manifest: Box::new(client.look_at(&repository, &reference).await?) }
            }
            Look::Referrers { repository, digest } => {
                let digest: Digest = digest.parse().map_err(dockline_registry::InvalidReference::from)?;
                Contents::Referrers { referrers: client.list_referrers(&repository, &digest).await? }
            }
            Look::PlanDelete { repository, reference } => {
                Contents::DeletePlan { plan: client.plan_delete(&repository, &reference).await? }
            }
            Look::Usage => {
                let progress = move |done, total, tags| {
                    let progress = UsageProgress { registry: name.clone(), done, total, tags };
                    mailbox.post(Message::Usage { progress });
                };
                Contents::Usage { usage: client.usage(progress).await? }
            }
        })
    }

    async fn delete(&self, plan: DeletePlan) -> Result<(), UiError> {
        let told = |error| self.told(&error);
        let current = self.client.plan_delete(&plan.repository, &plan.reference).await.map_err(told)?;
        if (&current.digest, &current.tags) != (&plan.digest, &plan.tags) {
            return Err(UiError::new(
                Code::DigestMismatch,
                format!("{}: what the plan would delete has changed since it was shown.", plan.repository),
            )
            .hint("Somebody pushed meanwhile. Look at it again, and then delete it."));
        }
        let digest: Digest = plan
            .digest
            .parse()
            .map_err(|error| told(RegistryError::from(dockline_registry::InvalidReference::from(error))))?;
        self.client.delete_manifest(&plan.repository, &digest).await.map_err(|error| self.told(&error))
    }
}

impl Actor {
    pub(super) fn visitor(&self, name: &RegistryName) -> Result<Visitor, UiError> {
        let registry = self.registry(name).ok_or_else(|| unknown(name))?;
        let tunnel = registry.spec.has_tunnel().then(|| registry.tunnel());
        Ok(Visitor { access: registry.access.clone(), tunnel })
    }

    pub(super) fn look(&self, name: &RegistryName, look: Look, answer: Answerer) {
        let (name, mailbox) = (name.clone(), self.mailbox.clone());
        self.visit(&name.clone(), answer, move |visit| async move {
            let contents = visit.look(name, look, mailbox).await.map_err(|error| visit.told(&error))?;
            Ok(Reply::Contents { contents })
        });
    }

    pub(super) fn delete_image(&self, name: &RegistryName, plan: DeletePlan, answer: Answerer) {
        self.visit(name, answer, move |visit| async move { visit.delete(plan).await.map(|()| Reply::Done) });
    }

    /// Does `work` at the registry, until it is done or whoever asked has gone.
    pub(super) fn visit<F>(
        &self,
        name: &RegistryName,
        mut answer: Answerer,
        work: impl FnOnce(Visit) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<Reply, UiError>> + Send,
    {
        let visitor = self.visitor(name);
        tokio::spawn(async move {
            let visited = async {
                let visit = visitor?.enter().await?;
                work(visit).await
            };
            tokio::select! {
                // A face that has gone does not hear it.
                result = visited => drop(answer.send(result)),
                () = answer.closed() => {}
            }
        });
    }
}
