//! Where Dockline has to listen besides, so that an engine in a virtual machine gets to its registries.

use crate::config::free_port;
use dockline_model::{EngineKind, PlannedListener, RegistrySpec, RegistryView, TunnelView, UiError};
use std::{collections::BTreeSet, net::Ipv4Addr};

/// A port of 127.0.0.1 for each of `registries` that has none, if the engine is one that sees nothing else of this
/// machine; `all` are the configured ones. Once it is in the configuration, a port stays.
pub(super) fn missing(
    kind: &EngineKind,
    registries: &[&RegistryView],
    all: &[RegistryView],
) -> Vec<PlannedListener> {
    let Some(host) = kind.name_of_host() else { return Vec::new() };
    let ports = |view: &RegistryView| [view.spec.at_localhost(), view.spec.localhost_port];
    let mut taken: BTreeSet<u16> = all.iter().flat_map(ports).flatten().collect();
    let mut listeners = Vec::new();
    for view in registries.iter().filter(|view| view.spec.at_localhost().is_none()) {
        let name = &view.spec.name;
        let Some(port) = free_port(name, &taken) else { continue };
        taken.insert(port);
        listeners.push(PlannedListener {
            registry: name.clone(),
            port,
            why: format!(
                "Dockline listens for {name} at 127.0.0.1:{port} as well, since the engine runs in a virtual machine \
                 that gets to this machine's 127.0.0.1 only, as {host}."
            ),
        });
    }
    listeners
}

/// Why Dockline does not listen where 127.0.0.1 leads to the registry. That is its own listener where it has no other
/// address (macOS).
pub(crate) fn error_at_localhost<'a>(spec: &RegistrySpec, view: &'a TunnelView) -> Option<&'a UiError> {
    match spec.address == Ipv4Addr::LOCALHOST {
        true => view.listener_error.as_ref(),
        false => view.localhost_error.as_deref(),
    }
}

/// Why Dockline does not listen where an engine of that kind would look for the registry, of whose other listeners the
/// engine makes no use.
pub(super) fn error_for<'a>(
    kind: &EngineKind,
    spec: &RegistrySpec,
    view: &'a TunnelView,
) -> Option<&'a UiError> {
    match kind.name_of_host() {
        Some(_) => error_at_localhost(spec, view),
        None => view.listener_error.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::Code;

    #[test]
    fn only_what_the_engine_looks_for_is_missed() {
        let spec = RegistrySpec::new(
            "cr.boss.org".parse().unwrap(),
            "me@host".parse().unwrap(),
            Ipv4Addr::new(127, 77, 1, 5),
        );
        let error = |code| UiError::new(code, "x");
        let code = |kind: &EngineKind, spec: &RegistrySpec, view: &TunnelView| {
            error_for(kind, spec, view).map(|error| error.code)
        };
        let (native, desktop) = (EngineKind::DockerNative, EngineKind::DockerDesktop);
        // An address that the machine does not have is nothing to an engine in a virtual machine.
        let view = TunnelView { listener_error: Some(error(Code::AddressUnavailable)), ..TunnelView::idle() };
        assert_eq!(code(&native, &spec, &view), Some(Code::AddressUnavailable));
        assert_eq!(code(&desktop, &spec, &view), None);
        // Unless that is the one it looks for.
        let at_localhost = RegistrySpec { address: Ipv4Addr::LOCALHOST, ..spec.clone() };
        assert_eq!(code(&desktop, &at_localhost, &view), Some(Code::AddressUnavailable));
        let view =
            TunnelView { localhost_error: Some(Box::new(error(Code::PortInUse))), ..TunnelView::idle() };
        assert_eq!(code(&native, &spec, &view), None);
        assert_eq!(code(&desktop, &spec, &view), Some(Code::PortInUse));
    }
}
