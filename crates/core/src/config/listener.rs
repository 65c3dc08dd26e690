//! Where a registry listens if nobody said where. Pure: what a binding comes to is the caller's to find out.
//!
//! Linux and Windows have the whole of 127.0.0.0/8, so each registry gets an address of its own and the usual port.
//! macOS and the BSDs have 127.0.0.1 alone (any other is an alias of lo0 that is gone after a restart), so there each
//! registry gets a port of its own instead.

use dockline_model::{AddressPoolExhausted, RegistryName, RegistrySpec, pick_address};
use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener},
    ops::RangeInclusive,
};

/// More people of one machine with the same registry there will not be.
const ADDRESSES_TRIED: usize = 256;

/// Ports to choose from: above what needs rights, below those that systems hand out by themselves (RFC 6335 §6), and
/// near the 5000 that people know registries by. (5000 itself is AirPlay's on macOS.)
const PORTS: RangeInclusive<u16> = 5001..=5999;

/// What listening somewhere comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    Free,
    /// Somebody listens there, or the system keeps it to itself.
    Held,
    /// This machine has no such address.
    NoAddress,
}

/// What other registries have.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    pub(super) addresses: BTreeSet<Ipv4Addr>,
    /// Of 127.0.0.1.
    pub(super) ports: BTreeSet<u16>,
}

impl Taken {
    pub(super) fn add(&mut self, listener: SocketAddrV4, localhost_port: Option<u16>) {
        self.addresses.insert(*listener.ip());
        self.ports.extend(localhost_port);
        if *listener.ip() == Ipv4Addr::LOCALHOST {
            self.ports.insert(listener.port());
        }
    }
}

/// Tries it.
pub(super) fn binding(listener: SocketAddrV4) -> Binding {
    match TcpListener::bind(listener) {
        Ok(_) => Binding::Free,
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Binding::NoAddress,
        Err(_) => Binding::Held,
    }
}

/// The same about the address alone: it stays as it is from one reading of the configuration to the next, whoever
/// listens meanwhile.
pub(super) fn binding_of_address(listener: SocketAddrV4) -> Binding {
    match binding(SocketAddrV4::new(*listener.ip(), 0)) {
        Binding::Free | Binding::Held => Binding::Free,
        Binding::NoAddress => Binding::NoAddress,
    }
}

/// The first address of the name's own order where the port can be listened at now: another person of this machine may
/// have the same registry. Where a program holds the port on every address, the first of all, since no other would be
/// better; the tunnel says who is in the way. Where the machine has no such addresses, 127.0.0.1: at the `port` that the
/// person wants unless another registry has it (elsewhere several may have the same), else at one of the name's own order.
///
/// # Errors
/// [`AddressPoolExhausted`].
pub(super) fn pick(
    name: &RegistryName,
    port: Option<u16>,
    taken: &Taken,
    bind: impl Fn(SocketAddrV4) -> Binding,
) -> Result<SocketAddrV4, AddressPoolExhausted> {
    let usual = port.unwrap_or(RegistrySpec::DEFAULT_PORT);
    let mut passed_over = taken.addresses.clone();
    let first = pick_address(name, &passed_over)?;
    let mut address = first;
    for _ in 0..ADDRESSES_TRIED {
        match bind(SocketAddrV4::new(address, usual)) {
            Binding::Free => return Ok(SocketAddrV4::new(address, usual)),
            Binding::NoAddress => {
                // Before its loopback interface is up, a machine has neither.
                if bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)) == Binding::NoAddress {
                    break;
                }
                let wanted = port.filter(|port| !taken.ports.contains(port));
                let port = wanted.or_else(|| pick_port(name, &taken.ports, &bind));
                return Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port.ok_or(AddressPoolExhausted)?));
            }
            Binding::Held => {}
        }
        passed_over.insert(address);
        address = pick_address(name, &passed_over)?;
    }
    Ok(SocketAddrV4::new(first, usual))
}

/// A port of 127.0.0.1 that is free now and not among `taken`.
pub(crate) fn free_port(name: &RegistryName, taken: &BTreeSet<u16>) -> Option<u16> {
    pick_port(name, taken, binding)
}

/// The first free one of the name's own order (FNV-1a), so that machines agree where they can.
fn pick_port(
    name: &RegistryName,
    taken: &BTreeSet<u16>,
    bind: impl Fn(SocketAddrV4) -> Binding,
) -> Option<u16> {
    let count = u32::from(PORTS.end() - PORTS.start()) + 1;
    let start = name
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let is_free = |port: u16| bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) == Binding::Free;
    (0..count)
        .filter_map(|step| u16::try_from((start % count + step) % count).ok())
        .map(|offset| PORTS.start() + offset)
        .find(|port| !taken.contains(port) && is_free(*port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RegistryName {
        text.parse().unwrap()
    }

    /// A machine that has 127.0.0.1 alone, where somebody listens at `held`.
    fn as_on_macos(held: &[u16]) -> impl Fn(SocketAddrV4) -> Binding {
        move |listener| match *listener.ip() == Ipv4Addr::LOCALHOST {
            true if held.contains(&listener.port()) => Binding::Held,
            true => Binding::Free,
            false => Binding::NoAddress,
        }
    }

    #[test]
    fn a_machine_with_one_loopback_address_gives_each_registry_a_port() {
        let mut taken = Taken::default();
        let first = pick(&name("cr.boss.org"), None, &taken, as_on_macos(&[])).unwrap();
        assert_eq!(*first.ip(), Ipv4Addr::LOCALHOST);
        assert!(PORTS.contains(&first.port()), "{first}");
        assert_eq!(pick(&name("cr.boss.org"), None, &taken, as_on_macos(&[])), Ok(first), "always the same");
        let past = pick(&name("cr.boss.org"), None, &taken, as_on_macos(&[first.port()])).unwrap();
        assert_ne!(past, first, "somebody listens there");
        // Neither another registry's listener, nor what an engine in a virtual machine finds it by.
        taken.add(first, Some(past.port()));
        let next = pick(&name("cr.boss.org"), None, &taken, as_on_macos(&[])).unwrap();
        assert!(!taken.ports.contains(&next.port()) && *next.ip() == Ipv4Addr::LOCALHOST, "{next}");
        assert_eq!(pick(&name("cr.boss.org"), Some(first.port()), &taken, as_on_macos(&[])), Ok(next));
        // What the person said is not for us to change, whatever program is in the way.
        let wanted = pick(&name("cr.boss.org"), Some(7000), &taken, as_on_macos(&[7000])).unwrap();
        assert_eq!(wanted, SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7000));
        taken.ports = PORTS.collect();
        assert_eq!(pick(&name("cr.boss.org"), None, &taken, as_on_macos(&[])), Err(AddressPoolExhausted));
    }

    #[test]
    fn a_machine_with_all_of_them_gives_each_an_address() {
        let mut taken = Taken::default();
        let first = pick(&name("cr.boss.org"), None, &taken, |_| Binding::Free).unwrap();
        assert!(*first.ip() != Ipv4Addr::LOCALHOST && first.port() == RegistrySpec::DEFAULT_PORT, "{first}");
        let held = |listener| if listener == first { Binding::Held } else { Binding::Free };
        assert_ne!(pick(&name("cr.boss.org"), None, &taken, held), Ok(first));
        assert_eq!(pick(&name("cr.boss.org"), None, &taken, |_| Binding::Held), Ok(first), "none is better");
        assert_eq!(pick(&name("cr.boss.org"), None, &taken, |_| Binding::NoAddress), Ok(first), "not up yet");
        taken.add(first, None);
        let second = pick(&name("cr.boss.org"), Some(7000), &taken, |_| Binding::Free).unwrap();
        assert!(second.ip() != first.ip() && second.port() == 7000, "{second}");
    }

    #[test]
    fn a_port_is_free_and_nobody_elses() {
        let name = name("cr.boss.org");
        let first = free_port(&name, &BTreeSet::new()).unwrap();
        assert_eq!(free_port(&name, &BTreeSet::new()), Some(first));
        let second = free_port(&name, &BTreeSet::from([first])).unwrap();
        assert!(PORTS.contains(&first) && PORTS.contains(&second) && first != second);
        let _somebody = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(free_port(&name, &BTreeSet::new()), Some(first));
        assert_eq!(free_port(&name, &PORTS.collect()), None);
    }
}
