//! Lines, and the socket they travel over.

#[cfg(windows)]
use super::pipe_name;
use crate::Paths;
use dockline_model::{Code, UiError};
use futures::{SinkExt, StreamExt};
use interprocess::local_socket::{
    ConnectOptions, ListenerOptions, Name,
    tokio::{Listener, Stream},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io;
use tokio::io::{ReadHalf, WriteHalf};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec, LinesCodecError};

/// Longest line an owner takes from a face.
pub(super) const LONGEST_REQUEST: usize = 1 << 20;
/// Longest line a face takes from its owner: a snapshot with thousands of images in it.
pub(super) const LONGEST_ENVELOPE: usize = 64 << 20;

/// What every version's hello has in it, and every owner from now on understands: whoever cannot speak with an owner can
/// still have it make way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AnyHello {
    pub protocol: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quit: Option<AnyQuit>,
}

/// The owner is to end, and nothing else is wanted of it. It hangs up if it does, and says goodbye if it does not.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AnyQuit {
    /// Whatever it is used for.
    pub force: bool,
}

/// Why a line could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The connection.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// Over the limit.
    #[error("the line is too long")]
    TooLong,
    /// Not what was expected; the line itself is kept for whoever wants to answer it.
    #[error("the line does not read")]
    Unreadable {
        line: String,
        #[source]
        source: serde_json::Error,
    },
}

impl From<LinesCodecError> for WireError {
    fn from(error: LinesCodecError) -> Self {
        match error {
            LinesCodecError::MaxLineLengthExceeded => Self::TooLong,
            LinesCodecError::Io(error) => Self::Io(error),
        }
    }
}

/// Lines from the other end.
pub(super) struct Reader(FramedRead<ReadHalf<Stream>, LinesCodec>);

/// Lines to the other end.
pub(super) struct Writer(FramedWrite<WriteHalf<Stream>, LinesCodec>);

/// Two halves, so that a face can read while it writes: if both ends only wrote, both would wait for ever.
pub(super) fn split(stream: Stream, longest: usize) -> (Reader, Writer) {
    let (read, write) = tokio::io::split(stream);
    let reader = FramedRead::new(read, LinesCodec::new_with_max_length(longest));
    (Reader(reader), Writer(FramedWrite::new(write, LinesCodec::new())))
}

impl Reader {
    /// What the next line says; `None` at the end. May be dropped and called again without losing anything.
    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> Option<Result<T, WireError>> {
        Some(self.line().await?.and_then(read))
    }

    /// The next line; `None` at the end. May be dropped and called again without losing anything.
    pub(super) async fn line(&mut self) -> Option<Result<String, WireError>> {
        Some(self.0.next().await?.map_err(WireError::from))
    }
}

/// What a line says.
pub(super) fn read<T: DeserializeOwned>(line: String) -> Result<T, WireError> {
    serde_json::from_str(&line).map_err(|source| WireError::Unreadable { line, source })
}

impl Writer {
    pub(super) async fn send<T: Serialize>(&mut self, value: &T) -> Result<(), WireError> {
        let line = serde_json::to_string(value).map_err(io::Error::from)?;
        Ok(self.0.send(line).await?)
    }
}

/// Dials the owner.
pub(super) async fn connect(paths: &Paths) -> io::Result<Stream> {
    ConnectOptions::new().name(name(paths)?).connect_tokio().await
}

/// Listens for faces, in the place of a socket that a killed owner left behind. The caller holds the lock.
pub(super) fn listen(paths: &Paths) -> Result<Listener, UiError> {
    bind(paths).map_err(|error| {
        UiError::new(
            Code::FileIo,
            format!("The control socket {} cannot be made: {error}.", paths.control_socket().display()),
        )
        .hint("Check that the folder is yours; DOCKLINE_HOME names another one.")
    })
}

#[cfg(unix)]
fn bind(paths: &Paths) -> io::Result<Listener> {
    let socket = paths.control_socket();
    match std::fs::remove_file(&socket) {
        Ok(()) => tracing::info!("replaced the control socket of an owner that was killed"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let options = ListenerOptions::new().name(name(paths)?);
    #[cfg(target_os = "linux")]
    let options = {
        use interprocess::os::unix::local_socket::ListenerOptionsExt;
        options.mode(0o600)
    };
    options.create_tokio()
}

#[cfg(windows)]
fn bind(paths: &Paths) -> io::Result<Listener> {
    use interprocess::os::windows::{
        local_socket::ListenerOptionsExt as _, security_descriptor::SecurityDescriptor,
    };
    let name = pipe_name::fresh();
    // The default access list lets everybody read, and so take the places of faces.
    let access = SecurityDescriptor::deserialize(widestring::u16cstr!("D:P(A;;GA;;;OW)"))?;
    let listener =
        ListenerOptions::new().name(pipe(name.clone())?).security_descriptor(access).create_tokio()?;
    crate::files::replace(&pipe_name::record(&paths.control_socket()), name.as_bytes())?;
    Ok(listener)
}

/// Before a new owner shows that it lives. What a former one left counts for nobody: [`bind`] replaces its socket.
#[cfg(unix)]
pub(super) const fn forget_former(_: &Paths) {}

/// Before a new owner shows that it lives: the name of a former one's pipe may be somebody else's by now.
#[cfg(windows)]
pub(super) fn forget_former(paths: &Paths) {
    if let Err(error) = std::fs::remove_file(pipe_name::record(&paths.control_socket()))
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "the name of a former owner's pipe stays");
    }
}

#[cfg(unix)]
fn name(paths: &Paths) -> io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericFilePath, ToFsName};
    paths.control_socket().to_fs_name::<GenericFilePath>()
}

#[cfg(windows)]
fn name(paths: &Paths) -> io::Result<Name<'static>> {
    // Nobody lives who would have the name that is written down, and somebody else may have taken it.
    if !super::Owner::exists(paths).map_err(io::Error::other)? {
        return Err(io::ErrorKind::NotFound.into());
    }
    pipe(pipe_name::read(&pipe_name::record(&paths.control_socket()))?)
}

#[cfg(windows)]
fn pipe(name: String) -> io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericNamespaced, ToNsName};
    name.to_ns_name::<GenericNamespaced>()
}

/// Whether the other end runs as the same account. The folder's mode says so too; this holds where the folder
/// was opened by hand.
#[cfg(unix)]
pub(super) fn is_same_account(stream: &Stream) -> bool {
    use interprocess::local_socket::tokio::prelude::*;
    let own = rustix::process::geteuid().as_raw();
    stream.peer_creds().is_ok_and(|peer| peer.euid() == Some(own))
}

/// The pipe's access list has seen to it: it names its owner alone (“Security Descriptor String Format”, “Owner Rights”).
#[cfg(windows)]
pub(super) fn is_same_account(_: &Stream) -> bool {
    true
}
