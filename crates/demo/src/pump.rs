//! Carries the bytes of one forward between a channel and the registry, with half-close both ways.

use bytes::BytesMut;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, server::Msg};
use std::io;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};
use tokio_util::sync::CancellationToken;

const PIECE: usize = 128 << 10;

/// Runs until both directions have ended, or one of them failed, or the session has `ended`.
pub(crate) async fn pump(mut stream: TcpStream, channel: Channel<Msg>, ended: &CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "demo host: nodelay");
    }
    let (mut from_client, to_client) = channel.split();
    // Set when the client has sent its end-of-file.
    let got_all = CancellationToken::new();
    let is_whole = {
        let (mut from_registry, mut to_registry) = stream.split();
        let inward = inward(&mut from_client, &mut to_registry, &got_all);
        let outward = outward(&mut from_registry, &to_client);
        tokio::pin!(inward, outward);
        let mut sent_all = false;
        loop {
            tokio::select! {
                () = &mut inward => break sent_all && got_all.is_cancelled(),
                sent = &mut outward, if !sent_all => match sent {
                    Ok(()) => sent_all = true,
                    Err(_) => break false,
                },
                () = got_all.cancelled(), if sent_all => break true,
                // A writer that waits for the window is not told when the session is gone.
                () = ended.cancelled() => break false,
            }
        }
    };
    if !is_whole {
        // A reset, so that the registry does not take half a blob for a whole one.
        let _ = stream.set_zero_linger();
    }
    let _ = to_client.close().await;
}

/// From the client to the registry. Goes on after the end-of-file, since the close that may follow says that
/// the client does not want the rest either.
async fn inward(
    from_client: &mut ChannelReadHalf,
    to_registry: &mut WriteHalf<'_>,
    got_all: &CancellationToken,
) {
    while let Some(message) = from_client.wait().await {
        if let ChannelMsg::Data { data } = message {
            if to_registry.write_all(&data).await.is_err() {
                return;
            }
        } else if matches!(message, ChannelMsg::Eof) {
            if to_registry.shutdown().await.is_err() {
                return;
            }
            got_all.cancel();
        } else if matches!(message, ChannelMsg::Close) {
            return;
        }
    }
}

/// From the registry to the client.
async fn outward(from_registry: &mut ReadHalf<'_>, to_client: &ChannelWriteHalf<Msg>) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(PIECE);
    loop {
        buffer.reserve(PIECE / 4);
        if from_registry.read_buf(&mut buffer).await? == 0 {
            return to_client.eof().await.map_err(io::Error::other);
        }
        to_client.data_bytes(buffer.split().freeze()).await.map_err(io::Error::other)?;
    }
}
