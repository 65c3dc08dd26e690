//! The decision: who may come in at which door. Pure; the platforms only say what there is.

use super::{Found, Holder, Owner};
use std::net::{IpAddr, Ipv4Addr};

/// For whom a listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Circle {
    /// Programs of this machine, of our user or the system's own: a loopback address.
    ThisMachine,
    /// Those, and containers on a bridge: the bridge's address on this machine.
    Bridge(Bridge),
}

/// A bridge's IPv4 address on this machine, and how many bits of it the network has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bridge {
    pub address: Ipv4Addr,
    pub prefix: u8,
}

/// Why a connection is refused for who made it. Logged as it is; it names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// It belongs to another user.
    AnotherUser,
    /// Its program has closed it already, so nobody can be told to have made it.
    Orphan,
    /// It is not to be found among this machine's sockets.
    NotHere,
    /// The kernel could not be asked.
    Unknown,
}

impl Bridge {
    /// Whether `source` is the address of something else on the bridge. Not the bridge's own: who has that is on this
    /// machine, and would have been found. Not the network's, nor the one for broadcasts.
    fn has_guest(self, source: IpAddr) -> bool {
        let IpAddr::V4(source) = source.to_canonical() else { return false };
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
        let (own, source) = (self.address.to_bits(), source.to_bits());
        source & mask == own & mask && source != own && source & !mask != 0 && source | mask != u32::MAX
    }
}

/// A socket of this machine is judged by its owner at every door. One that is not to be found may come from a
/// container, if the door is a bridge's and the address is of its network: those are other network namespaces, which
/// the kernel does not list. (A program outside of the bridge cannot take such an address: the answers would go to
/// the bridge, and no connection would come to be.)
pub(super) fn decide(circle: Circle, source: IpAddr, found: Found) -> Result<Option<Holder>, Denial> {
    match (found, circle) {
        (Found::Socket { owner: Owner::Ours | Owner::System, holder }, _) => Ok(holder),
        (Found::Socket { owner: Owner::Another, .. }, _) => Err(Denial::AnotherUser),
        (Found::Orphan, _) => Err(Denial::Orphan),
        (Found::Absent, Circle::ThisMachine) => Err(Denial::NotHere),
        (Found::Absent, Circle::Bridge(bridge)) => {
            if bridge.has_guest(source) {
                Ok(None)
            } else {
                Err(Denial::NotHere)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIDGE: Circle = Circle::Bridge(Bridge { address: Ipv4Addr::new(172, 17, 0, 1), prefix: 16 });

    fn socket(owner: Owner) -> Found {
        Found::Socket { owner, holder: Some(Holder(7)) }
    }

    #[test]
    fn owners_are_judged_the_same_at_every_door() {
        for circle in [Circle::ThisMachine, BRIDGE] {
            for source in ["127.0.0.1", "172.17.0.1", "172.17.0.9"] {
                let source = source.parse().unwrap();
                assert_eq!(decide(circle, source, socket(Owner::Ours)), Ok(Some(Holder(7))));
                assert_eq!(decide(circle, source, socket(Owner::System)), Ok(Some(Holder(7))));
                assert_eq!(decide(circle, source, socket(Owner::Another)), Err(Denial::AnotherUser));
                assert_eq!(decide(circle, source, Found::Orphan), Err(Denial::Orphan));
            }
        }
    }

    #[test]
    fn only_a_bridges_network_may_be_unseen() {
        for (source, allowed) in [
            ("172.17.0.2", true),
            ("172.17.255.254", true),
            ("::ffff:172.17.0.2", true),
            // The bridge itself: that is this machine, and its sockets are seen.
            ("172.17.0.1", false),
            ("172.17.0.0", false),
            ("172.17.255.255", false),
            ("172.18.0.2", false),
            ("192.168.1.2", false),
            ("127.0.0.1", false),
            ("::1", false),
            ("fe80::1", false),
        ] {
            let source = source.parse().unwrap();
            assert_eq!(decide(BRIDGE, source, Found::Absent).is_ok(), allowed, "{source}");
            assert_eq!(decide(Circle::ThisMachine, source, Found::Absent), Err(Denial::NotHere));
        }
    }

    #[test]
    fn a_network_without_room_or_without_end_has_no_surprises() {
        let guest = |prefix, source: &str| {
            Bridge { address: Ipv4Addr::new(10, 0, 0, 1), prefix }.has_guest(source.parse().unwrap())
        };
        assert!(!guest(32, "10.0.0.1"));
        assert!(!guest(32, "10.0.0.2"));
        assert!(guest(30, "10.0.0.2"));
        assert!(!guest(30, "10.0.0.3"));
        assert!(guest(0, "9.9.9.9"));
        assert!(!guest(200, "10.0.0.2"));
    }
}
