//! Registries with a mind of their own about requests: not too long, not too short, and other answers than the usual.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use dockline_model::Compression;
use dockline_registry::{Client, ClientConfig, Digest, Packing, Sending};
use sha2::Digest as _;
use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};
use support::line::{layer, save};
use tokio::{net::TcpListener, task::JoinSet};

const MIB: usize = 1 << 20;

/// What it takes.
#[derive(Clone, Copy)]
struct Taste {
    /// Bytes of a request at most, and what it says to longer ones.
    most: usize,
    refusal: StatusCode,
    /// Bytes of every request but the last, and whether it says so.
    least: usize,
    stored: StatusCode,
}

const ANY: Taste =
    Taste { most: usize::MAX, refusal: StatusCode::PAYLOAD_TOO_LARGE, least: 0, stored: StatusCode::CREATED };

#[derive(Clone)]
struct Picky(Taste, Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    uploads: Vec<Vec<u8>>,
    /// Bytes of each request that was taken.
    taken: Vec<usize>,
    refused: usize,
    completed: Vec<Digest>,
    tagged: Option<String>,
}

impl Picky {
    async fn serve(taste: Taste, is_elsewhere: bool) -> (Client, Self, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let picky = Self(taste, Arc::default());
        let router = Router::new().fallback(answer).with_state(picky.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let url = is_elsewhere.then(|| format!("http://{address}").parse().unwrap());
        let config = ClientConfig { url, ..ClientConfig::new(address, "cr.boss.org:5000") };
        (Client::new(config).unwrap(), picky, tasks)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.1.lock().unwrap()
    }
}

async fn answer(State(picky): State<Picky>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let (path, taste) = (parts.uri.path().to_owned(), picky.0);
    let mut seen = picky.seen();
    let number = path.rsplit_once("/uploads/").and_then(|(_, number)| number.parse::<usize>().ok());
    if let Some(reference) = path.rsplit_once("/manifests/").map(|(_, reference)| reference) {
        return match parts.method {
            Method::PUT => {
                let sha512 = || format!("sha512:{}", hex::encode(sha2::Sha512::digest(&bytes)));
                let digest = match reference.starts_with("sha512:") {
                    true => sha512(),
                    false => Digest::of(&bytes).to_string(),
                };
                seen.tagged = Some(digest.clone());
                (taste.stored, [("docker-content-digest", digest)]).into_response()
            }
            Method::HEAD => match seen.tagged.clone() {
                Some(digest) => (StatusCode::OK, [("docker-content-digest", digest)]).into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            },
            _ => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let at = |number: usize| [(header::LOCATION, format!("/v2/app/blobs/uploads/{number}"))];
    let range = |length: usize| [(header::RANGE, format!("0-{}", length.saturating_sub(1)))];
    match (parts.method, number) {
        (Method::POST, _) => {
            seen.uploads.push(Vec::new());
            let location = at(seen.uploads.len() - 1);
            if taste.least == 0 {
                return (StatusCode::ACCEPTED, location).into_response();
            }
            let least = [("oci-chunk-min-length", taste.least.to_string())];
            (StatusCode::ACCEPTED, location, least).into_response()
        }
        (Method::GET, Some(number)) => {
            (StatusCode::NO_CONTENT, at(number), range(seen.uploads[number].len())).into_response()
        }
        (Method::PATCH | Method::PUT, Some(_)) if bytes.len() > taste.most => {
            seen.refused += 1;
            taste.refusal.into_response()
        }
        (Method::PATCH, Some(number)) => {
            seen.uploads[number].extend_from_slice(&bytes);
            seen.taken.push(bytes.len());
            (StatusCode::ACCEPTED, at(number), range(seen.uploads[number].len())).into_response()
        }
        (Method::PUT, Some(number)) => {
            if !bytes.is_empty() {
                seen.taken.push(bytes.len());
            }
            seen.uploads[number].extend_from_slice(&bytes);
            let digest = Digest::of(&seen.uploads[number]);
            let is_right = parts.uri.query().unwrap().replace("%3A", ":").contains(&digest.to_string());
            seen.completed.push(digest);
            if is_right { StatusCode::CREATED } else { StatusCode::BAD_REQUEST }.into_response()
        }
        (Method::DELETE, _) => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Pushes an image of one layer of so many bytes; those of each request for it, and how many were refused.
async fn push(taste: Taste, is_elsewhere: bool, length: usize) -> (Vec<usize>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, length)]);
    let (client, picky, _serving) = Picky::serve(taste, is_elsewhere).await;
    let sending = Sending { packing: Packing::new(Compression::Gzip, 1), ..Sending::default() };
    client.push_archive_as(&file, None, "app", "v1", &sending, |_, _, _| ()).await.unwrap();
    let seen = picky.seen();
    // The configuration and the layer; a whole that was refused begins once more.
    assert!(seen.completed.len() == 2 && seen.uploads.len() <= 3, "{} uploads", seen.uploads.len());
    (seen.taken.iter().copied().filter(|length| *length > 1000).collect(), seen.refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_without_a_tunnel_gets_no_more_than_four_mib_at_once() {
    let ghcr = Taste { most: 4 * MIB, refusal: StatusCode::RANGE_NOT_SATISFIABLE, ..ANY };
    for length in [5 * MIB, 40 * MIB] {
        let (requests, refused) = push(ghcr, true, length).await;
        assert_eq!(refused, 0, "{requests:?}");
        assert!(requests.contains(&(4 * MIB)) && requests.iter().sum::<usize>() >= length, "{requests:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_but_the_last_is_shorter_than_the_registry_wants() {
    for (least, length) in [(5_000_000, 40 * MIB), (5_000_000, 5 * MIB), (10 * MIB, 25 * MIB)] {
        for is_elsewhere in [true, false] {
            let (requests, _) = push(Taste { least, ..ANY }, is_elsewhere, length).await;
            let (_, but_last) = requests.split_last().unwrap();
            assert!(but_last.iter().all(|length| *length >= least), "{least}: {requests:?}");
        }
    }
}

/// Somebody before the registry lets no long requests through.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_too_long_become_shorter_and_the_upload_goes_on() {
    for refusal in [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::RANGE_NOT_SATISFIABLE] {
        let (requests, refused) = push(Taste { most: 2 * MIB, refusal, ..ANY }, false, 40 * MIB).await;
        assert!((1..=3).contains(&refused), "{refused} refused, {requests:?}");
        assert!(requests.iter().all(|length| *length <= 2 * MIB), "{requests:?}");
    }
    // All of a small layer goes in one request otherwise.
    let (requests, refused) = push(Taste { most: MIB, ..ANY }, false, 3 * MIB).await;
    assert!(requests.len() > 2 && refused > 0, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_stored_whichever_way_the_registry_says_so() {
    let kind = "application/vnd.oci.image.manifest.v1+json";
    for stored in [StatusCode::CREATED, StatusCode::OK, StatusCode::ACCEPTED, StatusCode::NO_CONTENT] {
        let (client, _, _serving) = Picky::serve(Taste { stored, ..ANY }, false).await;
        let digest = client.push_manifest("app", "v1", kind, b"{}".to_vec()).await.unwrap();
        assert_eq!(digest, Digest::of(b"{}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_under_another_digest_than_sha256_is_not_damaged() {
    let (client, _, _serving) = Picky::serve(ANY, false).await;
    let name = format!("sha512:{}", hex::encode(sha2::Sha512::digest(b"{}")));
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let stored = client.push_manifest("app", &name, kind, b"{}".to_vec()).await.unwrap();
    assert_eq!(stored.to_string(), name);
}
