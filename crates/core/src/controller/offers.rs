//! Registries of this machine that hosts may use while they are offered.

use super::{Answerer, FaceId, Message, actor::Actor};
use crate::{config, files::blocking};
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
    /// Those that stand in the configuration.
    pub(super) configured: Vec<OfferSpec>,
}

/// For how long an offer is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    /// While the face is there.
    WithFace(FaceId),
    /// While the owner is.
    WithOwner,
    /// Whenever an owner that stays is: it stands in the configuration, or shall.
    ForGood,
}

impl Lasts {
    pub(super) const fn new(face: FaceId, hold: bool, keep: bool) -> Self {
        match (hold, keep) {
            (true, _) => Self::WithFace(face),
            (false, true) => Self::ForGood,
            (false, false) => Self::WithOwner,
        }
    }
}

#[derive(Debug)]
struct Entry {
    id: OfferId,
    lasts: Lasts,
    /// Whether it stands in the configuration.
    kept: bool,
    offer: Offer,
    forwarder: AbortHandle,
}

impl Entry {
    fn view(&self) -> OfferView {
        OfferView { kept: self.kept, ..self.offer.view() }
    }

    fn face(&self) -> Option<FaceId> {
        match self.lasts {
            Lasts::WithFace(face) => Some(face),
            Lasts::WithOwner | Lasts::ForGood => None,
        }
    }

    fn close(self, closing: &mut JoinSet<()>) {
        self.forwarder.abort();
        closing.spawn(self.offer.stop());
    }
}

impl Offers {
    pub(super) fn configured(configured: Vec<OfferSpec>) -> Self {
        Self { configured, ..Self::default() }
    }

    pub(super) fn view(&self) -> Vec<OfferView> {
        self.list.iter().map(Entry::view).collect()
    }

    /// Whether a face but `face` holds one.
    pub(super) fn any_of_another(&self, face: FaceId) -> bool {
        self.list.iter().any(|entry| entry.face().is_some_and(|holder| holder != face))
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
pub(super) fn asked_as(ssh: &SshTarget) -> Result<RegistryName, UiError> {
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
    pub(super) fn offer(&mut self, spec: OfferSpec, lasts: Lasts, mut answer: Answerer) {
        let spec = self.expanded_offer(spec);
        let taken = self.offers.list.iter().any(|entry| entry.view().spec.is_same_place(&spec));
        let begun = if taken {
            Err(UiError::new(
                Code::PortInUse,
                format!("A registry is offered at 127.0.0.1:{} of {} already.", spec.port, spec.ssh),
            )
            .hint("Use that one, or choose another port for this one."))
        } else {
            self.begin_offer(spec.clone(), lasts, false)
        };
        let (id, offer) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                // A face that has gone does not hear it; so below.
                let _ = answer.send(Err(error));
                return;
            }
        };
        let (mailbox, paths) = (self.mailbox.clone(), self.paths.clone());
        tokio::spawn(async move {
            let ready = tokio::select! {
                ready = offer.ready() => ready,
                () = answer.closed() => return,
            };
            // What a person has to mend is not kept, and neither is what its face will not wait for.
            let may_go_on = match lasts {
                Lasts::WithFace(_) => false,
                Lasts::WithOwner | Lasts::ForGood => true,
            };
            let goes_on = may_go_on && matches!(offer.view().state, OfferState::Reconnecting { .. });
            if ready.is_err() && !goes_on {
                mailbox.post(Message::OfferEnded { id });
            } else if lasts == Lasts::ForGood {
                let kept = blocking(move || config::keep_offer(&paths, &spec)).await;
                match kept.and_then(|kept| kept.map_err(|error| UiError::from(&error))) {
                    Ok(_) => mailbox.post(Message::FilesChanged),
                    Err(error) => {
                        mailbox.post(Message::OfferEnded { id });
                        let _ = answer.send(Err(error));
                        return;
                    }
                }
            }
            let _ = answer.send(ready.map(|()| Reply::Done));
        });
    }

    /// A key file's path with `~/` filled in, as everything is compared.
    fn expanded_offer(&self, mut spec: OfferSpec) -> OfferSpec {
        spec.ssh.identity = spec.ssh.identity.map(|path| self.expanded(&path));
        spec
    }

    fn begin_offer(
        &mut self,
        spec: OfferSpec,
        lasts: Lasts,
        kept: bool,
    ) -> Result<(OfferId, Offer), UiError> {
        let name = asked_as(&spec.ssh)?;
        self.offers.last += 1;
        let id = OfferId(self.offers.last);
        let config = OfferConfig { id, spec, name, ssh: self.paths.ssh.clone() };
        let offer = Offer::start(config, self.asker.clone());
        let (mut changes, mailbox) = (offer.watch(), self.mailbox.clone());
        let forwarder = tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                mailbox.post(Message::OfferChanged { id });
            }
        });
        let entry = Entry { id, lasts, kept, offer: offer.clone(), forwarder: forwarder.abort_handle() };
        self.publish(Change::Offer { offer: entry.view() });
        self.offers.list.push(entry);
        Ok((id, offer))
    }

    /// Makes the offers that last those of the configuration, in an owner that stays.
    pub(super) fn reconcile_offers(&mut self) {
        if !self.stays {
            return;
        }
        let configured: Vec<OfferSpec> =
            self.offers.configured.clone().into_iter().map(|spec| self.expanded_offer(spec)).collect();
        let mut missing = configured.clone();
        let (mut gone, mut changed) = (Vec::new(), Vec::new());
        for entry in &mut self.offers.list {
            let spec = entry.view().spec;
            missing.retain(|other| !other.is_same_place(&spec));
            let kept = configured.contains(&spec);
            if entry.kept && !kept {
                gone.push(entry.id);
            } else if entry.kept != kept {
                entry.kept = kept;
                changed.push(entry.id);
            }
        }
        // Changed ones are other offers at the same place.
        missing.extend(configured.into_iter().filter(|spec| {
            self.offers
                .list
                .iter()
                .any(|entry| gone.contains(&entry.id) && entry.view().spec.is_same_place(spec))
        }));
        gone.into_iter().for_each(|id| self.offer_ended(id));
        changed.into_iter().for_each(|id| self.offer_changed(id));
        for spec in missing {
            // It stays in the list whatever becomes of it, so that a person sees what the configuration asks for.
            if let Err(error) = self.begin_offer(spec, Lasts::ForGood, true) {
                tracing::warn!(%error, "a configured offer cannot be made");
            }
        }
    }

    /// Takes an offer back, out of the configuration, too, and answers when the host listens no more.
    pub(super) async fn withdraw(&mut self, id: OfferId, answer: Answerer) {
        let Some(entry) = self.offers.get(id).map(Entry::view) else {
            let gone = UiError::new(Code::NotFound, "That registry is not offered any more.");
            let _ = answer.send(Err(gone));
            return;
        };
        if entry.kept
            && let Err(error) = self.forget_offer(entry.spec).await
        {
            let _ = answer.send(Err(error));
            return;
        }
        let Some(entry) = self.offers.take(id) else { return drop(answer.send(Ok(Reply::Done))) };
        self.publish(Change::OfferGone { id });
        entry.forwarder.abort();
        self.closing.spawn(async move {
            entry.offer.stop().await;
            let _ = answer.send(Ok(Reply::Done));
        });
    }

    async fn forget_offer(&mut self, spec: OfferSpec) -> Result<(), UiError> {
        let as_written = self
            .offers
            .configured
            .iter()
            .find(|other| self.expanded_offer((*other).clone()).is_same_place(&spec));
        let Some(spec) = as_written.cloned() else { return Ok(()) };
        let paths = self.paths.clone();
        let config = blocking(move || config::withdraw_offer(&paths, &spec)).await?;
        self.offers.configured = config.map_err(|error| UiError::from(&error))?.offers;
        Ok(())
    }

    pub(super) fn offer_changed(&mut self, id: OfferId) {
        if let Some(offer) = self.offers.get(id).map(Entry::view) {
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
        let held: Vec<OfferId> = self
            .offers
            .list
            .iter()
            .filter(|entry| entry.face() == Some(face))
            .map(|entry| entry.id)
            .collect();
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
