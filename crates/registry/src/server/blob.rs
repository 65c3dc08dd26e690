//! Reading and deleting blobs.

use super::{
    Shared,
    answer::{self, Refusal, put},
    storage::Kind,
};
use crate::Digest;
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use std::io::SeekFrom;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

pub(super) async fn get(
    shared: &Shared,
    repository: &str,
    digest: &Digest,
    headers: &HeaderMap,
    is_head: bool,
) -> Result<Response, Refusal> {
    let unknown = || Refusal::BlobUnknown(digest.to_string());
    shared.storage.note(repository, Kind::Blob, digest).await?.ok_or_else(unknown)?;
    let mut file = tokio::fs::File::open(shared.storage.blob_path(digest)).await?;
    let size = file.metadata().await?.len();
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, start, length) = match range.and_then(|range| parse_range(range, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((start, end))) => (StatusCode::PARTIAL_CONTENT, start, end - start + 1),
        Some(None) => return Err(Refusal::Range { size }),
    };
    let body = if is_head {
        Body::empty()
    } else {
        file.seek(SeekFrom::Start(start)).await?;
        Body::from_stream(ReaderStream::with_capacity(file.take(length), 128 << 10))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    put(&mut response, "content-type", "application/octet-stream");
    put(&mut response, "content-length", &length.to_string());
    put(&mut response, "accept-ranges", "bytes");
    put(&mut response, "docker-content-digest", &digest.to_string());
    put(&mut response, "etag", &format!("\"{digest}\""));
    if status == StatusCode::PARTIAL_CONTENT {
        put(&mut response, "content-range", &format!("bytes {start}-{}/{size}", start + length - 1));
    }
    Ok(response)
}

/// The contents stay: another repository may have the same blob, and nothing here counts them.
pub(super) async fn delete(shared: &Shared, repository: &str, digest: &Digest) -> Result<Response, Refusal> {
    if shared.storage.unlink(repository, Kind::Blob, digest).await? {
        return Ok(answer::empty(StatusCode::ACCEPTED, &[]));
    }
    Err(Refusal::BlobUnknown(digest.to_string()))
}

/// A single byte range (RFC 9110 §14.1.2). `None`: not one, to be ignored as the RFC allows; `Some(None)`:
/// outside the blob.
pub(super) fn parse_range(header: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (start, end) = header.strip_prefix("bytes=")?.split_once('-')?;
    if start.is_empty() {
        let last: u64 = end.parse().ok()?;
        return Some((last > 0 && size > 0).then(|| (size.saturating_sub(last), size - 1)));
    }
    let start: u64 = start.parse().ok()?;
    let end: u64 = if end.is_empty() { u64::MAX } else { end.parse().ok()? };
    Some((start < size && start <= end).then(|| (start, end.min(size - 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_has_them() {
        assert_eq!(parse_range("bytes=0-4", 10), Some(Some((0, 4))));
        assert_eq!(parse_range("bytes=5-", 10), Some(Some((5, 9))));
        assert_eq!(parse_range("bytes=-3", 10), Some(Some((7, 9))));
        assert_eq!(parse_range("bytes=5-99", 10), Some(Some((5, 9))));
        assert_eq!(parse_range("bytes=10-", 10), Some(None));
        assert_eq!(parse_range("bytes=-0", 10), Some(None));
        assert_eq!(parse_range("bytes=0-1,4-5", 10), None);
        assert_eq!(parse_range("lines=1-2", 10), None);
    }
}
