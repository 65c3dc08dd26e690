//! All of a layer in one request: a short one with the request that completes it, and a long one as it is made, for
//! registries that take no pieces.
//!
//! The long way is that of `docker push` (distribution, `internal/client/blob_writer.go`), which every registry has to
//! take: a PATCH without a range, and without a length where nobody knows it yet, and then a PUT with the digest. A
//! lost connection costs all of it.

use super::{Broken, Untaken, Upload};
use crate::{
    Digest, Operation, RegistryError,
    client::{Client, blob::Sent},
    records::Records,
};
use bytes::Bytes;
use futures::stream;
use reqwest::{Method, StatusCode};
use std::io;
use tokio::sync::{mpsc, watch};

/// Small enough that the bar moves.
const PART: usize = 128 << 10;

impl Client {
    /// Whether layers go to this registry in one request each: no tunnel leads there, and it is known to take no pieces, or
    /// has refused them before.
    pub(in crate::client) fn wants_layers_whole(&self, records: &Records) -> bool {
        let Some(url) = &self.config.url else { return false };
        takes_no_pieces(url.host()) || records.wants_layers_whole(self.recorded_as())
    }
}

/// Registries that are known for it. Amazon's takes no piece below 5 MiB but the last, says so when all is sent, and is not
/// to be asked how far an upload is (dotnet/sdk pull request 33019, aws/containers-roadmap issue 2831); Google's "does not
/// support chunked uploads" (its documentation of Artifact Registry).
fn takes_no_pieces(host: &str) -> bool {
    let is_of =
        |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let is_amazons = (host.contains(".dkr.ecr.") || host.contains(".dkr.ecr-fips."))
        && (is_of("amazonaws.com") || is_of("amazonaws.com.cn"));
    let is_amazons_newer = host.contains(".dkr-ecr.") && is_of("on.aws");
    is_amazons || is_amazons_newer || host == "public.ecr.aws" || is_of("pkg.dev") || is_of("gcr.io")
}

impl Upload {
    /// Sends all of a blob with the request that completes it (distribution-spec, "POST then PUT"), which spares a small
    /// one a round trip; containerd sends every blob so. A lost connection costs all of it.
    pub(in crate::client) async fn send_whole(
        &mut self,
        client: &Client,
        (digest, pieces): (&Digest, &[Bytes]),
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<(), Broken> {
        let mut may_be_let_in = true;
        loop {
            let (body, sent) = body(client, pieces.to_vec());
            let request = client
                .request(Method::PUT, self.completed(digest))
                .header("content-type", "application/octet-stream")
                .header("content-length", pieces.iter().map(Bytes::len).sum::<usize>())
                .body(body);
            let answer = client.send_watched(Operation::WriteBlob, request, sent, &mut progress).await;
            let untaken = match answer {
                Ok(response) => match self.has_finished(client, response).await {
                    Ok(()) => return Ok(()),
                    Err(untaken) => untaken,
                },
                Err(error) => error.into(),
            };
            // Where bytes come before the end alone, as it once was with Artifactory, they go as `docker push` sends them.
            let is_too_large = untaken.status == Some(StatusCode::PAYLOAD_TOO_LARGE);
            if self.takes_no_pieces(&untaken) && !is_too_large {
                return Err(Broken::Pieces(untaken.error));
            }
            let error = untaken.error;
            // A token has ended: the question asks for a new one.
            if matches!(error, RegistryError::Auth { .. }) && std::mem::take(&mut may_be_let_in) {
                match self.ask(client).await {
                    Ok(Some(0)) => continue,
                    Ok(Some(_) | None) => return Err(Broken::Forgotten(error)),
                    Err(other) => return Err(Broken::Failed(other)),
                }
            }
            if matches!(error, RegistryError::Failed { status: 404 | 416, .. }) {
                return Err(Broken::Forgotten(error));
            }
            if matches!(error, RegistryError::Unreachable { .. }) {
                return Err(Broken::Failed(client.why_lost(&self.repository, error).await));
            }
            return Err(Broken::Failed(error));
        }
    }

    /// Sends whatever comes in `parts` until they end, in one request. `length`: of all of it, if that is known. How long the
    /// registry may take over it is the business of whoever has the other end of `parts`.
    pub(in crate::client) async fn stream(
        &mut self,
        client: &Client,
        length: Option<u64>,
        parts: mpsc::Receiver<Bytes>,
    ) -> Result<(), Broken> {
        let crossed = client.crossed.clone();
        let parts = stream::unfold((parts, crossed), |(mut parts, crossed)| async move {
            let part = parts.recv().await?;
            crossed.sent(part.len());
            Some((Ok::<_, io::Error>(part), (parts, crossed)))
        });
        let request = client
            .request(Method::PATCH, self.location.clone())
            .header("content-type", "application/octet-stream")
            .body(reqwest::Body::wrap_stream(parts));
        let request = match length {
            Some(length) => request.header("content-length", length),
            None => request,
        };
        let untaken = match client.start(request).await {
            Ok(response) => match self.taken(client, response).await {
                Ok(()) => return Ok(()),
                Err(untaken) => untaken,
            },
            Err(error) => client.why_lost(&self.repository, client.unreachable(error)).await.into(),
        };
        Err(match untaken {
            // Its token has ended: who begins again gets a new one.
            Untaken { error: error @ RegistryError::Auth { .. }, .. } => Broken::Forgotten(error),
            Untaken { error, .. } => Broken::Failed(error),
        })
    }
}

/// A request's body, and how much of it has been sent.
pub(super) fn body(client: &Client, pieces: Vec<Bytes>) -> (reqwest::Body, watch::Receiver<Sent>) {
    let (sender, receiver) = watch::channel(Sent::default());
    let crossed = client.crossed.clone();
    let body = stream::iter(pieces.into_iter().flat_map(parts).map(move |part| {
        crossed.sent(part.len());
        sender.send_modify(|sent| sent.bytes += part.len() as u64);
        Ok::<_, io::Error>(part)
    }));
    (reqwest::Body::wrap_stream(body), receiver)
}

/// A piece in parts.
pub(in crate::client) fn parts(piece: Bytes) -> impl Iterator<Item = Bytes> {
    let count = piece.len().div_ceil(PART);
    (0..count).map(move |n| piece.slice(n * PART..((n + 1) * PART).min(piece.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_registries_are_known_to_take_no_pieces() {
        let known = [
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
            "123456789012.dkr-ecr.eu-west-1.on.aws",
            "public.ecr.aws",
            "europe-west4-docker.pkg.dev",
            "gcr.io",
            "eu.gcr.io",
        ];
        let others = [
            "registry-1.docker.io",
            "ghcr.io",
            "nexus.boss.org",
            "notgcr.io",
            "gcr.io.boss.org",
            "x.dkr.ecr.eu-west-1.boss.org",
            "amazonaws.com",
        ];
        assert!(known.into_iter().all(takes_no_pieces));
        assert!(!others.into_iter().any(takes_no_pieces));
    }
}
