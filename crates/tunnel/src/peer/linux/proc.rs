//! `/proc/net/tcp` names each socket's owner and inode (proc(5)); `/proc/PID/fd` tells which program has it.

use super::super::{Holder, PeerError, Program};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

/// TCP states of `include/net/tcp_states.h`, as `/proc/net/tcp` prints them.
#[cfg(test)]
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";

/// One line of `/proc/net/tcp`.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    local: SocketAddr,
    remote: SocketAddr,
    state: &'a str,
    uid: u32,
    inode: u64,
}

/// The socket whose own end is `own` and whose other end is `far`. Reads whole tables: milliseconds with thousands of
/// connections.
pub(super) fn socket(own: SocketAddr, far: SocketAddr) -> Result<Option<super::Row>, PeerError> {
    let end = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (own, far) = (end(own), end(far));
    let mut failure = None;
    // A socket of the IPv6 kind may be connected to an IPv4 address; the kernel lists it in the other table.
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match fs::read_to_string(file) {
            Ok(table) => {
                if let Some(row) = rows(&table).find(|row| row.local == own && row.remote == far) {
                    return Ok(Some(super::Row { uid: row.uid, inode: row.inode }));
                }
            }
            // There is no second table without IPv6.
            Err(source) if source.kind() == io::ErrorKind::NotFound && file.ends_with('6') => {}
            Err(source) => failure = Some(PeerError::Ask { asking: "/proc/net/tcp", source }),
        }
    }
    failure.map_or(Ok(None), Err)
}

pub(in crate::peer) fn listener_owner(address: SocketAddr) -> Option<String> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = rows(&table)
        .find(|row| {
            row.state == LISTEN
                && row.local.port() == address.port()
                && (row.local.ip() == address.ip() || row.local.ip().is_unspecified())
        })?
        .inode;
    program_names(&[Holder(inode)]).remove(&Holder(inode)).map(|program| program.name)
}

pub(in crate::peer) fn program_names(holders: &[Holder]) -> HashMap<Holder, Program> {
    let mut found = HashMap::new();
    let own = std::process::id().to_string();
    let Ok(processes) = fs::read_dir("/proc") else { return found };
    for process in processes.flatten() {
        if found.len() == holders.len() {
            break;
        }
        if !process.file_name().as_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        // Other users' processes cannot be looked into; that is no failure.
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        for file in files.flatten() {
            let Some(inode) =
                fs::read_link(file.path()).ok().and_then(|link| socket_inode(link.as_os_str().as_bytes()))
            else {
                continue;
            };
            if holders.contains(&inode)
                && let Some(name) = program_name(&process.path())
            {
                found.entry(inode).or_insert(Program {
                    name,
                    is_this_one: process.file_name().as_bytes() == own.as_bytes(),
                });
            }
        }
    }
    found
}

/// The file name of the program itself; of its first argument where its file may not be looked up (another user's).
/// `comm` is the last resort: the kernel cuts it off after 15 bytes (`TASK_COMM_LEN`).
fn program_name(process: &Path) -> Option<String> {
    let last = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    let program = || {
        let name = last(&fs::read_link(process.join("exe")).ok()?)?;
        // proc(5): what the link of a program says that was replaced while it runs, by an update mostly.
        Some(name.strip_suffix(" (deleted)").map_or(name.clone(), str::to_owned))
    };
    let argument = || {
        let line = fs::read(process.join("cmdline")).ok()?;
        let first = line.split(|byte| *byte == 0).next().filter(|first| !first.is_empty())?;
        last(Path::new(OsStr::from_bytes(first)))
    };
    let short = || Some(fs::read_to_string(process.join("comm")).ok()?.trim_end().to_owned());
    program().or_else(argument).or_else(short)
}

/// `socket:[4711]`.
fn socket_inode(link: &[u8]) -> Option<Holder> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok().map(Holder)
}

fn rows(table: &str) -> impl Iterator<Item = Row<'_>> {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, remote, state) = (address(fields.next()?)?, address(fields.next()?)?, fields.next()?);
        // tx_queue:rx_queue tr:tm->when retrnsmt, then uid, timeout, inode.
        let mut rest = fields.skip(3);
        let uid = rest.next()?.parse().ok()?;
        let inode = rest.nth(1)?.parse().ok()?;
        Some(Row { local, remote, state, uid, inode })
    })
}

/// `0100007F:1388`: the address in words as the kernel has them in memory, the port as a number.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| Some(u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    let ip = if ip.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?))
    } else {
        let octets: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
        IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)).to_canonical()
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1388 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 20\n";
        let row = rows(table).next().unwrap();
        assert_eq!(row.local.port(), 5000);
        let mapped = address("0000000000000000FFFF00000100007F:1388").unwrap();
        assert_eq!(mapped, "127.0.0.1:5000".parse().unwrap());
        assert_eq!((row.state, row.uid, row.inode), (ESTABLISHED, 1000, 4711));
    }
}
