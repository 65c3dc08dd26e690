//! The far end of a measured tunnel: takes or gives as many bytes as it is told, and its clients.
//!
//! A request is one letter and a count in eight bytes, big-endian: `U` takes that many bytes and answers with one;
//! `D` gives that many; `P` is a small request of [`SMALL_REQUEST`] bytes in all, answered with so many. A connection
//! may make any number of requests.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

const HEAD: usize = 9;
const PIECE: usize = 256 * 1024;
/// About as long as the head of `GET /v2/` from dockerd, and of the answer.
const SMALL_REQUEST: usize = 200;
const SMALL_ANSWER: usize = 300;

/// Serves until the process ends; prints `ready` when it listens.
///
/// # Errors
/// When `address` cannot be listened at.
pub fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("ready");
    for connection in listener.incoming() {
        let connection = connection?;
        thread::spawn(move || {
            // A client that goes away in the middle ends its own measurement, not the server.
            answer(connection).ok();
        });
    }
    Ok(())
}

fn answer(mut connection: TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut request = [0; HEAD];
    while connection.read_exact(&mut request).is_ok() {
        let count = u64::from_be_bytes([
            request[1], request[2], request[3], request[4], request[5], request[6], request[7], request[8],
        ]);
        match request[0] {
            b'U' => {
                take(&mut connection, count)?;
                connection.write_all(b".")?;
            }
            b'D' => give(&mut connection, count)?,
            b'P' => {
                take(&mut connection, (SMALL_REQUEST - HEAD) as u64)?;
                give(&mut connection, count)?;
            }
            other => return Err(io::Error::other(format!("no request begins with {other}"))),
        }
    }
    Ok(())
}

/// Sends `bytes` and waits until all have arrived.
///
/// # Errors
/// When the connection breaks.
pub fn upload(connection: &mut TcpStream, bytes: u64) -> io::Result<()> {
    request(connection, b'U', bytes)?;
    give(connection, bytes)?;
    connection.read_exact(&mut [0])
}

/// Has `bytes` sent here.
///
/// # Errors
/// When the connection breaks.
pub fn download(connection: &mut TcpStream, bytes: u64) -> io::Result<()> {
    request(connection, b'D', bytes)?;
    take(connection, bytes)
}

/// A small request and its answer.
///
/// # Errors
/// When the connection breaks.
pub fn round_trip(connection: &mut TcpStream) -> io::Result<()> {
    // In one write, as HTTP clients do it: of two small ones, a server's Nagle (RFC 896) would hold the second back
    // until the first is acknowledged, and the figure would be that of a timer.
    let mut request = [b'x'; SMALL_REQUEST];
    request[..HEAD].copy_from_slice(&head(b'P', SMALL_ANSWER as u64));
    connection.write_all(&request)?;
    connection.read_exact(&mut [0; SMALL_ANSWER])
}

fn request(connection: &mut TcpStream, letter: u8, count: u64) -> io::Result<()> {
    connection.write_all(&head(letter, count))
}

fn head(letter: u8, count: u64) -> [u8; HEAD] {
    let mut head = [letter; HEAD];
    head[1..].copy_from_slice(&count.to_be_bytes());
    head
}

fn give(connection: &mut TcpStream, mut count: u64) -> io::Result<()> {
    // Not all alike, so that nothing on the way could profit from compressing it.
    let piece: Vec<u8> = (0..piece_of(count)).map(|index| (index * 31 + index / 251) as u8).collect();
    while count > 0 {
        let length = piece_of(count);
        connection.write_all(&piece[..length])?;
        count -= length as u64;
    }
    Ok(())
}

fn take(connection: &mut TcpStream, mut count: u64) -> io::Result<()> {
    let mut piece = vec![0; piece_of(count)];
    while count > 0 {
        let length = piece_of(count);
        let read = connection.read(&mut piece[..length])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        count -= read as u64;
    }
    Ok(())
}

/// No more than is left: a small request must not cost a large buffer.
fn piece_of(count: u64) -> usize {
    PIECE.min(usize::try_from(count).unwrap_or(PIECE))
}
