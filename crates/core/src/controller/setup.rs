//! “Make docker push work here”, on behalf of a face that cannot do it in a process of its own (the window).

use super::{Answerer, Message, actor::Actor, registries::unknown};
use crate::{config, setup::Setup};
use dockline_model::{RegistryName, RegistryView, Reply, SetupAction, SetupPlan};

impl Actor {
    fn setup_for(&self, registry: Option<RegistryName>) -> Setup {
        let views: Vec<RegistryView> =
            self.registries.iter().map(super::registries::Registry::view).collect();
        Setup::new(&self.paths, views, registry).with_context(self.settings.context.clone())
    }

    pub(super) fn plan_setup(
        &self,
        action: SetupAction,
        registry: Option<RegistryName>,
        changes: Vec<String>,
        answer: Answerer,
    ) {
        // A face that has gone does not hear it; so below.
        if let Some(name) = registry.as_ref().filter(|name| self.registry(name).is_none()) {
            let _ = answer.send(Err(unknown(name)));
            return;
        }
        let setup = self.setup_for(registry);
        tokio::spawn(async move {
            let planned = setup.plan(action, &changes).await;
            let _ = answer.send(planned.map(|plan| Reply::SetupPlan { plan: Box::new(plan) }));
        });
    }

    pub(super) async fn apply_setup(&mut self, plan: SetupPlan, answer: Answerer) {
        let mut listeners = Vec::new();
        for target in self.setup_for(None).settings(&plan) {
            let port = target.localhost_port;
            match self.configured_with(move |paths| config::change(paths, &target)).await {
                Ok((_, slot)) => listeners.push((slot, port)),
                Err(error) => {
                    let _ = answer.send(Err(error));
                    return;
                }
            }
        }
        let (setup, mailbox) = (self.setup_for(None), self.mailbox.clone());
        tokio::spawn(async move {
            for (mut slot, port) in listeners {
                let listening = match slot.ready().await {
                    Ok(tunnel) => tunnel.listen_at_localhost(port).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = listening {
                    let _ = answer.send(Err(error));
                    return;
                }
            }
            let told = mailbox.clone();
            let report = setup
                .apply(plan, move |progress| told.post(Message::Setup { progress: Some(progress) }))
                .await;
            mailbox.post(Message::Setup { progress: None });
            mailbox.post(Message::FilesChanged);
            let _ = answer.send(report.map(|report| Reply::SetupReport { report }));
        });
    }

    pub(super) fn list_setup(&self, answer: Answerer) {
        let setup = self.setup_for(None);
        tokio::spawn(async move {
            let _ = answer.send(setup.applied().await.map(|changes| Reply::SetupApplied { changes }));
        });
    }
}
