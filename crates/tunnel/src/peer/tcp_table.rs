//! Windows' tables of all TCP connections with the processes that have them, as `GetExtendedTcpTable` gives them for
//! `TCP_TABLE_OWNER_PID_ALL` (`MIB_TCPTABLE_OWNER_PID`, `MIB_TCP6TABLE_OWNER_PID` of tcpmib.h). Reading is pure, so
//! that it is tested everywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `MIB_TCP_STATE_LISTEN`.
const LISTEN: u32 = 2;

/// Which of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// The table is shorter than it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// One row: its ends, its state and its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    own: SocketAddr,
    far: SocketAddr,
    state: u32,
    pid: u32,
}

/// The process that has the connection whose own end is `own` and whose other end is `far`. 0 if none has it any more.
pub(super) fn holder(
    table: &[u8],
    family: Family,
    own: SocketAddr,
    far: SocketAddr,
) -> Result<Option<u32>, Unreadable> {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (own, far) = (canonical(own), canonical(far));
    let found = rows(table, family)?.into_iter().find(|row| row.own == own && row.far == far);
    Ok(found.map(|row| row.pid))
}

/// The process that listens at `address`, or at that port of every address.
pub(super) fn listener(table: &[u8], family: Family, address: SocketAddr) -> Result<Option<u32>, Unreadable> {
    let found = rows(table, family)?.into_iter().find(|row| {
        row.state == LISTEN
            && row.own.port() == address.port()
            && (row.own.ip() == address.ip() || row.own.ip().is_unspecified())
    });
    Ok(found.map(|row| row.pid))
}

fn rows(table: &[u8], family: Family) -> Result<Vec<Row>, Unreadable> {
    let count = word(table, 0)? as usize;
    let size = match family {
        Family::V4 => 24,
        Family::V6 => 56,
    };
    let rows = table.get(4..).and_then(|rows| rows.get(..count.checked_mul(size)?)).ok_or(Unreadable)?;
    rows.chunks_exact(size).map(|row| read(row, family)).collect()
}

fn read(row: &[u8], family: Family) -> Result<Row, Unreadable> {
    let v4 = |at| Ok(IpAddr::V4(Ipv4Addr::from(bytes::<4>(row, at)?)));
    let v6 = |at| Ok(IpAddr::V6(Ipv6Addr::from(bytes::<16>(row, at)?)).to_canonical());
    // “In network byte order”, in the lower half of the word.
    let port = |at| Ok(u16::from_be_bytes(bytes::<2>(row, at)?));
    Ok(match family {
        // State, local address and port, remote address and port, process.
        Family::V4 => Row {
            state: word(row, 0)?,
            own: SocketAddr::new(v4(4)?, port(8)?),
            far: SocketAddr::new(v4(12)?, port(16)?),
            pid: word(row, 20)?,
        },
        // Local address, scope and port, remote address, scope and port, state, process.
        Family::V6 => Row {
            own: SocketAddr::new(v6(0)?, port(20)?),
            far: SocketAddr::new(v6(24)?, port(44)?),
            state: word(row, 48)?,
            pid: word(row, 52)?,
        },
    })
}

fn bytes<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Unreadable> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Unreadable)
}

fn word(table: &[u8], at: usize) -> Result<u32, Unreadable> {
    bytes(table, at).map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str, u32, u32)]) -> Vec<u8> {
        let mut table = (rows.len() as u32).to_ne_bytes().to_vec();
        for (own, far, state, pid) in rows {
            let (own, far): (SocketAddr, SocketAddr) = (own.parse().unwrap(), far.parse().unwrap());
            let port = |end: SocketAddr| [&end.port().to_be_bytes()[..], &[0xaa, 0xbb]].concat();
            let address = |end: SocketAddr| match end.ip() {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => [&ip.octets()[..], &[0; 4]].concat(),
            };
            let ends = [address(own), port(own), address(far), port(far)].concat();
            let (state, pid) = (state.to_ne_bytes(), pid.to_ne_bytes());
            table.extend(if own.is_ipv4() {
                [&state[..], &ends, &pid].concat()
            } else {
                [&ends[..], &state, &pid].concat()
            });
        }
        table
    }

    #[test]
    fn connections_and_listeners_are_found() {
        let v4 = table(&[
            ("0.0.0.0:5000", "0.0.0.0:0", 2, 4),
            ("127.77.1.2:5000", "127.0.0.1:50001", 5, 10),
            ("127.0.0.1:50001", "127.77.1.2:5000", 5, 11),
            ("127.0.0.1:50002", "127.77.1.2:5000", 5, 12),
        ]);
        let find = |own: &str, far: &str| {
            holder(&v4, Family::V4, own.parse().unwrap(), far.parse().unwrap()).unwrap()
        };
        assert_eq!(find("127.0.0.1:50001", "127.77.1.2:5000"), Some(11));
        assert_eq!(find("127.77.1.2:5000", "127.0.0.1:50001"), Some(10));
        assert_eq!(find("127.0.0.1:50003", "127.77.1.2:5000"), None);
        assert_eq!(listener(&v4, Family::V4, "127.77.1.9:5000".parse().unwrap()), Ok(Some(4)));
        assert_eq!(listener(&v4, Family::V4, "127.77.1.9:5001".parse().unwrap()), Ok(None));

        let v6 = table(&[
            ("[::1]:50001", "[::1]:5000", 5, 13),
            ("[::ffff:127.0.0.1]:50002", "[::ffff:127.77.1.2]:5000", 5, 14),
        ]);
        let find = |own: &str, far: &str| {
            holder(&v6, Family::V6, own.parse().unwrap(), far.parse().unwrap()).unwrap()
        };
        assert_eq!(find("[::1]:50001", "[::1]:5000"), Some(13));
        assert_eq!(find("127.0.0.1:50002", "127.77.1.2:5000"), Some(14));
    }

    #[test]
    fn what_is_cut_off_is_not_taken_for_an_empty_table() {
        let end = "127.0.0.1:1".parse().unwrap();
        assert_eq!(holder(&table(&[]), Family::V4, end, end), Ok(None));
        let whole = table(&[("127.0.0.1:2", "127.0.0.1:3", 5, 1)]);
        for cut in 0..whole.len() {
            assert_eq!(holder(&whole[..cut], Family::V4, end, end), Err(Unreadable), "{cut}");
        }
        assert_eq!(holder(&u32::MAX.to_ne_bytes(), Family::V6, end, end), Err(Unreadable));
    }
}
