//! Who holds which tunnel: people by Connect, faces for as long as they are there, and the configuration.

use super::{
    Answerer, FaceId, Message,
    actor::Actor,
    registries::{Registry, unknown},
};
use dockline_model::{
    Code, Interruption, LeaseHolder, RegistryName, RegistrySpec, Reply, TunnelState, TunnelView, UiError,
};
use dockline_tunnel::{Lease, Tunnel};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long a person who says "connect" waits through failed dials for an answer. The tunnel tries on after it, and a
/// transfer, which has nobody watching, waits longer.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// The lease that Disconnect drops.
pub(super) struct Manual {
    _lease: Arc<Lease>,
    /// Whether a person said Connect; otherwise the configuration did.
    pub(super) is_a_persons: bool,
}

impl Manual {
    const fn a_persons(lease: Arc<Lease>) -> Self {
        Self { _lease: lease, is_a_persons: true }
    }

    fn by_configuration(tunnel: &Tunnel) -> Self {
        Self { _lease: Arc::new(tunnel.lease(LeaseHolder::Manual)), is_a_persons: false }
    }
}

impl Registry {
    /// Takes the lease that `keep-open` asks for, if it is time to.
    fn keep_if_open(&mut self) {
        let Some(tunnel) = self.started() else { return };
        match tunnel.view().state {
            TunnelState::Up { .. } | TunnelState::Lingering { .. } => {
                if self.spec.keep_open && !self.let_go && self.manual.is_none() {
                    self.manual = Some(Manual::by_configuration(&tunnel));
                }
            }
            TunnelState::Idle | TunnelState::Closing | TunnelState::Failed { .. } => self.let_go = false,
            TunnelState::Connecting { .. } | TunnelState::Reconnecting { .. } => {}
        }
    }
}

impl Actor {
    /// An owner that stays has started: opens what is to be open from the start on.
    pub(super) fn open_at_start(&mut self) {
        for registry in self.registries.iter_mut().filter(|registry| registry.spec.open_at_start) {
            if let Some(tunnel) = registry.started()
                && registry.manual.is_none()
            {
                registry.manual = Some(Manual::by_configuration(&tunnel));
            }
        }
    }

    pub(super) fn keep_if_open(&mut self, name: &RegistryName) {
        if let Some(registry) = self.registries.iter_mut().find(|registry| registry.spec.name == *name) {
            registry.keep_if_open();
        }
    }

    /// Takes a lease and answers when the tunnel is up or has failed.
    pub(super) fn connect(&mut self, face: FaceId, name: &RegistryName, hold: bool, mut answer: Answerer) {
        let Some(registry) = self.registry(name) else {
            // A face that has gone does not hear it; so below.
            let _ = answer.send(Err(unknown(name)));
            return;
        };
        let (spec, generation, mut slot) = (registry.spec.clone(), registry.generation, registry.tunnel());
        let (mailbox, name) = (self.mailbox.clone(), name.clone());
        let holder = hold.then_some(face);
        let is_held = match &holder {
            Some(face) => registry.held.contains_key(face),
            None => registry.manual.is_some(),
        };
        tokio::spawn(async move {
            let connected = async {
                let tunnel = slot.ready().await?;
                let kind = match holder {
                    Some(FaceId(connection)) => LeaseHolder::Face { connection },
                    None => LeaseHolder::Manual,
                };
                let lease = Arc::new(tunnel.lease(kind));
                let (held_name, held_lease) = (name.clone(), lease.clone());
                let held = Message::Leased {
                    name: held_name,
                    generation,
                    holder,
                    lease: held_lease,
                    replaces: is_held,
                };
                // An earlier hold stays until this connection is there to take its place.
                let later = if is_held {
                    Some(held)
                } else {
                    mailbox.post(held);
                    None
                };
                // A tunnel that leads nowhere is no connection either.
                let up = tunnel.with_patience(CONNECT_PATIENCE).check_remote(&lease).await;
                // Nor is one that no program can connect to, since its port is somebody else's.
                let up = up.and_then(|()| tunnel.view().listener_error.map_or(Ok(()), Err));
                // While the host is out of reach the tunnel goes on trying; what only a person can mend is not
                // held on to.
                let goes_on = matches!(tunnel.view().state, TunnelState::Reconnecting { .. });
                match later {
                    Some(held) if up.is_ok() || goes_on => mailbox.post(held),
                    None if up.is_err() && !goes_on => {
                        mailbox.post(Message::Unlease { name, generation, holder });
                    }
                    Some(_) | None => {}
                }
                up.map(|()| Reply::Registry { spec })
            };
            tokio::select! {
                result = connected => { let _ = answer.send(result); }
                () = answer.closed() => {}
            }
        });
    }

    pub(super) fn store_lease(
        &mut self,
        name: &RegistryName,
        generation: u64,
        holder: Option<FaceId>,
        (lease, replaces): (Arc<Lease>, bool),
    ) {
        let attached = holder.is_none_or(|face| self.faces.contains_key(&face));
        let Some(registry) = self.registry_mut(name, generation).filter(|_| attached) else { return };
        let is_held = match &holder {
            Some(face) => registry.held.contains_key(face),
            None => registry.manual.is_some(),
        };
        match holder {
            _ if replaces && !is_held => {}
            Some(face) => drop(registry.held.insert(face, lease)),
            None => {
                registry.let_go = false;
                registry.manual = Some(Manual::a_persons(lease));
            }
        }
    }

    pub(super) fn drop_lease(&mut self, name: &RegistryName, generation: u64, holder: Option<FaceId>) {
        let Some(registry) = self.registry_mut(name, generation) else { return };
        match holder {
            Some(face) => drop(registry.held.remove(&face)),
            None => registry.manual = None,
        }
    }

    /// Drops the manual lease; with `force` everything else that holds the tunnel as well, without it says what that
    /// would be.
    pub(super) fn disconnect(&mut self, name: &RegistryName, force: bool, answer: Answerer) {
        let Some(at) = self.registries.iter().position(|registry| registry.spec.name == *name) else {
            let _ = answer.send(Err(unknown(name)));
            return;
        };
        let interrupts = self.interruptions(name);
        if force {
            let reason =
                UiError::new(Code::Disconnected, format!("The tunnel to {name} was closed by hand."));
            self.interrupt_registry(name, &reason);
        }
        let registry = &mut self.registries[at];
        registry.manual = None;
        registry.let_go = true;
        if force {
            registry.held.clear();
        }
        let (spec, mut slot) = (registry.spec.clone(), registry.tunnel());
        tokio::spawn(async move {
            let result = match slot.ready().await {
                Ok(tunnel) => {
                    tunnel.disconnect(force).await;
                    Ok(told(spec, tunnel.view(), interrupts))
                }
                Err(error) => Err(error),
            };
            let _ = answer.send(result);
        });
    }

    /// What closing the registry's tunnel would cut off now.
    pub(super) fn interruptions(&self, name: &RegistryName) -> Vec<Interruption> {
        let Some(registry) = self.registry(name) else { return Vec::new() };
        let transfers = self.transfers.active().filter(|transfer| transfer.registry == *name);
        let transfers = transfers.map(|transfer| Interruption::Transfer {
            id: transfer.id,
            direction: transfer.kind,
            reference: transfer.reference.clone(),
        });
        let leases = registry.view().tunnel.leases;
        let mut programs: BTreeMap<Option<String>, u32> = BTreeMap::new();
        let mut count = 0;
        for lease in leases {
            match lease.holder {
                LeaseHolder::Connection { .. } if lease.is_own => {}
                LeaseHolder::Connection { .. } => *programs.entry(lease.program).or_default() += 1,
                LeaseHolder::Face { .. } => count += 1,
                LeaseHolder::Manual | LeaseHolder::Transfer { .. } | LeaseHolder::Visit => {}
            }
        }
        let programs =
            programs.into_iter().map(|(program, connections)| Interruption::Program { program, connections });
        let faces = (count > 0).then_some(Interruption::Faces { count });
        transfers.chain(programs).chain(faces).collect()
    }
}

/// The answer to a Disconnect, once the tunnel has been told.
fn told(spec: RegistrySpec, view: TunnelView, interrupts: Vec<Interruption>) -> Reply {
    // What was in the way a moment ago may be done by now.
    if view.leases.is_empty() || interrupts.is_empty() {
        Reply::Registry { spec }
    } else {
        Reply::StillOpen { spec, interrupts }
    }
}
