//! Linux: `sock_diag(7)` is asked for the one socket; `/proc/net/tcp` where the kernel has no `sock_diag`.

mod proc;
mod sock_diag;

pub(super) use proc::{listener_owner, program_names};

use super::{Found, Holder, Owner, PeerError};
use std::{fs, net::SocketAddr};

/// `/proc/sys/kernel/overflowuid` unless somebody changed it (proc(5)).
const OVERFLOW_UID: u32 = 65534;

/// A socket as the kernel lists it. An inode of 0: its program has closed it, and the uid means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    uid: u32,
    inode: u64,
}

/// Us, as far as it matters for whether a uid is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Us {
    uid: u32,
    overflow: u32,
    /// Whether every uid of the system has its own number here, so that the overflow uid means that user and not
    /// “somebody who has no number in our user namespace”.
    all_mapped: bool,
}

/// Looks for the socket at the other end of our `local`.
///
/// # Errors
/// When neither way of asking works.
pub(super) fn find(local: SocketAddr, peer: SocketAddr) -> Result<Found, PeerError> {
    let row = match sock_diag::socket(peer, local) {
        Ok(Some(row)) => Some(row),
        // A kernel without the module says “no such socket”, too. But ours is there for sure.
        Ok(None) => match sock_diag::socket(local, peer) {
            Ok(Some(_)) => None,
            Ok(None) | Err(_) => proc::socket(peer, local)?,
        },
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "sock_diag does not work here");
            proc::socket(peer, local)?
        }
    };
    Ok(match row {
        None => Found::Absent,
        Some(Row { inode: 0, .. }) => Found::Orphan,
        Some(Row { uid, inode }) => {
            let owner = Us::here().owner(uid);
            if owner == Owner::Another {
                tracing::warn!(uid, "another user tried to use a tunnel");
            }
            Found::Socket { owner, holder: Some(Holder(inode)) }
        }
    })
}

impl Us {
    fn here() -> Self {
        let read = |file: &str| fs::read_to_string(file).ok();
        Self {
            uid: nix::unistd::geteuid().as_raw(),
            overflow: read("/proc/sys/kernel/overflowuid")
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(OVERFLOW_UID),
            all_mapped: read("/proc/self/uid_map").is_none_or(|map| maps_all(&map)),
        }
    }

    /// The kernel tells uids in the numbers of our user namespace, and the overflow uid for those who have none there
    /// (user_namespaces(7)): all of them would look like one user.
    const fn owner(&self, uid: u32) -> Owner {
        if uid == self.overflow && !self.all_mapped {
            Owner::Another
        } else if uid == self.uid {
            Owner::Ours
        } else if uid == 0 {
            Owner::System
        } else {
            Owner::Another
        }
    }
}

/// Whether a `uid_map` is that of the first user namespace: all uids but the last, which means “none”.
fn maps_all(map: &str) -> bool {
    map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
}

#[cfg(test)]
mod tests {
    use super::{super::Program, *};
    use std::net::{TcpListener, TcpStream};

    fn ours() -> Owner {
        if nix::unistd::geteuid().is_root() { Us::here().owner(0) } else { Owner::Ours }
    }

    #[test]
    fn a_connection_of_ours_is_known_as_ours() {
        // IPv4, IPv6, and a socket of the IPv6 kind that is connected to an IPv4 address.
        for (listen, target) in
            [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("127.0.0.1:0", "::ffff:127.0.0.1")]
        {
            let Ok(listener) = TcpListener::bind(listen) else {
                assert!(listen.starts_with('['), "only IPv6 may be missing");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            let client = TcpStream::connect((target, port)).unwrap();
            let (server, peer) = listener.accept().unwrap();
            let local = server.local_addr().unwrap();
            let Found::Socket { owner, holder: Some(holder) } = find(local, peer).unwrap() else {
                panic!("{listen} {target}: not found")
            };
            assert_eq!(owner, ours());
            // `dockline_tunnel-0123456789abcdef`: longer than what `comm` holds.
            let own_name = std::env::current_exe().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            assert!(own_name.len() > 15);
            assert_eq!(program_names(&[holder])[&holder], Program { name: own_name, is_this_one: true });
            // The other way of asking says the same.
            let row = proc::socket(peer, local).unwrap().unwrap();
            assert_eq!(Holder(row.inode), holder);
            drop(client);
        }
    }

    #[test]
    fn who_listens_is_known() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own_name = std::env::current_exe().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(listener_owner(listener.local_addr().unwrap()), Some(own_name));
    }

    #[test]
    fn a_connection_that_is_not_there_is_absent() {
        let nowhere = "127.0.0.1:1".parse().unwrap();
        assert_eq!(find(nowhere, nowhere).unwrap(), Found::Absent);
    }

    #[test]
    fn a_listener_is_not_taken_for_the_peer_that_went_away() {
        // The kernel, asked for a connection that it does not have, answers with who listens at that end.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        assert_eq!(find("127.0.0.1:1".parse().unwrap(), there).unwrap(), Found::Absent);
    }

    #[test]
    fn a_connection_that_its_program_closed_has_no_owner() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        drop(client);
        let found = find(server.local_addr().unwrap(), peer).unwrap();
        assert!(matches!(found, Found::Orphan | Found::Absent), "{found:?}");
    }

    #[test]
    fn uids_are_told_apart() {
        let plain = Us { uid: 1000, overflow: 65534, all_mapped: true };
        assert_eq!(plain.owner(1000), Owner::Ours);
        assert_eq!(plain.owner(0), Owner::System);
        assert_eq!(plain.owner(1001), Owner::Another);
        assert_eq!(plain.owner(65534), Owner::Another);
        // A container's root whose uids are shifted (userns-remap).
        assert_eq!(plain.owner(100_000), Owner::Another);
        assert_eq!(Us { uid: 0, ..plain }.owner(0), Owner::Ours);

        // We run as `nobody`: a user like any other, unless it stands for all who have no number here.
        let nobody = Us { uid: 65534, overflow: 65534, all_mapped: true };
        assert_eq!(nobody.owner(65534), Owner::Ours);
        assert_eq!(Us { all_mapped: false, ..nobody }.owner(65534), Owner::Another);
    }

    #[test]
    fn only_the_first_user_namespace_maps_all() {
        assert!(maps_all("         0          0 4294967295\n"));
        assert!(!maps_all("         0       1000          1\n"));
        assert!(!maps_all("         0       1000          1\n         1     100000      65536\n"));
        assert!(!maps_all(""));
    }
}
