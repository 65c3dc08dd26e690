//! Registries of this machine that hosts may use while they are offered.

use super::{Answerer, FaceId, Message, actor::Actor};
use dockline_model::{
    Change, Code, OfferId, OfferSpec, OfferState, OfferView, RegistryName, Reply, SshTarget, UiError,
};
use dockline_tunnel::{Offer, OfferConfig};
use tokio::task::{AbortHandle, JoinSet};

/// All of them. Belongs to the actor.
#[derive(Debug, Default)]
pub(super) struct Offers {
    last: u64,
    list: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: OfferId,
    /// The face it ends with, unless it lasts as long as the owner.
    face: Option<FaceId>,
    offer: Offer,
    forwarder: AbortHandle,
}

impl Entry {
    fn close(self, closing: &mut JoinSet<()>) {
        self.forwarder.abort();
        closing.spawn(self.offer.stop());
    }
}

impl Offers {
    pub(super) fn view(&self) -> Vec<OfferView> {
        self.list.iter().map(|entry| entry.offer.view()).collect()
    }

    /// Whether a face but `face` holds one.
    pub(super) fn any_of_another(&self, face: FaceId) -> bool {
        self.list.iter().any(|entry| entry.face.is_some_and(|holder| holder != face))
    }

    /// Whether a host uses one at the moment.
    pub(super) fn any_in_use(&self) -> bool {
        self.list.iter().any(|entry| entry.offer.view().connections > 0)
    }

    /// Ends them all, in tasks of `closing`.
    pub(super) fn close(&mut self, closing: &mut JoinSet<()>) {
        self.list.drain(..).for_each(|entry| entry.close(closing));
    }

    fn get(&self, id: OfferId) -> Option<&Entry> {
        self.list.iter().find(|entry| entry.id == id)
    }

    fn take(&mut self, id: OfferId) -> Option<Entry> {
        let at = self.list.iter().position(|entry| entry.id == id)?;
        Some(self.list.remove(at))
    }
}

/// Whom questions about the way to the host name: no registry's name, and yet one that reads as the host's.
fn asked_as(ssh: &SshTarget) -> Result<RegistryName, UiError> {
    let plain: String =
        ssh.host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let plain = plain.trim_matches(['-', '.']);
    [plain.to_owned(), format!("{plain}.ssh")].into_iter().find_map(|name| name.parse().ok()).ok_or_else(
        || {
            UiError::new(Code::InvalidArgument, format!("“{}” is not a host's name.", ssh.host))
                .hint("Write it as you would after ssh: user@host.")
        },
    )
}

impl Actor {
    /// Begins to offer, and answers when the host listens or will not.
    pub(super) fn offer(&mut self, face: FaceId, spec: OfferSpec, hold: bool, mut answer: Answerer) {
        let is_same = |other: &OfferView| other.spec.ssh == spec.ssh && other.spec.port == spec.port;
        let name = match asked_as(&spec.ssh) {
            Ok(_) if self.offers.view().iter().any(is_same) => Err(UiError::new(
                Code::PortInUse,
                format!("A registry is offered at 127.0.0.1:{} of {} already.", spec.port, spec.ssh),
            )
            .hint("Use that one, or choose another port for this one.")),
            other => other,
        };
        let name = match name {
            Ok(name) => name,
            Err(error) => {
                // A face that has gone does not hear it; so below.
                let _ = answer.send(Err(error));
                return;
            }
        };
        self.offers.last += 1;
        let id = OfferId(self.offers.last);
        let mut spec = spec;
        spec.ssh.identity = spec.ssh.identity.map(|path| self.expanded(&path));
        let config = OfferConfig { id, spec, name, ssh: self.paths.ssh.clone() };
        let offer = Offer::start(config, self.asker.clone());
        let (mut changes, mailbox) = (offer.watch(), self.mailbox.clone());
        let forwarder = tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                mailbox.post(Message::OfferChanged { id });
            }
        });
        let entry = Entry {
            id,
            face: hold.then_some(face),
            offer: offer.clone(),
            forwarder: forwarder.abort_handle(),
        };
        self.offers.list.push(entry);
        self.publish(Change::Offer { offer: offer.view() });
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            let ready = tokio::select! {
                ready = offer.ready() => ready,
                () = answer.closed() => return,
            };
            // What a person has to mend is not kept, and neither is what its face will not wait for.
            let goes_on = !hold && matches!(offer.view().state, OfferState::Reconnecting { .. });
            if ready.is_err() && !goes_on {
                mailbox.post(Message::OfferEnded { id });
            }
            let _ = answer.send(ready.map(|()| Reply::Done));
        });
    }

    /// Takes an offer back, and answers when the host listens no more.
    pub(super) fn withdraw(&mut self, id: OfferId, answer: Answerer) {
        let Some(entry) = self.offers.take(id) else {
            let gone = UiError::new(Code::NotFound, "That registry is not offered any more.");
            let _ = answer.send(Err(gone));
            return;
        };
        self.publish(Change::OfferGone { id });
        entry.forwarder.abort();
        self.closing.spawn(async move {
            entry.offer.stop().await;
            let _ = answer.send(Ok(Reply::Done));
        });
    }

    pub(super) fn offer_changed(&mut self, id: OfferId) {
        if let Some(offer) = self.offers.get(id).map(|entry| entry.offer.view()) {
            self.publish(Change::Offer { offer });
        }
    }

    pub(super) fn offer_ended(&mut self, id: OfferId) {
        if let Some(entry) = self.offers.take(id) {
            entry.close(&mut self.closing);
            self.publish(Change::OfferGone { id });
        }
    }

    /// Ends what `face` held.
    pub(super) fn end_offers_of(&mut self, face: FaceId) {
        let held: Vec<OfferId> =
            self.offers.list.iter().filter(|entry| entry.face == Some(face)).map(|entry| entry.id).collect();
        held.into_iter().for_each(|id| self.offer_ended(id));
    }
}

#[cfg(test)]
mod tests {
    use super::asked_as;

    #[test]
    fn questions_have_a_name_for_every_host() {
        for (host, name) in [
            ("root@prod.example", "prod.example"),
            ("prod", "prod.ssh"),
            ("dev_box:2222", "dev-box.ssh"),
            ("[fe80::1]:22", "fe80--1.ssh"),
        ] {
            assert_eq!(asked_as(&host.parse().unwrap()).unwrap().as_str(), name);
        }
    }
}
