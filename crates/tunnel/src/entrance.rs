//! Where a tunnel may be entered: a loopback address; 127.0.0.1 itself, for engines in a virtual machine; and, where a
//! person chose so, a bridge's address on this machine.

use crate::{
    error::TunnelError,
    local,
    peer::{self, Bridge, Circle},
};
use dockline_model::UiError;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// A program that is started gets a copy of every socket until it begins (fork(2), execve(2)): an address that this
/// process has just stopped listening on can be held for some 25 ms more, and whoever connects meanwhile is refused.
const COPY_PAUSE: Duration = Duration::from_millis(20);
const COPIES_TRIED: u32 = 5;

/// A second entrance to a tunnel, for programs in containers: the address of the containers' bridge on this machine
/// (`docker network inspect bridge`, `Gateway`; usually 172.17.0.1).
///
/// Containers are in network namespaces of their own, so the system does not tell whose their programs are: every
/// container on that bridge may use the tunnel. Programs on this machine are judged there as at the loopback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gateway {
    /// The bridge's address, and a port. Two registries cannot have the same.
    pub address: SocketAddrV4,
}

impl Gateway {
    /// Names that engines give this machine inside of containers: Docker (`--add-host
    /// host.docker.internal:host-gateway`, and Docker Desktop by itself), Podman, and Lima.
    pub const NAMES: [&str; 3] = ["host.docker.internal", "host.containers.internal", "host.lima.internal"];
}

/// Which of a tunnel's entrances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The registry's own loopback address.
    Own,
    /// 127.0.0.1.
    Localhost,
    /// A bridge's address.
    Gateway,
}

/// An address that may be listened on. There is no other way to one than the three functions below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entrance {
    address: SocketAddr,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Loopback,
    Localhost,
    Gateway(Ipv4Addr),
}

impl Entrance {
    /// An address in 127.0.0.0/8, or ::1.
    pub(crate) fn loopback(address: SocketAddr) -> Result<Self, TunnelError> {
        if address.ip().is_loopback() {
            Ok(Self { address, kind: Kind::Loopback })
        } else {
            Err(TunnelError::AddressForbidden { address })
        }
    }

    /// 127.0.0.1, whatever the registry's own address is.
    pub(crate) const fn localhost(port: u16) -> Self {
        let address = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
        Self { address, kind: Kind::Localhost }
    }

    /// An address of a private network (RFC 1918, RFC 6598). That it is a bridge's is seen when it is opened.
    pub(crate) fn gateway(gateway: Gateway) -> Result<Self, TunnelError> {
        let ip = *gateway.address.ip();
        let [first, second, ..] = ip.octets();
        let is_shared = first == 100 && second & 0xc0 == 64;
        if ip.is_private() || is_shared {
            Ok(Self { address: gateway.address.into(), kind: Kind::Gateway(ip) })
        } else {
            Err(TunnelError::AddressForbidden { address: gateway.address.into() })
        }
    }

    pub(crate) const fn address(self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn which(self) -> Which {
        match self.kind {
            Kind::Loopback => Which::Own,
            Kind::Localhost => Which::Localhost,
            Kind::Gateway(_) => Which::Gateway,
        }
    }

    /// Listens, and says for whom. A taken address is tried for as long as a copy of a socket may hold it.
    pub(crate) async fn open(self) -> Result<(TcpListener, Circle), TunnelError> {
        let address = self.address;
        let circle = match self.kind {
            Kind::Loopback | Kind::Localhost => Circle::ThisMachine,
            // Looked up each time: the engine makes its bridge when it starts, and may make another one then.
            Kind::Gateway(ip) => Circle::Bridge(bridge(ip).map_err(|missing| missing.error(address))?),
        };
        let mut copies = COPIES_TRIED;
        let error = loop {
            match local::listen(address).await {
                Ok(socket) => return Ok((socket, circle)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && copies > 0 => copies -= 1,
                Err(error) => break error,
            }
            tokio::time::sleep(COPY_PAUSE).await;
        };
        let kind = error.kind();
        Err(if kind == io::ErrorKind::AddrInUse {
            let owner = tokio::task::spawn_blocking(move || peer::listener_owner(address)).await;
            TunnelError::PortInUse { address, by: owner.ok().flatten() }
        } else if kind == io::ErrorKind::AddrNotAvailable {
            TunnelError::AddressUnavailable { address }
        } else {
            TunnelError::Listen { address, source: Arc::new(error) }
        })
    }
}

/// Why entrances could not be had; they are tried again.
#[derive(Debug, Default)]
pub(crate) struct Unbound {
    pub own: Option<UiError>,
    pub localhost: Option<Box<UiError>>,
    pub gateway: Option<Box<UiError>>,
}

impl Unbound {
    pub(crate) fn note(&mut self, which: Which, error: Option<&TunnelError>) {
        let error = error.map(UiError::from);
        match which {
            Which::Own => self.own = error,
            Which::Localhost => self.localhost = error.map(Box::new),
            Which::Gateway => self.gateway = error.map(Box::new),
        }
    }
}

/// Why an address is not a bridge's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoBridge {
    /// No interface has it.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is looked up there"))]
    NoInterface,
    /// The interface that has it leads elsewhere: to the network at large, mostly.
    NotABridge,
}

impl NoBridge {
    const fn error(self, address: SocketAddr) -> TunnelError {
        match self {
            Self::NoInterface => TunnelError::AddressUnavailable { address },
            Self::NotABridge => TunnelError::AddressForbidden { address },
        }
    }
}

/// The bridge that has `address`. An address of an ordinary network card would let the whole network in.
#[cfg(target_os = "linux")]
fn bridge(address: Ipv4Addr) -> Result<Bridge, NoBridge> {
    let interfaces = nix::ifaddrs::getifaddrs().map_err(|_| NoBridge::NoInterface)?;
    let ip = |socket: Option<&nix::sys::socket::SockaddrStorage>| Some(socket?.as_sockaddr_in()?.ip());
    let interface = interfaces
        .into_iter()
        .find(|interface| ip(interface.address.as_ref()) == Some(address))
        .ok_or(NoBridge::NoInterface)?;
    // The kernel makes this folder for bridges only (Documentation/ABI/testing/sysfs-class-net).
    let settings = std::path::Path::new("/sys/class/net").join(&interface.interface_name).join("bridge");
    let mask = ip(interface.netmask.as_ref()).ok_or(NoBridge::NoInterface)?;
    if settings.is_dir() {
        Ok(Bridge { address, prefix: mask.to_bits().count_ones().try_into().unwrap_or(32) })
    } else {
        Err(NoBridge::NotABridge)
    }
}

/// Elsewhere engines run in virtual machines and their bridges are there; what comes from there comes through a
/// program of this machine.
#[cfg(not(target_os = "linux"))]
fn bridge(_: Ipv4Addr) -> Result<Bridge, NoBridge> {
    Err(NoBridge::NotABridge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_and_private_gateways() {
        for (ip, loopback, gateway) in [
            ("127.0.0.1", true, false),
            ("127.77.1.2", true, false),
            ("127.255.255.255", true, false),
            ("172.17.0.1", false, true),
            ("192.168.65.254", false, true),
            ("10.88.0.1", false, true),
            ("100.64.0.1", false, true),
            ("100.128.0.1", false, false),
            ("172.32.0.1", false, false),
            ("0.0.0.0", false, false),
            ("128.0.0.1", false, false),
            ("169.254.1.1", false, false),
            ("224.0.0.1", false, false),
            ("255.255.255.255", false, false),
            ("8.8.8.8", false, false),
        ] {
            let ip: Ipv4Addr = ip.parse().unwrap();
            let address = SocketAddrV4::new(ip, 5000);
            assert_eq!(Entrance::loopback(address.into()).is_ok(), loopback, "{ip}");
            assert_eq!(Entrance::gateway(Gateway { address }).is_ok(), gateway, "{ip}");
        }
        for (ip, loopback) in [("[::1]:5000", true), ("[::]:5000", false), ("[fe80::1]:5000", false)] {
            assert_eq!(Entrance::loopback(ip.parse().unwrap()).is_ok(), loopback, "{ip}");
        }
        // A mapped address would be bound as a socket of both kinds.
        assert!(Entrance::loopback("[::ffff:127.0.0.1]:5000".parse().unwrap()).is_err());
    }

    #[tokio::test]
    async fn a_copy_that_a_program_has_until_it_begins_is_waited_for() {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let entrance = Entrance::loopback(held.local_addr().unwrap()).unwrap();
        let taken = entrance.open().await.unwrap_err();
        assert!(matches!(taken, TunnelError::PortInUse { .. }), "{taken}");
        let copy = held.try_clone().unwrap();
        drop(held);
        let begins = async {
            tokio::time::sleep(COPY_PAUSE + COPY_PAUSE / 2).await;
            drop(copy);
        };
        tokio::join!(entrance.open(), begins).0.unwrap();
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_is_no_bridges_is_not_opened() {
        let gateway = Gateway { address: "10.255.254.253:0".parse().unwrap() };
        let error = Entrance::gateway(gateway).unwrap().open().await.unwrap_err();
        assert!(matches!(error, TunnelError::AddressUnavailable { .. }), "{error}");
        assert_eq!(bridge(Ipv4Addr::LOCALHOST), Err(NoBridge::NotABridge));
    }
}
