//! The way to a host, as far as this machine knows it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Addresses that nobody has (RFC 5737, RFC 3849): the way there is the default route.
const ANYWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// How the machine would speak to a tunnel's hosts, and to the rest of the world (where a host's name is looked up, or
/// a ProxyCommand goes).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Option<Source>>);

#[derive(Debug, PartialEq, Eq)]
struct Source {
    address: IpAddr,
    /// Whether the link that has it is up and has a carrier.
    running: bool,
}

impl Path {
    pub(super) fn to(hosts: &[IpAddr]) -> Self {
        Self(hosts.iter().chain(&ANYWHERE).map(|host| source(*host)).collect())
    }
}

/// The address from which the machine would speak to `host`; `None` without a way there.
fn source(host: IpAddr) -> Option<Source> {
    let any = if host.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Sends nothing: for UDP, connecting means choosing a route (udp(7)).
    socket.connect((host, 22)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    Some(Source { address, running: is_running(address) })
}

/// Whether an address is one of this machine's. A connection from one that no longer is cannot carry anything.
pub(crate) fn is_ours(address: IpAddr) -> bool {
    match UdpSocket::bind((address, 0)) {
        Ok(_) => true,
        Err(error) => error.kind() != std::io::ErrorKind::AddrNotAvailable,
    }
}

#[cfg(unix)]
fn is_running(address: IpAddr) -> bool {
    use nix::net::if_::InterfaceFlags;
    let Ok(mut interfaces) = nix::ifaddrs::getifaddrs() else { return true };
    let has = |interface: &nix::ifaddrs::InterfaceAddress| {
        let found = interface.address?;
        let ip = found
            .as_sockaddr_in()
            .map(|v4| IpAddr::V4(v4.ip()))
            .or_else(|| found.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))?;
        (ip == address).then_some(interface.flags.contains(InterfaceFlags::IFF_RUNNING))
    };
    interfaces.find_map(|interface| has(&interface)).unwrap_or(true)
}

#[cfg(not(unix))]
const fn is_running(_: IpAddr) -> bool {
    // Windows takes the address away with the carrier.
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_ours_and_an_address_for_documentation_is_not() {
        assert!(is_ours("127.0.0.1".parse().unwrap()));
        // Wine lets a program have any address; Windows itself has not been asked.
        if cfg!(unix) {
            assert!(!is_ours("192.0.2.1".parse().unwrap()));
        }
        let path = Path::to(&[Ipv4Addr::LOCALHOST.into()]);
        assert_eq!(path.0[0], Some(Source { address: Ipv4Addr::LOCALHOST.into(), running: true }));
        assert_eq!(path, Path::to(&[Ipv4Addr::LOCALHOST.into()]));
    }
}
