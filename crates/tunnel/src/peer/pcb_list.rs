//! macOS' list of all TCP connections, as `sysctl net.inet.tcp.pcblist_n` gives it (netstat(1) reads the same).
//!
//! Records one after another, each with its length and kind first and rounded up to eight bytes, after a header of the
//! form that also ends the list. A connection is an `xinpcb_n` (its ends) followed by an `xsocket_n` (its user) and
//! others (xnu, `bsd/netinet/in_pcblist.c`, `get_pcblist_n`). The layouts are those of `bsd/netinet/in_pcb.h` and
//! `bsd/sys/socketvar.h`, which pack to four bytes; records have grown at their ends from release to release, never
//! inside. Reading is pure, so that it is tested everywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `XSO_SOCKET` and `XSO_INPCB` of `bsd/sys/socketvar.h`.
const KIND_SOCKET: u32 = 0x001;
const KIND_INPCB: u32 = 0x010;
/// `INP_IPV4` and `INP_IPV6` of `inp_vflag`.
const IPV4: u8 = 0x1;
const IPV6: u8 = 0x2;
/// `sizeof(struct xinpgen)`.
const HEADER: usize = 24;

/// What is said about one connection's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// `so_uid`: whose the socket is.
    pub uid: u32,
    /// `so_last_pid`: who used it last; 0 if that is not told.
    pub pid: u32,
}

/// The list does not read as described above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Looks for the connection whose own end is `own` and whose other end is `far`. `None`: it is not there.
pub(super) fn socket(list: &[u8], own: SocketAddr, far: SocketAddr) -> Result<Option<Row>, Unreadable> {
    let canonical = |address: SocketAddr| (address.ip().to_canonical(), address.port());
    let wanted = (canonical(own), canonical(far));
    let mut rest = list.get(round_up(number(list, 0)?)..).ok_or(Unreadable)?;
    let mut is_it = false;
    while rest.len() > HEADER {
        let length = number(rest, 0)?;
        let record = rest.get(..length).filter(|record| record.len() >= 8).ok_or(Unreadable)?;
        match number(record, 4)? as u32 {
            KIND_INPCB => is_it = ends(record)? == Some(wanted),
            KIND_SOCKET if is_it => {
                let word = |at| number(record, at).map(|word| word as u32);
                return Ok(Some(Row { uid: word(64)?, pid: word(68)? }));
            }
            _ => {}
        }
        rest = rest.get(round_up(length)..).unwrap_or_default();
    }
    Ok(None)
}

type Ends = ((IpAddr, u16), (IpAddr, u16));

/// The two ends of an `xinpcb_n`: our end, then the other; `None` if it is of neither kind of address.
fn ends(record: &[u8]) -> Result<Option<Ends>, Unreadable> {
    let port = |at| Some(u16::from_be_bytes(record.get(at..)?.first_chunk().copied()?));
    let v4 = |at| Some(IpAddr::V4(Ipv4Addr::from(*record.get(at..)?.first_chunk::<4>()?)));
    let v6 = |at| Some(IpAddr::V6(Ipv6Addr::from(*record.get(at..)?.first_chunk::<16>()?)).to_canonical());
    let (far_port, own_port) = (port(16).ok_or(Unreadable)?, port(18).ok_or(Unreadable)?);
    let flags = *record.get(44).ok_or(Unreadable)?;
    let (far, own) = if flags & IPV4 != 0 {
        // An IPv4 address stands in the last four of the sixteen bytes.
        (v4(60), v4(76))
    } else if flags & IPV6 != 0 {
        (v6(48), v6(64))
    } else {
        return Ok(None);
    };
    Ok(Some(((own.ok_or(Unreadable)?, own_port), (far.ok_or(Unreadable)?, far_port))))
}

/// A number of the machine's own byte order.
fn number(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(Unreadable)?;
    Ok(u32::from_ne_bytes(*word) as usize)
}

const fn round_up(length: usize) -> usize {
    length.saturating_add(7) & !7
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A record of `length` bytes with some of them given.
    fn record(length: usize, kind: u32, parts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut record = vec![0; round_up(length)];
        record[..4].copy_from_slice(&(length as u32).to_ne_bytes());
        record[4..8].copy_from_slice(&kind.to_ne_bytes());
        for (at, part) in parts {
            record[*at..at + part.len()].copy_from_slice(part);
        }
        record
    }

    fn connection(own: &str, far: &str, uid: u32, pid: u32) -> Vec<u8> {
        let (own, far): (SocketAddr, SocketAddr) = (own.parse().unwrap(), far.parse().unwrap());
        let flag = if own.is_ipv4() { IPV4 } else { IPV6 };
        let place = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => [&[0; 12][..], &ip.octets()].concat(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        [
            record(
                104,
                KIND_INPCB,
                &[
                    (16, &far.port().to_be_bytes()),
                    (18, &own.port().to_be_bytes()),
                    (44, &[flag]),
                    (48, &place(far.ip())),
                    (64, &place(own.ip())),
                ],
            ),
            record(84, KIND_SOCKET, &[(64, &uid.to_ne_bytes()), (68, &pid.to_ne_bytes())]),
            record(44, 0x002, &[]),
            record(44, 0x004, &[]),
            record(200, 0x008, &[]),
            record(204, 0x020, &[]),
        ]
        .concat()
    }

    fn list(connections: &[Vec<u8>]) -> Vec<u8> {
        // The count stands where records have their kind: 16 connections would be KIND_INPCB.
        let frame = record(HEADER, 16, &[]);
        [frame.clone(), connections.concat(), frame].concat()
    }

    #[test]
    fn the_one_with_these_ends_is_found() {
        let list = list(&[
            connection("127.77.1.2:5000", "127.0.0.1:50001", 501, 10),
            connection("127.0.0.1:50001", "127.77.1.2:5000", 502, 11),
            connection("127.0.0.1:50002", "127.77.1.2:5000", 503, 12),
            connection("[::1]:50001", "[::1]:5000", 504, 13),
            connection("[::ffff:127.0.0.1]:50003", "[::ffff:127.77.1.2]:5000", 505, 14),
        ]);
        for (own, far, uid) in [
            ("127.0.0.1:50001", "127.77.1.2:5000", Some(502)),
            ("127.0.0.1:50002", "127.77.1.2:5000", Some(503)),
            ("[::1]:50001", "[::1]:5000", Some(504)),
            ("127.0.0.1:50003", "127.77.1.2:5000", Some(505)),
            ("127.0.0.1:50004", "127.77.1.2:5000", None),
            ("127.0.0.1:50001", "127.77.1.2:5001", None),
        ] {
            let found = socket(&list, own.parse().unwrap(), far.parse().unwrap()).unwrap();
            assert_eq!(found.map(|row| row.uid), uid, "{own} {far}");
        }
    }

    #[test]
    fn what_is_cut_off_is_not_taken_for_an_empty_list() {
        let (own, far) = ("127.0.0.1:50001".parse().unwrap(), "127.77.1.2:5000".parse().unwrap());
        assert_eq!(socket(&list(&[]), own, far), Ok(None));
        assert_eq!(socket(&[], own, far), Err(Unreadable));
        let whole = list(&[connection("127.0.0.1:50002", "127.77.1.2:5000", 503, 12)]);
        assert_eq!(socket(&whole[..HEADER + 60], own, far), Err(Unreadable));
        assert_eq!(socket(&[record(HEADER, 0, &[]), vec![0; 64]].concat(), own, far), Err(Unreadable));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..512), lengths in any::<bool>()) {
            let mut bytes = bytes;
            if lengths && bytes.len() > HEADER + 8 {
                bytes[..4].copy_from_slice(&24_u32.to_ne_bytes());
                bytes[HEADER..HEADER + 8].copy_from_slice(&[[104, 0, 0, 0], KIND_INPCB.to_ne_bytes()].concat());
            }
            let end = "127.0.0.1:1".parse().unwrap();
            let _ = socket(&bytes, end, end);
        }
    }
}
