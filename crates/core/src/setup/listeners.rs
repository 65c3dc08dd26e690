//! Where Dockline has to listen besides, so that an engine in a virtual machine gets to its registries.

use dockline_model::{EngineKind, PlannedListener, RegistryName, RegistryView};
use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpListener},
};

/// Ports to choose from: above what needs rights, below those that systems hand out by themselves (RFC 6335 §6), and
/// near the 5000 that people know registries by. (5000 itself is AirPlay's on macOS.)
const PORTS: std::ops::RangeInclusive<u16> = 5001..=5999;

/// A port of 127.0.0.1 for each of `registries` that has none, if the engine is one that sees nothing else of this
/// machine; `all` are the configured ones. Once it is in the configuration, a port stays.
pub(super) fn missing(
    kind: &EngineKind,
    registries: &[&RegistryView],
    all: &[RegistryView],
) -> Vec<PlannedListener> {
    let Some(host) = kind.name_of_host() else { return Vec::new() };
    let mut taken: BTreeSet<u16> = all.iter().filter_map(|view| view.spec.at_localhost()).collect();
    let mut listeners = Vec::new();
    for view in registries.iter().filter(|view| view.spec.at_localhost().is_none()) {
        let name = &view.spec.name;
        let Some(port) = pick(name, &taken) else { continue };
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

/// The first free one of the name's own order (FNV-1a), so that machines agree where they can.
fn pick(name: &RegistryName, taken: &BTreeSet<u16>) -> Option<u16> {
    let count = u32::from(PORTS.end() - PORTS.start()) + 1;
    let start = name
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (0..count)
        .filter_map(|step| u16::try_from((start % count + step) % count).ok())
        .map(|offset| PORTS.start() + offset)
        .find(|port| !taken.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_nobody_elses() {
        let name: RegistryName = "cr.boss.org".parse().unwrap();
        let first = pick(&name, &BTreeSet::new()).unwrap();
        assert_eq!(pick(&name, &BTreeSet::new()), Some(first));
        let second = pick(&name, &BTreeSet::from([first])).unwrap();
        assert!(PORTS.contains(&first) && PORTS.contains(&second) && first != second);
        let _somebody = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(pick(&name, &BTreeSet::new()), Some(first));
        assert_eq!(pick(&name, &PORTS.collect()), None);
    }
}
