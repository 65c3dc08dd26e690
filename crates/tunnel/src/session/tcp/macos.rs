//! macOS: `TCP_RXT_CONNDROPTIME` of `netinet/tcp.h`, the seconds for which something is sent again and again.

use std::{ffi::c_int, io, os::fd::AsRawFd as _, time::Duration};
use tokio::net::TcpStream;

/// Not in libc.
const TCP_RXT_CONNDROPTIME: c_int = 0x80;

pub(super) fn give_up_after(stream: &TcpStream, unacknowledged: Duration) -> io::Result<()> {
    let seconds = c_int::try_from(unacknowledged.as_secs()).unwrap_or(c_int::MAX);
    #[expect(unsafe_code, reason = "no safe wrapper knows this option")]
    // SAFETY: the socket is open, and the option is an int whose size is given.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            TCP_RXT_CONNDROPTIME,
            (&raw const seconds).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
