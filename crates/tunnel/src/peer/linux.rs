//! Linux: `/proc/net/tcp` names each socket's owner and inode (proc(5)); `/proc/PID/fd` tells which program has it.

use super::{Inode, Peer};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
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
    inode: Inode,
}

pub(super) fn judge(local: SocketAddr, peer: SocketAddr) -> Peer {
    let ours = nix::unistd::geteuid().as_raw();
    // A socket of the IPv6 kind may be connected to an IPv4 address; the kernel lists it in the other table.
    let row = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        let row = rows(&table).find(|row| row.local == peer && row.remote == local)?;
        Some((row.uid, row.inode))
    });
    match row {
        // Closed by its program already: the kernel says “root” for lack of an owner.
        Some((_, Inode(0))) => Peer::Refused,
        // Root's engine pushes for us; root could read our memory anyway.
        Some((uid, inode)) if uid == ours || uid == 0 => Peer::Allowed { inode: Some(inode) },
        Some((uid, _)) => {
            tracing::warn!(uid, "a connection of another user was refused");
            Peer::Refused
        }
        None => Peer::Refused,
    }
}

pub(super) fn listener_owner(address: SocketAddr) -> Option<String> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = rows(&table)
        .find(|row| {
            row.state == LISTEN
                && row.local.port() == address.port()
                && (row.local.ip() == address.ip() || row.local.ip().is_unspecified())
        })?
        .inode;
    program_names(&[inode]).remove(&inode)
}

pub(super) fn program_names(inodes: &[Inode]) -> HashMap<Inode, String> {
    let mut found = HashMap::new();
    let Ok(processes) = fs::read_dir("/proc") else { return found };
    for process in processes.flatten() {
        if found.len() == inodes.len() {
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
            if inodes.contains(&inode)
                && let Some(name) = program_name(&process.path())
            {
                found.entry(inode).or_insert(name);
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
fn socket_inode(link: &[u8]) -> Option<Inode> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok().map(Inode)
}

fn rows(table: &str) -> impl Iterator<Item = Row<'_>> {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, remote, state) = (address(fields.next()?)?, address(fields.next()?)?, fields.next()?);
        // tx_queue:rx_queue tr:tm->when retrnsmt, then uid, timeout, inode.
        let mut rest = fields.skip(3);
        let uid = rest.next()?.parse().ok()?;
        let inode = Inode(rest.nth(1)?.parse().ok()?);
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
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_connection_of_ours_is_known_as_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let client = TcpStream::connect(local).unwrap();
        let peer = client.local_addr().unwrap();
        let Peer::Allowed { inode: Some(inode) } = judge(local, peer) else { panic!("refused") };
        // `dockline_tunnel-0123456789abcdef`: longer than what `comm` holds.
        let own_name = std::env::current_exe().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        assert!(own_name.len() > 15);
        assert_eq!(program_names(&[inode])[&inode], own_name);
        assert_eq!(listener_owner(local), Some(own_name));
    }

    #[test]
    fn a_connection_that_is_not_there_is_refused() {
        let nowhere = "127.0.0.1:1".parse().unwrap();
        assert_eq!(judge(nowhere, nowhere), Peer::Refused);
    }

    #[test]
    fn a_line_of_the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1388 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 20\n";
        let row = rows(table).next().unwrap();
        assert_eq!(row.local.port(), 5000);
        let mapped = address("0000000000000000FFFF00000100007F:1388").unwrap();
        assert_eq!(mapped, "127.0.0.1:5000".parse().unwrap());
        assert_eq!((row.state, row.uid, row.inode), (ESTABLISHED, 1000, Inode(4711)));
    }
}
