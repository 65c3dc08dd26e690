//! Windows: `TCP_MAXRT`, the seconds for which something is sent again and again.

use std::{io, os::windows::io::AsRawSocket as _, time::Duration};
use tokio::net::TcpStream;
use windows_sys::Win32::Networking::WinSock::{IPPROTO_TCP, SOCKET, TCP_MAXRT, setsockopt};

pub(super) fn give_up_after(stream: &TcpStream, unacknowledged: Duration) -> io::Result<()> {
    let seconds = i32::try_from(unacknowledged.as_secs()).unwrap_or(i32::MAX);
    #[expect(unsafe_code, reason = "no safe wrapper knows this option")]
    // SAFETY: the socket is open, and the option is an int whose size is given.
    let result = unsafe {
        setsockopt(
            stream.as_raw_socket() as SOCKET,
            IPPROTO_TCP,
            TCP_MAXRT,
            (&raw const seconds).cast(),
            size_of::<i32>() as i32,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
