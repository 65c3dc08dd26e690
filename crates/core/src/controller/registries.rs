//! The configured registries and their tunnels.

use super::{Answerer, FaceId, Message, access::Access, actor::Actor, holds::Manual};
use crate::{
    Paths,
    config::{self, Config, ConfigError},
    files::blocking,
    setup::ALIAS_FADES,
};
use dockline_edits::hosts;
use dockline_model::{
    Change, Code, LeaseHolder, RegistryName, RegistrySpec, RegistryView, Reply, Target, TunnelView, UiError,
};
use dockline_tunnel::{AccessRules, Gateway, HttpRules, Lease, Tunnel, TunnelConfig};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

/// A registry and what is held for it.
pub(super) struct Registry {
    pub(super) spec: RegistrySpec,
    /// Its client and our login.
    pub(super) access: Arc<Access>,
    /// Tells messages of an earlier tunnel of the same name from those of this one.
    pub(super) generation: u64,
    /// `None` while it is being started.
    tunnel: watch::Sender<Option<Tunnel>>,
    forwarder: Option<AbortHandle>,
    alias_ready: bool,
    /// When the name was seen to be gone from the hosts file.
    alias_gone: Option<Instant>,
    /// The person's, by Connect or by the configuration.
    pub(super) manual: Option<Manual>,
    /// Whether a person has closed the tunnel, or would have it closed: `keep-open` is of no account until it is.
    pub(super) let_go: bool,
    /// Of faces that asked to hold the tunnel while they are there.
    pub(super) held: BTreeMap<FaceId, Arc<Lease>>,
}

impl Registry {
    pub(super) fn view(&self) -> RegistryView {
        RegistryView {
            spec: self.spec.clone(),
            alias_ready: self.alias_ready,
            tunnel: self.tunnel.borrow().as_ref().map_or_else(TunnelView::idle, Tunnel::view),
        }
    }

    /// Whether a program, a transfer, a face or a person who said Connect would be cut off if the tunnel closed. What
    /// the configuration keeps open is nobody's.
    pub(super) fn is_in_use(&self) -> bool {
        self.view().tunnel.leases.iter().any(|lease| match lease.holder {
            LeaseHolder::Manual => self.manual.as_ref().is_none_or(|manual| manual.is_a_persons),
            LeaseHolder::Face { .. }
            | LeaseHolder::Transfer { .. }
            | LeaseHolder::Visit
            | LeaseHolder::Connection { .. } => true,
        })
    }

    /// A way to the tunnel that waits until it has been started.
    pub(super) fn tunnel(&self) -> TunnelSlot {
        match self.spec.has_tunnel() {
            true => TunnelSlot(Ok(self.tunnel.subscribe())),
            false => TunnelSlot(Err(Box::new(without_tunnel(&self.spec.name)))),
        }
    }

    /// The same with settings that take effect under open connections.
    fn adjusted(mut self, spec: RegistrySpec) -> Self {
        if !spec.keep_open {
            self.manual = self.manual.filter(|manual| manual.is_a_persons);
        }
        if let Some(tunnel) = self.tunnel.borrow().as_ref() {
            tunnel.adjust(&spec);
        }
        let port = spec.localhost_port;
        if port != self.spec.localhost_port {
            let mut slot = self.tunnel();
            tokio::spawn(async move {
                if let Ok(tunnel) = slot.ready().await {
                    // In the tunnel's view, too, and tried again.
                    let _ = tunnel.listen_at_localhost(port).await;
                }
            });
        }
        Self { spec, ..self }
    }

    /// Its tunnel, unless that is being started.
    pub(super) fn started(&self) -> Option<Tunnel> {
        self.tunnel.borrow().clone()
    }

    /// Drops the leases and closes the tunnel, in a task of `closing`.
    pub(super) fn close(self, closing: &mut JoinSet<()>) {
        if let Some(forwarder) = self.forwarder {
            forwarder.abort();
        }
        drop((self.manual, self.held));
        let tunnel = self.tunnel.send_replace(None);
        if let Some(tunnel) = tunnel {
            closing.spawn(tunnel.stop());
        }
    }
}

/// A tunnel that may still be starting.
#[derive(Debug, Clone)]
pub(super) struct TunnelSlot(Result<watch::Receiver<Option<Tunnel>>, Box<UiError>>);

impl TunnelSlot {
    /// # Errors
    /// If the registry was removed meanwhile, or has no tunnel.
    pub(super) async fn ready(&mut self) -> Result<Tunnel, UiError> {
        let slot = self.0.as_mut().map_err(|error| (**error).clone())?;
        match slot.wait_for(Option::is_some).await.map(|tunnel| tunnel.clone()) {
            Ok(Some(tunnel)) => Ok(tunnel),
            Ok(None) | Err(_) => {
                Err(UiError::new(Code::Disconnected, "The registry was removed, or its settings changed."))
            }
        }
    }
}

fn without_tunnel(name: &RegistryName) -> UiError {
    UiError::new(
        Code::InvalidArgument,
        format!("{name} is used without a tunnel: there is nothing to connect."),
    )
    .hint(format!("`dockline doctor {name}` tries the way there."))
}

/// Whether the two differ in nothing that open connections would notice.
fn is_the_same_way(before: &RegistrySpec, after: &RegistrySpec) -> bool {
    // Whose certificates a registry has makes no difference to its tunnel, and the entrance at 127.0.0.1 comes and goes
    // by itself.
    let RegistrySpec { linger_seconds, keep_open, open_at_start, limits, ca, localhost_port, .. } =
        after.clone();
    let adjusted = RegistrySpec {
        linger_seconds,
        keep_open,
        open_at_start,
        limits,
        ca,
        localhost_port,
        ..before.clone()
    };
    adjusted == *after
}

pub(super) fn unknown(name: &RegistryName) -> UiError {
    UiError::new(Code::RegistryUnknown, format!("No registry named {name} is configured."))
        .hint("`dockline list` shows the configured ones; `dockline add` adds one.")
}

impl Actor {
    pub(super) fn registry(&self, name: &RegistryName) -> Option<&Registry> {
        self.registries.iter().find(|registry| registry.spec.name == *name)
    }

    pub(super) fn registry_mut(&mut self, name: &RegistryName, generation: u64) -> Option<&mut Registry> {
        self.registries.iter_mut().find(|r| r.spec.name == *name && r.generation == generation)
    }

    fn access(&self, spec: &RegistrySpec) -> Arc<Access> {
        Arc::new(Access::new(spec.clone(), &self.paths, self.asker.clone()))
    }

    pub(super) fn publish_registry(&mut self, name: &RegistryName) {
        if let Some(registry) = self.registry(name).map(Registry::view) {
            self.publish(Change::Registry { registry });
        }
    }

    /// The first start: listeners are there (or have failed) before any command is served.
    pub(super) async fn start_all(&mut self, specs: Vec<RegistrySpec>) {
        let aliases = read_hosts(&self.paths.hosts_file).await;
        let starts = specs.iter().map(|spec| {
            let start =
                spec.has_tunnel().then(|| Tunnel::start(self.tunnel_config(spec), self.asker.clone()));
            async move { Some(start?.await) }
        });
        let tunnels = futures::future::join_all(starts).await;
        for (spec, tunnel) in specs.into_iter().zip(tunnels) {
            let registry = self.new_registry(spec, &aliases);
            let (name, generation) = (registry.spec.name.clone(), registry.generation);
            self.registries.push(registry);
            if let Some(tunnel) = tunnel {
                self.tunnel_started(&name, generation, tunnel);
            }
        }
    }

    /// Makes the registries those of `specs`: unchanged ones keep their tunnels and leases.
    pub(super) fn reconcile(&mut self, specs: Vec<RegistrySpec>) {
        let mut old = std::mem::take(&mut self.registries);
        let mut started = Vec::new();
        let names: BTreeSet<RegistryName> = specs.iter().map(|spec| spec.name.clone()).collect();
        for spec in specs {
            let before = old.iter().position(|registry| registry.spec.name == spec.name);
            let before = before.map(|at| old.remove(at));
            if let Some(registry) = before {
                if registry.spec == spec {
                    self.registries.push(registry);
                    continue;
                }
                if is_the_same_way(&registry.spec, &spec) {
                    // Who vouches for the registry is the client's business, which is made with it.
                    let access = (registry.spec.ca != spec.ca).then(|| self.access(&spec));
                    let mut adjusted = registry.adjusted(spec.clone());
                    adjusted.access = access.unwrap_or(adjusted.access);
                    self.registries.push(adjusted);
                    self.keep_if_open(&spec.name);
                    self.publish_registry(&spec.name);
                    continue;
                }
                let reason = UiError::new(
                    Code::Disconnected,
                    format!("The settings of {} were changed meanwhile.", spec.name),
                );
                self.interrupt_registry(&spec.name, &reason);
                started.push((spec.name.clone(), Some(registry)));
            } else {
                // Renamed: the new one has the address as soon as the old one has let go of it.
                let renamed =
                    |old: &Registry| old.spec.listen() == spec.listen() && !names.contains(&old.spec.name);
                let renamed = old.iter().position(renamed).map(|at| old.remove(at));
                if let Some(registry) = &renamed {
                    let (name, new) = (registry.spec.name.clone(), &spec.name);
                    let reason = UiError::new(Code::Disconnected, format!("{name} is called {new} now."));
                    self.interrupt_registry(&name, &reason);
                    self.publish(Change::RegistryGone { name });
                }
                started.push((spec.name.clone(), renamed));
            }
            let registry = self.new_registry(spec, &[]);
            self.registries.push(registry);
        }
        for registry in old {
            let name = registry.spec.name.clone();
            let reason = UiError::new(Code::Disconnected, format!("The registry {name} was removed."));
            self.interrupt_registry(&name, &reason);
            match fading(registry.alias_gone, Instant::now()) {
                // The port must not become somebody else's while a name may still lead there.
                Some(left) => drop(self.closing.spawn(async move {
                    tokio::time::sleep(left).await;
                    let mut closing = JoinSet::new();
                    registry.close(&mut closing);
                    closing.join_all().await;
                })),
                None => registry.close(&mut self.closing),
            }
            self.publish(Change::RegistryGone { name });
        }
        for (name, replaced) in started {
            self.start(&name, replaced);
            self.publish_registry(&name);
        }
    }

    fn new_registry(&mut self, spec: RegistrySpec, hosts: &[u8]) -> Registry {
        self.last_generation += 1;
        Registry {
            alias_ready: names(hosts, &spec),
            alias_gone: None,
            access: self.access(&spec),
            spec,
            generation: self.last_generation,
            tunnel: watch::channel(None).0,
            forwarder: None,
            manual: None,
            let_go: false,
            held: BTreeMap::new(),
        }
    }

    /// Starts the tunnel of a new registry, once the one it replaces has let go of the address.
    fn start(&mut self, name: &RegistryName, replaced: Option<Registry>) {
        let Some(registry) = self.registry(name) else { return };
        let (name, generation) = (name.clone(), registry.generation);
        let config = registry.spec.has_tunnel().then(|| self.tunnel_config(&registry.spec));
        let (asker, mailbox) = (self.asker.clone(), self.mailbox.clone());
        self.closing.spawn(async move {
            if let Some(replaced) = replaced {
                let mut closing = JoinSet::new();
                replaced.close(&mut closing);
                closing.join_all().await;
            }
            let Some(config) = config else { return };
            let tunnel = Tunnel::start(config, asker).await;
            mailbox.post(Message::TunnelStarted { name, generation, tunnel });
        });
    }

    /// A key file's path with `~/` filled in.
    pub(super) fn expanded(&self, path: &Path) -> PathBuf {
        self.paths.expanded(path)
    }

    pub(super) fn tunnel_config(&self, spec: &RegistrySpec) -> TunnelConfig {
        let mut spec = spec.clone();
        for host in std::iter::once(&mut spec.ssh).chain(&mut spec.fallbacks) {
            host.identity = host.identity.take().map(|path| self.expanded(&path));
        }
        let gateway = spec.gateway.map(|ip| Gateway { address: SocketAddrV4::new(ip, spec.port) });
        let mut config = TunnelConfig { gateway, ..TunnelConfig::new(spec, self.paths.ssh.clone()) };
        // An engine in a virtual machine finds this machine's 127.0.0.1 under a name of its own.
        if config.spec.address == Ipv4Addr::LOCALHOST {
            let other_names = Gateway::NAMES.map(str::to_owned).to_vec();
            config.access = AccessRules::Http(HttpRules { other_names, ..HttpRules::default() });
        }
        config
    }

    pub(super) fn tunnel_started(&mut self, name: &RegistryName, generation: u64, tunnel: Tunnel) {
        let mailbox = self.mailbox.clone();
        let Some(registry) = self.registry_mut(name, generation) else {
            // Removed, or changed again, while it was starting.
            self.closing.spawn(tunnel.stop());
            return;
        };
        let mut changes = tunnel.watch();
        let forwarded = name.clone();
        let forwarder = tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                mailbox.post(Message::TunnelChanged { name: forwarded.clone(), generation });
            }
        });
        registry.forwarder = Some(forwarder.abort_handle());
        // Its settings may have been changed while it was starting.
        tunnel.adjust(&registry.spec);
        registry.tunnel.send_replace(Some(tunnel));
        self.publish_registry(name);
    }

    /// Answers when the listener is there (or could not be had): a program may connect right after.
    pub(super) async fn add_registry(&mut self, target: Target, answer: Answerer) {
        let slot = self.configured_with(move |paths| config::add(paths, &target)).await;
        Self::answer_when_ready(slot, answer);
    }

    /// The same for one that is there, with other settings, and perhaps another name.
    pub(super) async fn change_registry(
        &mut self,
        target: Target,
        was: Option<RegistryName>,
        answer: Answerer,
    ) {
        let slot = self.configured_with(move |paths| match was {
            Some(was) if was != target.name => config::rename(paths, &was, &target),
            Some(_) | None => config::change(paths, &target),
        });
        Self::answer_when_ready(slot.await, answer);
    }

    fn answer_when_ready(slot: Result<(RegistrySpec, TunnelSlot), UiError>, answer: Answerer) {
        tokio::spawn(async move {
            let configured = match slot {
                Ok((spec, mut slot)) => {
                    // Whether it was removed again meanwhile makes no difference: configured it was.
                    if let Ok(tunnel) = slot.ready().await {
                        let mut view = tunnel.watch();
                        // The same port is no other listener; this waits for the one of these settings.
                        if tunnel.listen_at_localhost(spec.localhost_port).await.is_err() {
                            // What is seen after the answer says so; an error is a tunnel that has ended.
                            let _ = view.wait_for(|view| view.localhost_error.is_some()).await;
                        }
                    }
                    Ok(Reply::Registry { spec })
                }
                Err(error) => Err(error),
            };
            // A face that has gone does not hear it.
            let _ = answer.send(configured);
        });
    }

    pub(super) async fn configured_with(
        &mut self,
        how: impl FnOnce(&Paths) -> Result<(RegistrySpec, Config), ConfigError> + Send + 'static,
    ) -> Result<(RegistrySpec, TunnelSlot), UiError> {
        let paths = self.paths.clone();
        let written = blocking(move || how(&paths)).await?;
        let (spec, config) = written.map_err(|error| UiError::from(&error))?;
        self.configure(config);
        self.refresh_aliases().await;
        let slot = self.registry(&spec.name).map(Registry::tunnel).ok_or_else(|| unknown(&spec.name))?;
        Ok((spec, slot))
    }

    pub(super) async fn remove_registry(&mut self, name: RegistryName) -> Result<Reply, UiError> {
        // A name that went a moment ago counts from now on, whether or not the system has told of it yet.
        self.refresh_aliases().await;
        let paths = self.paths.clone();
        let removed = blocking(move || config::remove(&paths, &name)).await?;
        self.configure(removed.map_err(|error| UiError::from(&error))?);
        Ok(Reply::Done)
    }

    /// Looks again which names the hosts file has.
    pub(super) async fn refresh_aliases(&mut self) {
        let hosts = read_hosts(&self.paths.hosts_file).await;
        let mut changed = Vec::new();
        for registry in &mut self.registries {
            let ready = names(&hosts, &registry.spec);
            if registry.alias_ready != ready {
                registry.alias_ready = ready;
                registry.alias_gone = (!ready).then(Instant::now);
                changed.push(registry.spec.name.clone());
            }
        }
        changed.iter().for_each(|name| self.publish_registry(name));
    }
}

/// A hosts file that cannot be read names nobody.
pub(super) async fn read_hosts(path: &Path) -> Vec<u8> {
    tokio::fs::read(path).await.unwrap_or_default()
}

/// How long a name that is gone from the hosts file may still lead an engine to its old address.
fn fading(gone: Option<Instant>, now: Instant) -> Option<Duration> {
    let left = ALIAS_FADES.checked_sub(now.saturating_duration_since(gone?))?;
    (!left.is_zero()).then_some(left)
}

/// Whether the hosts file gives the registry's name the registry's own address.
pub(super) fn names(hosts: &[u8], spec: &RegistrySpec) -> bool {
    // Without a tunnel the name is DNS's.
    !spec.has_tunnel() || hosts::lookup(hosts, &spec.name) == Some(IpAddr::V4(spec.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_for_as_long_as_a_name_may_lead_there() {
        let now = Instant::now();
        let seconds = Duration::from_secs;
        assert_eq!(fading(None, now), None);
        assert_eq!(fading(Some(now), now), Some(ALIAS_FADES));
        assert_eq!(fading(Some(now), now + seconds(2)), Some(ALIAS_FADES - seconds(2)));
        assert_eq!(fading(Some(now), now + ALIAS_FADES), None);
        assert_eq!(fading(Some(now), now + seconds(60)), None);
    }
}
