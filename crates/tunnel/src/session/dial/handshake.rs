//! From a connection to the server's proof of identity, and what can go wrong on the way there.

use crate::{
    error::TunnelError,
    host_options::HostOptions,
    session::{Client, tuning::client_config},
};
use russh::{
    cipher,
    client::{self, Handle},
};
use std::{sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};

/// Speaks SSH until the server has proved who it is.
pub(super) async fn handshake<S>(
    stream: S,
    options: &HostOptions,
    (client, ciphers): (Client, &'static [cipher::Name]),
    limit: Duration,
) -> Result<Handle<Client>, TunnelError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = Arc::new(client_config(
        client.verifier.algorithms(),
        options.rekey_bytes,
        options.keepalive,
        ciphers,
    ));
    let connecting = client::connect_stream(config, stream, client);
    match tokio::time::timeout(limit, connecting).await {
        Ok(outcome) => outcome.map_err(|error| with_host(error, options)),
        Err(_) => Err(TunnelError::HandshakeTimedOut {
            host: options.host_name.clone(),
            port: options.port,
            seconds: limit.as_secs(),
        }),
    }
}

/// Says in which of the ways that matter to a person the library failed.
pub(super) fn with_host(error: TunnelError, options: &HostOptions) -> TunnelError {
    let TunnelError::Ssh(source) = error else { return error };
    let host = options.host_name.clone();
    let is_closed = matches!(
        *source,
        russh::Error::Disconnect
            | russh::Error::HUP
            | russh::Error::IO(_)
            | russh::Error::SendError
            | russh::Error::RecvError
            | russh::Error::KeepaliveTimeout
            | russh::Error::InactivityTimeout
            | russh::Error::ConnectionTimeout
    );
    if is_closed {
        TunnelError::HandshakeClosed { host, source }
    } else if matches!(*source, russh::Error::Version) {
        TunnelError::NotSsh { host, port: options.port }
    } else if is_damage(&source) {
        TunnelError::HandshakeDamaged { host, source }
    } else {
        TunnelError::Handshake { host, source }
    }
}

/// Whether the library stumbled over bytes that no server would have sent. Another try may well succeed, other than
/// after a disagreement about algorithms.
const fn is_damage(error: &russh::Error) -> bool {
    matches!(
        error,
        russh::Error::PacketAuth
            | russh::Error::PacketSize(_)
            | russh::Error::DecryptionError
            | russh::Error::IndexOutOfBounds
            | russh::Error::Inconsistent
            | russh::Error::KexInit
            | russh::Error::Kex
            | russh::Error::Pending
            | russh::Error::Utf8(_)
            | russh::Error::SshEncoding(_)
            | russh::Error::SshKey(_)
            | russh::Error::Signature(_)
            | russh::Error::WrongServerSig
            | russh::Error::StrictKeyExchangeViolation { .. }
    )
}
