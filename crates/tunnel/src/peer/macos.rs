//! macOS: the kernel's list of all connections names each socket's user and the process that used it last.

use super::{Found, Holder, Owner, PeerError, Program, pcb_list};
use std::{collections::HashMap, ffi::CStr, io, net::SocketAddr, ptr};

const LIST: &CStr = c"net.inet.tcp.pcblist_n";
const ASKING: &str = "net.inet.tcp.pcblist_n";
/// Connections come and go between asking for the size and for the list.
const TRIES: usize = 4;

/// Looks for the socket at the other end of our `local`.
///
/// # Errors
/// When the list cannot be had or read.
pub(super) fn find(local: SocketAddr, peer: SocketAddr) -> Result<Found, PeerError> {
    let unreadable = |pcb_list::Unreadable| PeerError::Answer { asking: ASKING };
    let Some(row) = pcb_list::socket(&list()?, peer, local).map_err(unreadable)? else {
        return Ok(Found::Absent);
    };
    let owner = if row.uid == nix::unistd::geteuid().as_raw() {
        Owner::Ours
    } else if row.uid == 0 {
        Owner::System
    } else {
        tracing::warn!(uid = row.uid, "another user tried to use a tunnel");
        Owner::Another
    };
    Ok(Found::Socket { owner, holder: (row.pid != 0).then(|| Holder(row.pid.into())) })
}

#[expect(unsafe_code, reason = "there is no safe way to a sysctl that is not a number or a text")]
fn list() -> Result<Vec<u8>, PeerError> {
    let failed = |source| PeerError::Ask { asking: ASKING, source };
    for _ in 0..TRIES {
        let mut size = 0;
        // SAFETY: the name ends in NUL; with no buffer the call only writes the size, which outlives it (sysctl(3)).
        let asked =
            unsafe { libc::sysctlbyname(LIST.as_ptr(), ptr::null_mut(), &mut size, ptr::null_mut(), 0) };
        if asked != 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        let mut list = vec![0_u8; size];
        // SAFETY: as above; the buffer is `size` bytes long and outlives the call, which writes no more than that and
        // puts what it wrote into `size`.
        let asked = unsafe {
            libc::sysctlbyname(LIST.as_ptr(), list.as_mut_ptr().cast(), &mut size, ptr::null_mut(), 0)
        };
        if asked == 0 {
            list.truncate(size);
            return Ok(list);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ENOMEM) {
            return Err(failed(error));
        }
    }
    Err(failed(io::ErrorKind::OutOfMemory.into()))
}

/// The file names of the processes' programs.
pub(super) fn program_names(holders: &[Holder]) -> HashMap<Holder, Program> {
    let program = |holder: &Holder| {
        let is_this_one = holder.0 == u64::from(std::process::id());
        Some((*holder, Program { name: program_name(holder.0)?, is_this_one }))
    };
    holders.iter().filter_map(program).collect()
}

#[expect(unsafe_code, reason = "there is no safe way to a process's name")]
fn program_name(pid: u64) -> Option<String> {
    let mut path = vec![0_u8; libc::PROC_PIDPATHINFO_MAXSIZE as usize];
    // SAFETY: the buffer is as long as is said and outlives the call, which returns how much of it was written
    // (libproc.h).
    let length = unsafe {
        libc::proc_pidpath(pid.try_into().ok()?, path.as_mut_ptr().cast(), path.len().try_into().ok()?)
    };
    let path = str::from_utf8(path.get(..usize::try_from(length).ok()?)?).ok()?;
    path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// A listener's row has an unset other end, which this is not asked for yet: the sentence does without a name.
pub(super) fn listener_owner(_: SocketAddr) -> Option<String> {
    None
}
