//! Windows: the table of all connections names each one's process, and the process's token its user.

use super::{
    Found, Holder, Owner, PeerError, Program,
    tcp_table::{self, Family, Unreadable},
};
use std::{collections::HashMap, io, net::SocketAddr, ptr};
use windows_sys::Win32::{
    Foundation::{CloseHandle, ERROR_INSUFFICIENT_BUFFER, HANDLE, NO_ERROR},
    NetworkManagement::IpHelper::{GetExtendedTcpTable, TCP_TABLE_OWNER_PID_ALL},
    Networking::WinSock::{AF_INET, AF_INET6},
    Security::{GetLengthSid, GetTokenInformation, TOKEN_QUERY, TOKEN_USER, TokenUser},
    System::Threading::{
        GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
        QueryFullProcessImageNameW,
    },
};

const TABLE: &str = "GetExtendedTcpTable";
const TOKEN: &str = "a process's token";
/// The kernel's own process.
const SYSTEM_PROCESS: u32 = 4;
/// S-1-5-18, LocalSystem, as a SID's bytes.
const LOCAL_SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
/// Connections come and go between asking for the size and for the table.
const TRIES: usize = 4;

/// Looks for the socket at the other end of our `local`.
///
/// # Errors
/// When the tables, or who we are, cannot be had.
pub(super) fn find(local: SocketAddr, peer: SocketAddr) -> Result<Found, PeerError> {
    // A socket of the IPv6 kind may be connected to an IPv4 address; it is listed in the other table.
    for family in [Family::V4, Family::V6] {
        match tcp_table::holder(&table(family)?, family, peer, local).map_err(unreadable)? {
            None => {}
            Some(0) => return Ok(Found::Orphan),
            Some(pid) => return Ok(Found::Socket { owner: owner(pid)?, holder: Some(Holder(pid.into())) }),
        }
    }
    Ok(Found::Absent)
}

/// The file names of the processes' programs.
pub(super) fn program_names(holders: &[Holder]) -> HashMap<Holder, Program> {
    let program = |holder: &Holder| {
        let is_this_one = holder.0 == u64::from(std::process::id());
        Some((*holder, Program { name: program_name(holder.0.try_into().ok()?)?, is_this_one }))
    };
    holders.iter().filter_map(program).collect()
}

pub(super) fn listener_owner(address: SocketAddr) -> Option<String> {
    let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
    program_name(tcp_table::listener(&table(family).ok()?, family, address).ok()??)
}

const fn unreadable(_: Unreadable) -> PeerError {
    PeerError::Answer { asking: TABLE }
}

/// Whose a process is. One that may not be asked is another user's, or better protected than ours.
fn owner(pid: u32) -> Result<Owner, PeerError> {
    if pid == SYSTEM_PROCESS {
        return Ok(Owner::System);
    }
    let ours = user(&Process::current()).map_err(|source| PeerError::Ask { asking: TOKEN, source })?;
    Ok(match Process::open(pid).and_then(|process| user(&process)) {
        Ok(user) if user == ours => Owner::Ours,
        Ok(user) if user == LOCAL_SYSTEM => Owner::System,
        Ok(_) => {
            tracing::warn!("another user tried to use a tunnel");
            Owner::Another
        }
        Err(error) => {
            tracing::warn!(%error, "a program that cannot be asked for its user tried to use a tunnel");
            Owner::Another
        }
    })
}

/// An open handle, closed with its owner.
struct Handle(HANDLE);

/// A process that may be asked about itself.
struct Process(Handle);

impl Drop for Handle {
    #[expect(unsafe_code, reason = "closing a handle")]
    fn drop(&mut self) {
        // SAFETY: the handle came from the system and is closed here only. The one of the current process is a
        // constant, whose closing does nothing (GetCurrentProcess).
        unsafe { CloseHandle(self.0) };
    }
}

impl Process {
    #[expect(unsafe_code, reason = "the system's call")]
    fn current() -> Self {
        // SAFETY: always succeeds.
        Self(Handle(unsafe { GetCurrentProcess() }))
    }

    #[expect(unsafe_code, reason = "the system's call")]
    fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: no pointers; what comes back is checked.
        let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(Handle(handle))) }
    }
}

/// The bytes of the SID of a process's user.
#[expect(unsafe_code, reason = "the system's calls")]
fn user(process: &Process) -> io::Result<Vec<u8>> {
    let mut token = ptr::null_mut();
    // SAFETY: the process's handle is open, and the place for the token's outlives the call.
    if unsafe { OpenProcessToken(process.0.0, TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let token = Handle(token);
    let mut size = 0;
    // SAFETY: the token's handle is open; with no buffer the call only writes the size.
    unsafe { GetTokenInformation(token.0, TokenUser, ptr::null_mut(), 0, &mut size) };
    // Words, since a TOKEN_USER begins with a pointer and has its alignment.
    let mut buffer = vec![0_u64; (size as usize).div_ceil(8).max(1)];
    let space = (buffer.len() * 8) as u32;
    // SAFETY: the buffer is `space` bytes long and outlives the call.
    if unsafe { GetTokenInformation(token.0, TokenUser, buffer.as_mut_ptr().cast(), space, &mut size) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so that the buffer, aligned for it, holds a TOKEN_USER whose SID is in the buffer,
    // too; that is alive until the end of this function, and the SID's bytes are copied before.
    let sid = unsafe {
        let sid = (*buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid;
        std::slice::from_raw_parts(sid.cast::<u8>(), GetLengthSid(sid) as usize).to_vec()
    };
    Ok(sid)
}

#[expect(unsafe_code, reason = "the system's call")]
fn table(family: Family) -> Result<Vec<u8>, PeerError> {
    let family = match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    };
    let mut size = 0;
    let mut table = Vec::<u8>::new();
    for _ in 0..=TRIES {
        // SAFETY: the buffer is `size` bytes long (none, at first) and outlives the call, which writes no more than
        // that, and into `size` how much it needs.
        let result = unsafe {
            GetExtendedTcpTable(
                if table.is_empty() { ptr::null_mut() } else { table.as_mut_ptr() }.cast(),
                &mut size,
                0,
                family.into(),
                TCP_TABLE_OWNER_PID_ALL,
                0,
            )
        };
        match result {
            NO_ERROR => return Ok(table),
            // Some more than it needs now.
            ERROR_INSUFFICIENT_BUFFER => {
                size = size.saturating_add(4096);
                table = vec![0_u8; size as usize];
            }
            other => {
                let source = io::Error::from_raw_os_error(other as i32);
                return Err(PeerError::Ask { asking: TABLE, source });
            }
        }
    }
    Err(PeerError::Ask { asking: TABLE, source: io::ErrorKind::OutOfMemory.into() })
}

#[expect(unsafe_code, reason = "the system's call")]
fn program_name(pid: u32) -> Option<String> {
    let process = Process::open(pid).ok()?;
    let mut path = vec![0_u16; 1024];
    let mut length = path.len() as u32;
    // SAFETY: the process's handle is open; the buffer is as long as is said and outlives the call, which puts what
    // it wrote into `length`.
    if unsafe { QueryFullProcessImageNameW(process.0.0, 0, path.as_mut_ptr(), &mut length) } == 0 {
        return None;
    }
    let path = String::from_utf16_lossy(path.get(..length as usize)?);
    path.rsplit('\\').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn own_name() -> String {
        std::env::current_exe().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn this_process_is_ours() {
        let own = std::process::id();
        assert_eq!(owner(own).unwrap(), Owner::Ours);
        assert_eq!(
            program_names(&[Holder(own.into())])[&Holder(own.into())],
            Program { name: own_name(), is_this_one: true }
        );
        assert_eq!(owner(SYSTEM_PROCESS).unwrap(), Owner::System);
        // Process ids are multiples of four.
        assert_eq!(owner(own | 1 << 30 | 3).unwrap(), Owner::Another, "there is none such");
    }

    #[test]
    fn a_connection_is_found_by_its_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let found = find(server.local_addr().unwrap(), peer).unwrap();
        if std::env::var_os("DOCKLINE_UNDER_WINE").is_some() {
            // Wine has the sockets in another process of its own, and names none.
            assert_eq!(found, Found::Orphan);
        } else {
            let Found::Socket { owner: Owner::Ours, holder: Some(holder) } = found else {
                panic!("{found:?}")
            };
            assert_eq!(holder.0, u64::from(std::process::id()));
            assert_eq!(listener_owner(address), Some(own_name()));
        }
        let nowhere = "127.0.0.1:1".parse().unwrap();
        assert_eq!(find(nowhere, client.local_addr().unwrap()).unwrap(), Found::Absent);
    }
}
