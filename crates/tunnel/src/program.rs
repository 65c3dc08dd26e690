//! A program that runs on the host (`exec`, RFC 4254 §6.5): its input and output as one stream, and how it ended.

use crate::{error::TunnelError, session::SessionEnd};
use bytes::BytesMut;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf},
    sync::watch,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What is held of either direction until the other side takes it, in bytes.
const BUFFER: usize = 64 << 10;
/// What a program complains about is kept up to this length.
const LONGEST_COMPLAINT: usize = 4 << 10;
/// `SSH_EXTENDED_DATA_STDERR` (RFC 4254 §5.2).
const STDERR: u32 = 1;

/// How a program on the host ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramEnd {
    /// Its exit status; `None` if a signal ended it, or the session was lost first.
    pub status: Option<u32>,
    /// What it wrote to its standard error, the beginning of it.
    pub complaint: String,
}

/// A program that runs on the host. Read its output and write its input here; dropping it closes both.
pub struct Program {
    stream: DuplexStream,
    ended: watch::Receiver<Option<ProgramEnd>>,
    _stop: DropGuard,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("ended", &*self.ended.borrow()).finish_non_exhaustive()
    }
}

impl Program {
    pub(crate) fn carry(
        (reader, writer): (ChannelReadHalf, ChannelWriteHalf<Msg>),
        session: Arc<SessionEnd>,
    ) -> Self {
        let (near, far) = tokio::io::duplex(BUFFER);
        let (report, ended) = watch::channel(None);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            let mut end = ProgramEnd { status: None, complaint: String::new() };
            let (from_us, mut to_us) = tokio::io::split(far);
            let mut reader = reader;
            tokio::select! {
                () = receive(&mut reader, &mut to_us, &mut end) => {}
                never = send(from_us, &writer) => match never {},
                () = session.ended() => {}
                () = stopped.cancelled() => {}
            }
            // A reader that gets less than all of it finds that out from the status.
            let _ = to_us.shutdown().await;
            // The far side may have closed it already.
            let _ = writer.close().await;
            report.send_replace(Some(end));
        });
        Self { stream: near, ended, _stop: stop.drop_guard() }
    }

    /// Waits for its end, and tells how it was.
    pub async fn ended(&self) -> ProgramEnd {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        end.unwrap_or(ProgramEnd { status: None, complaint: String::new() })
    }

    /// Reads what it writes, up to `most` bytes, and waits for its end.
    ///
    /// # Errors
    /// When what it wrote cannot be read.
    pub async fn output(mut self, most: u64) -> io::Result<(Vec<u8>, ProgramEnd)> {
        let mut output = Vec::new();
        (&mut self.stream).take(most).read_to_end(&mut output).await?;
        Ok((output, self.ended().await))
    }
}

/// Passes on what the program writes until it has ended.
async fn receive(reader: &mut ChannelReadHalf, to_us: &mut (impl AsyncWrite + Unpin), end: &mut ProgramEnd) {
    let mut is_wanted = true;
    while let Some(message) = reader.wait().await {
        #[expect(clippy::wildcard_enum_match_arm, reason = "what else SSH knows says nothing here")]
        match message {
            // Read on when nobody wants it: the window would close, and the status never come.
            ChannelMsg::Data { data } if is_wanted => is_wanted = to_us.write_all(&data).await.is_ok(),
            ChannelMsg::ExtendedData { data, ext: STDERR } => {
                let room = LONGEST_COMPLAINT.saturating_sub(end.complaint.len());
                let known = data.get(..room).unwrap_or(&data);
                end.complaint.push_str(&String::from_utf8_lossy(known));
            }
            ChannelMsg::ExitStatus { exit_status } => end.status = Some(exit_status),
            ChannelMsg::Eof => {
                // What follows is the status alone.
                let _ = to_us.shutdown().await;
                is_wanted = false;
            }
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

/// Passes on what we write. Never ends: only the program's own end counts.
async fn send(
    mut from_us: impl AsyncRead + Unpin,
    writer: &ChannelWriteHalf<Msg>,
) -> std::convert::Infallible {
    // As it is read: from a slice, russh would make packets of 8 KiB.
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(BUFFER / 2);
        let sent = match from_us.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => writer.data_bytes(buffer.split().freeze()).await,
        };
        if sent.is_err() {
            break;
        }
    }
    // It reads no more either, where this fails.
    let _ = writer.eof().await;
    std::future::pending().await
}

/// Waits until the host says whether it runs the program.
pub(crate) async fn accepted(reader: &mut ChannelReadHalf, host: &str) -> Result<(), TunnelError> {
    while let Some(message) = reader.wait().await {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only the answer to the request is waited for")]
        match message {
            ChannelMsg::Success => return Ok(()),
            ChannelMsg::Failure | ChannelMsg::Close => break,
            _ => {}
        }
    }
    Err(TunnelError::ProgramForbidden { host: host.to_owned() })
}

impl AsyncRead for Program {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Program {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
