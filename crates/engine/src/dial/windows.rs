//! Named pipes.

use super::Duplex;
use std::{io, path::Path, time::Duration};
use tokio::{net::windows::named_pipe::ClientOptions, time::sleep};

/// `ERROR_PIPE_BUSY`: every instance of the pipe is taken at this moment (CreateFileW, “Remarks: Pipes”).
const PIPE_BUSY: i32 = 231;
/// How long to stay busy before giving up; each attempt is 50 ms, as tokio's documentation has it.
const ATTEMPTS: u32 = 100;

pub(super) async fn named_pipe(path: &Path) -> io::Result<Box<dyn Duplex>> {
    let mut attempts = 0;
    loop {
        match ClientOptions::new().open(path) {
            Ok(pipe) => return Ok(Box::new(pipe)),
            // Windows offers no event for this to asynchronous callers, so it has to be asked again.
            Err(error) if error.raw_os_error() == Some(PIPE_BUSY) && attempts < ATTEMPTS => {
                attempts += 1;
                sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

pub(super) async fn unix_socket(_path: &Path) -> io::Result<Box<dyn Duplex>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Docker for Windows has no Unix socket"))
}
