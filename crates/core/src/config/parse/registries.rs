//! The list of registries: no two alike, and each with a place to listen at.

use super::{
    super::listener::{self, Binding, Taken},
    reader::{Reader, span_of},
};
use dockline_model::{
    AddressPoolExhausted, ClientCertificate, RegistryName, RegistrySpec, RegistryUrl, RemoteEnd, SshTarget,
    TrafficLimits, pick_address,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddrV4},
    ops::Range,
    path::PathBuf,
};
use toml::{Spanned, de::DeValue};

/// Whether this machine has an address.
pub(super) type Bind<'a> = &'a dyn Fn(SocketAddrV4) -> Binding;

/// A registry before the addresses are given out.
pub(super) struct Draft {
    pub(super) name: RegistryName,
    pub(super) ssh: SshTarget,
    pub(super) fallbacks: Vec<SshTarget>,
    pub(super) remote: RemoteEnd,
    pub(super) address: Option<Ipv4Addr>,
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) port: Option<u16>,
    pub(super) localhost_port: Option<u16>,
    pub(super) ca: Option<PathBuf>,
    pub(super) linger_seconds: u32,
    pub(super) keep_open: bool,
    pub(super) url: Option<Box<RegistryUrl>>,
    pub(super) client_certificate: Option<Box<ClientCertificate>>,
    pub(super) open_at_start: bool,
    pub(super) limits: TrafficLimits,
}

impl Reader<'_> {
    /// `bind` says whether this machine has an address.
    pub(super) fn registries(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        linger_seconds: u32,
        bind: Bind<'_>,
    ) -> Vec<RegistrySpec> {
        let Some(array) = value.get_ref().as_array() else {
            self.problem(value.span(), "registries are a list: write [[registry]], with two brackets");
            return Vec::new();
        };
        let mut drafts = Vec::new();
        let mut names = BTreeMap::new();
        let mut listeners = BTreeMap::new();
        for entry in array.iter() {
            let Some(table) = entry.get_ref().as_table() else {
                self.problem(entry.span(), "a registry must be a table: write [[registry]]");
                continue;
            };
            let Some(draft) = self.registry(entry.span(), table, linger_seconds) else { continue };
            let name_span = span_of(table, "name", entry.span());
            if let Some(first) = names.insert(draft.name.clone(), name_span.clone()) {
                let (line, _) = self.position(first.start);
                self.problem(
                    name_span,
                    format!("“{}” is the name of the registry at line {line} already", draft.name),
                );
            }
            let localhost = draft.localhost_port.map(|port| (Ipv4Addr::LOCALHOST, port));
            let port = draft.port.unwrap_or(RegistrySpec::DEFAULT_PORT);
            let written = [
                ("address", draft.address.map(|address| (address, port))),
                ("gateway", draft.gateway.map(|address| (address, port))),
                ("localhost-port", localhost),
            ];
            for (key, listener) in written {
                let Some((address, port)) = listener else { continue };
                let span = span_of(table, key, entry.span());
                if let Some(first) = listeners.insert((address, port), span.clone()) {
                    let (line, _) = self.position(first.start);
                    self.problem(
                        span,
                        format!("{address}:{port} belongs to the registry at line {line} already"),
                    );
                }
            }
            drafts.push(draft);
        }
        self.give_listeners(&value.span(), drafts, bind)
    }

    /// What is written first, so that a registry without an address never takes another's.
    fn give_listeners(
        &mut self,
        span: &Range<usize>,
        drafts: Vec<Draft>,
        bind: Bind<'_>,
    ) -> Vec<RegistrySpec> {
        let mut taken = Taken::default();
        // Ports that go to whoever wrote them, where all share one address.
        let mut wanted = BTreeSet::new();
        for draft in &drafts {
            taken.ports.extend(draft.localhost_port);
            match draft.written() {
                Some(listener) => taken.add(listener, None),
                None if draft.url.is_none() => wanted.extend(draft.port),
                None => {}
            }
        }
        let mut specs = Vec::new();
        for draft in drafts {
            let listener = match draft.listener(&taken, &wanted, bind) {
                Ok(listener) => listener,
                Err(error) => {
                    self.problem(span.clone(), error.to_string());
                    continue;
                }
            };
            taken.add(listener, None);
            specs.push(draft.at(listener));
        }
        specs
    }
}

impl Draft {
    /// Where it listens, if the file says so.
    fn written(&self) -> Option<SocketAddrV4> {
        let port = self.port.unwrap_or(RegistrySpec::DEFAULT_PORT);
        self.address.map(|address| SocketAddrV4::new(address, port))
    }

    fn listener(
        &self,
        taken: &Taken,
        wanted: &BTreeSet<u16>,
        bind: Bind<'_>,
    ) -> Result<SocketAddrV4, AddressPoolExhausted> {
        if let Some(listener) = self.written() {
            return Ok(listener);
        }
        if let Some(url) = &self.url {
            // Never listened at, but every registry has one.
            return Ok(SocketAddrV4::new(pick_address(&self.name, &taken.addresses)?, url.port()));
        }
        let mut others = taken.clone();
        others.ports.extend(wanted.iter().filter(|port| self.port != Some(**port)));
        listener::pick(&self.name, self.port, &others, bind)
    }

    fn at(self, listener: SocketAddrV4) -> RegistrySpec {
        RegistrySpec {
            name: self.name,
            ssh: self.ssh,
            fallbacks: self.fallbacks,
            remote: self.remote,
            address: *listener.ip(),
            gateway: self.gateway,
            port: listener.port(),
            localhost_port: self.localhost_port,
            ca: self.ca,
            linger_seconds: self.linger_seconds,
            keep_open: self.keep_open,
            url: self.url,
            client_certificate: self.client_certificate,
            open_at_start: self.open_at_start,
            limits: self.limits,
        }
    }
}
