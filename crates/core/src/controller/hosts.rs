//! The hosts file, on behalf of a face.

use super::{Answerer, Message, actor::Actor};
use crate::hosts::Hosts;
use dockline_model::{HostsAction, HostsView, Reply};

impl Actor {
    fn hosts(&self) -> Hosts {
        Hosts::new(&self.paths, self.registries.iter().map(|registry| &registry.spec))
    }

    pub(super) fn plan_hosts(&self, action: HostsAction, answer: Answerer) {
        let hosts = self.hosts();
        tokio::task::spawn_blocking(move || {
            // A face that has gone does not hear it; so below.
            let _ = answer.send(hosts.plan(action).map(|plan| Reply::Hosts { plan }));
        });
    }

    pub(super) fn apply_hosts(&self, agreed: HostsView, answer: Answerer) {
        let (hosts, mailbox) = (self.hosts(), self.mailbox.clone());
        tokio::spawn(async move {
            let result = hosts.apply(agreed).await.map(|plan| Reply::Hosts { plan });
            mailbox.post(Message::FilesChanged);
            let _ = answer.send(result);
        });
    }
}
