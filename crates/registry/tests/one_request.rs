//! Registries without a tunnel that take no layer in pieces: they get it in one request, as `docker push` sends it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::explicit_write,
    reason = "a test fails by panicking"
)]

mod support;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use dockline_model::{Compression, LayerState, LayerView, UiError};
use dockline_registry::{
    Client, ClientConfig, Digest, EngineImage, Packing, Records, RegistryError, Scope, Sending,
};
use futures::StreamExt as _;
use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{
    Registry,
    line::{Line, layer, save},
    tar_of,
};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

const MIB: usize = 1 << 20;

/// How it shows that it takes no pieces.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Not even a first one, which says that it is one.
    First(StatusCode),
    /// After some, which it has taken.
    After(usize, StatusCode),
    /// When all is there: it has put together something else (ECR, where pieces are shorter than 5 MiB).
    End(StatusCode),
    /// It takes no layer whatever, and says so to every request that has bytes of one.
    Never(StatusCode),
    /// It wants no bytes with the request that completes a layer.
    NotWithTheEnd(StatusCode),
    /// It finds whole layers too long, and takes one piece of each.
    NeitherWay,
    /// It takes pieces, and loses an upload that has begun, once.
    ForgetsOnce,
    /// Whoever is logged in may send another request of a body once more.
    LogsOutOnce,
}

#[derive(Clone)]
struct Stubborn(Manner, Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// By number: what has been sent of it, and in how many requests.
    uploads: Vec<(Vec<u8>, usize)>,
    blobs: HashMap<String, usize>,
    manifests: HashMap<String, Vec<u8>>,
    /// Requests with bytes of layers that were refused.
    refused: usize,
    /// Whether those that were taken as a whole had a length.
    with_length: Vec<bool>,
    abandoned: usize,
    logged_out: bool,
}

impl Stubborn {
    async fn serve(manner: Manner) -> (Self, JoinSet<()>, std::net::SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stubborn = Self(manner, Arc::default());
        let router = Router::new().fallback(answer).with_state(stubborn.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (stubborn, tasks, address)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.1.lock().unwrap()
    }

    /// Requests with bytes of layers that were refused, and those of whole layers.
    fn figures(&self) -> (usize, usize) {
        let seen = self.seen();
        (seen.refused, seen.with_length.len())
    }

    /// What a request with bytes of a layer gets, if they are not taken.
    /// `taken`: how many before it were. `refused`: how many were not, of any.
    fn refusal(
        &self,
        headers: &HeaderMap,
        (taken, refused): (usize, usize),
        is_end: bool,
    ) -> Option<StatusCode> {
        let is_piece = headers.contains_key(header::CONTENT_RANGE);
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        // A configuration is that short.
        if length.is_some_and(|length: u64| length < 1000) {
            return None;
        }
        match self.0 {
            Manner::First(status) if is_piece => Some(status),
            Manner::After(count, status) if is_piece && taken >= count => Some(status),
            Manner::Never(status) => Some(status),
            Manner::NotWithTheEnd(status) if is_end => Some(status),
            Manner::NeitherWay if is_end => Some(StatusCode::PAYLOAD_TOO_LARGE),
            Manner::NeitherWay if taken > 0 => Some(StatusCode::BAD_REQUEST),
            Manner::ForgetsOnce if taken > 0 && refused == 0 => Some(StatusCode::NOT_FOUND),
            _ => None,
        }
    }
}

/// What came of a body, and whether that is all of it.
async fn received(body: axum::body::Body) -> (Vec<u8>, bool) {
    let (mut stream, mut bytes) = (body.into_data_stream(), Vec::new());
    while let Some(part) = stream.next().await {
        match part {
            Ok(part) => bytes.extend_from_slice(&part),
            Err(_) => return (bytes, false),
        }
    }
    (bytes, true)
}

fn to(address: std::net::SocketAddr) -> Client {
    let url = Some(format!("http://{address}").parse().unwrap());
    Client::new(ClientConfig { url, ..ClientConfig::new(address, "nexus.boss.org") }).unwrap()
}

async fn answer(State(stubborn): State<Stubborn>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let number = path.rsplit_once("/uploads/").and_then(|(_, number)| number.parse::<usize>().ok());
    let taken = number.map_or(0, |number| stubborn.seen().uploads[number].1);
    let is_long = |bytes: &[u8]| bytes.len() > 1000;
    // Whoever answers before the end and hangs up may not be heard.
    let (bytes, is_all) = received(body).await;
    let mut seen = stubborn.seen();
    if parts.method == Method::PATCH
        && let Some(status) = stubborn.refusal(&parts.headers, (taken, seen.refused), false)
    {
        seen.refused += 1;
        return (status, r#"{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"no pieces"}]}"#)
            .into_response();
    }
    if let (Some(number), false) = (number, is_all) {
        seen.uploads[number].0.extend_from_slice(&bytes);
        return StatusCode::BAD_REQUEST.into_response();
    }
    if let Some(reference) = path.rsplit_once("/manifests/").map(|(_, reference)| reference) {
        let digest = |bytes: &[u8]| [("docker-content-digest", Digest::of(bytes).to_string())];
        return match parts.method {
            Method::PUT => {
                seen.manifests.insert(reference.to_owned(), bytes.to_vec());
                (StatusCode::CREATED, digest(&bytes)).into_response()
            }
            _ => match seen.manifests.get(reference) {
                Some(bytes) => (StatusCode::OK, digest(bytes)).into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            },
        };
    }
    let at = |number: usize| [(header::LOCATION, format!("/v2/app/blobs/uploads/{number}"))];
    match (parts.method, number) {
        (Method::HEAD, None) => {
            let digest = path.rsplit_once('/').unwrap().1;
            if seen.blobs.contains_key(digest) { StatusCode::OK } else { StatusCode::NOT_FOUND }
                .into_response()
        }
        (Method::POST, _) => {
            seen.uploads.push((Vec::new(), 0));
            (StatusCode::ACCEPTED, at(seen.uploads.len() - 1)).into_response()
        }
        (Method::PATCH, Some(number)) => {
            if is_long(&bytes) && matches!(stubborn.0, Manner::LogsOutOnce) && !seen.logged_out {
                seen.logged_out = true;
                return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"x\"")])
                    .into_response();
            }
            if is_long(&bytes) && !parts.headers.contains_key(header::CONTENT_RANGE) {
                seen.with_length.push(parts.headers.contains_key(header::CONTENT_LENGTH));
            }
            let upload = &mut seen.uploads[number];
            upload.0.extend_from_slice(&bytes);
            upload.1 += 1;
            // ECR's own: 201, and the range of the first piece for ever.
            (StatusCode::CREATED, at(number), [(header::RANGE, "0-1023")]).into_response()
        }
        (Method::PUT, Some(number)) => {
            if !bytes.is_empty()
                && let Some(status) = stubborn.refusal(&parts.headers, (taken, seen.refused), true)
            {
                seen.refused += 1;
                return status.into_response();
            }
            let upload = &mut seen.uploads[number];
            upload.0.extend_from_slice(&bytes);
            let (bytes, requests) = (upload.0.clone(), upload.1);
            if let (Manner::End(status), 2..) = (stubborn.0, requests) {
                seen.refused += 1;
                return status.into_response();
            }
            let digest = Digest::of(&bytes).to_string();
            let is_right = parts.uri.query().unwrap().replace("%3A", ":").contains(&digest);
            seen.blobs.insert(digest, bytes.len());
            if is_right { StatusCode::CREATED } else { StatusCode::BAD_REQUEST }.into_response()
        }
        // What broke off is there, for whoever asks; where pieces are put together wrongly, nobody is told.
        (Method::GET, Some(number)) if matches!(stubborn.0, Manner::First(_)) => {
            let range = format!("0-{}", seen.uploads[number].0.len().saturating_sub(1));
            (StatusCode::NO_CONTENT, at(number), [(header::RANGE, range)]).into_response()
        }
        (Method::DELETE, Some(_)) => {
            seen.abandoned += 1;
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn sending(records: &Arc<Records>, compression: Compression) -> Sending {
    // One after another, so that what the first has met counts for the next.
    Sending {
        packing: Packing::new(compression, 1),
        records: records.clone(),
        at_once: 1,
        ..Sending::default()
    }
}

async fn push(client: &Client, file: &Path, tag: &str, sending: &Sending) -> Result<Digest, RegistryError> {
    let (client, file, tag, sending) = (client.clone(), file.to_owned(), tag.to_owned(), sending.clone());
    // As a task: whoever runs a push elsewhere has to be able to.
    let push = async move {
        let mut last = 0;
        let report = |layers: &[LayerView], current, total| {
            assert!(current >= last && current <= total, "{last}, {current} of {total}");
            last = current;
            assert!(layers.iter().all(|layer| layer.current <= layer.total.unwrap()));
        };
        client.push_archive_as(&file, None, "app", &tag, &sending, report).await
    };
    tokio::spawn(push).await.unwrap()
}

/// Two layers of which one is longer than all that is gathered before anything is sent.
fn archive(file: &Path, seed: u64) -> Vec<Vec<u8>> {
    let layers = vec![layer(seed, 30 * MIB), layer(seed + 1, 9 * MIB)];
    save(file, "app:v1", &layers);
    layers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_whose_pieces_are_refused_goes_in_one_request_and_so_do_those_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    let of = |status: u16| StatusCode::from_u16(status).unwrap();
    let first = [400, 404, 405, 411, 501].map(|status| Manner::First(of(status)));
    let after = [(1, 400), (1, 404), (1, 416), (1, 422), (3, 400), (3, 405)];
    let after = after.map(|(count, status)| Manner::After(count, of(status)));
    let end = [400, 404, 416].map(|status| Manner::End(of(status)));
    for manner in first.into_iter().chain(after).chain(end) {
        let kept = folder.path().join(format!("{manner:?}").replace(['(', ')', ' ', ','], "-"));
        let (stubborn, _serving, address) = Stubborn::serve(manner).await;
        let records = Arc::new(Records::in_folder(&kept));
        archive(&file, 1);
        push(&to(address), &file, "v1", &sending(&records, Compression::Gzip)).await.unwrap();
        // What knows no upload after its first piece may have lost it, and is asked once more.
        let is_ambiguous =
            matches!(manner, Manner::After(_, StatusCode::NOT_FOUND) | Manner::End(StatusCode::NOT_FOUND));
        let refused = 1 + usize::from(is_ambiguous);
        {
            let seen = stubborn.seen();
            assert_eq!(seen.refused, refused, "{manner:?}");
            assert_eq!(seen.with_length, [false, false], "{manner:?}");
            assert_eq!(seen.blobs.len(), 3, "{manner:?}");
        }
        let notes = std::fs::read_dir(kept.join("uploads")).into_iter().flatten().count();
        assert_eq!(notes, 0, "{manner:?}: an upload that is not gone on with is noted");

        // The next push knows it, in another process as well.
        archive(&file, 7);
        let records = Arc::new(Records::in_folder(&kept));
        push(&to(address), &file, "v2", &sending(&records, Compression::Gzip)).await.unwrap();
        assert_eq!(stubborn.figures(), (refused, 4), "{manner:?}");
    }
}

/// It is what everybody before the registry wants of a request, if there is a way to know it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_as_it_is_says_how_long_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    archive(&file, 1);
    let (stubborn, _serving, address) = Stubborn::serve(Manner::First(StatusCode::LENGTH_REQUIRED)).await;
    let records = Arc::new(Records::nowhere());
    push(&to(address), &file, "v1", &sending(&records, Compression::None)).await.unwrap();
    let seen = stubborn.seen();
    assert_eq!((seen.refused, &seen.with_length[..]), (1, &[true, true][..]));
}

/// Requests that are too long become shorter first; where not even the shortest is taken, length was not the reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_finds_every_piece_too_long_gets_the_layer_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    archive(&file, 1);
    for status in [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::RANGE_NOT_SATISFIABLE] {
        let (stubborn, _serving, address) = Stubborn::serve(Manner::First(status)).await;
        let records = Arc::new(Records::nowhere());
        push(&to(address), &file, "v1", &sending(&records, Compression::Gzip)).await.unwrap();
        let (refused, whole) = stubborn.figures();
        assert!((2..=5).contains(&refused) && whole == 2, "{status}: {refused} refused, {whole} whole");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_takes_no_layer_at_all_is_not_remembered_for_its_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    archive(&file, 1);
    for status in [StatusCode::BAD_REQUEST, StatusCode::METHOD_NOT_ALLOWED] {
        let (stubborn, _serving, address) = Stubborn::serve(Manner::Never(status)).await;
        let records = Arc::new(Records::nowhere());
        for _ in 0..2 {
            let error =
                push(&to(address), &file, "v1", &sending(&records, Compression::Gzip)).await.unwrap_err();
            let is_it = match error {
                RegistryError::Failed { status, .. } => status == 400,
                RegistryError::Denied { .. } => status == 405,
                _ => false,
            };
            assert!(is_it, "{error:?}");
        }
        let seen = stubborn.seen();
        // Each push tries a piece, and then the whole.
        assert_eq!((seen.refused, seen.abandoned >= 2), (4, true), "{status}");
    }
}

/// A second machine that knows nothing of an upload, or a clean-up: it says nothing of pieces.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_has_lost_one_upload_goes_on_getting_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    let (stubborn, _serving, address) = Stubborn::serve(Manner::ForgetsOnce).await;
    let records = Arc::new(Records::nowhere());
    for (seed, tag) in [(1, "v1"), (7, "v2")] {
        archive(&file, seed);
        push(&to(address), &file, tag, &sending(&records, Compression::Gzip)).await.unwrap();
        assert_eq!(stubborn.figures(), (1, 0), "{tag}");
    }
}

/// A short layer goes whole first, then in pieces: both refused is the end of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_takes_a_short_layer_neither_whole_nor_in_pieces_ends_the_push() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, MIB)]);
    for (manner, last) in [(Manner::Never(StatusCode::PAYLOAD_TOO_LARGE), 413), (Manner::NeitherWay, 400)] {
        let (stubborn, _serving, address) = Stubborn::serve(manner).await;
        let (client, records) = (to(address), Arc::new(Records::nowhere()));
        let how = sending(&records, Compression::Gzip);
        let mut refused = Vec::new();
        for _ in 0..2 {
            let pushed = timeout(Duration::from_secs(60), push(&client, &file, "v1", &how)).await;
            let error = pushed.unwrap_or_else(|_| panic!("{manner:?}: no end")).unwrap_err();
            let is_it = matches!(error, RegistryError::Failed { status, .. } if status == last);
            assert!(is_it, "{manner:?}: {error:?}");
            refused.push(std::mem::take(&mut stubborn.seen().refused));
        }
        // The second push tries both ways again: that pieces were refused was not noted.
        assert_eq!(refused[0], refused[1], "{manner:?}");
    }
}

/// Whatever it was noted for has passed, or was never the reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_noted_for_its_pieces_that_refuses_a_whole_layer_gets_pieces_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    for (status, length) in [(StatusCode::BAD_REQUEST, 30 * MIB), (StatusCode::PAYLOAD_TOO_LARGE, MIB)] {
        let (stubborn, _serving, address) = Stubborn::serve(Manner::Never(status)).await;
        archive(&file, 1);
        let records = remembering(address, &file).await;
        save(&file, "app:v1", &[layer(1, length)]);
        let mut refused = Vec::new();
        for _ in 0..2 {
            push(&to(address), &file, "v1", &sending(&records, Compression::Gzip)).await.unwrap_err();
            refused.push(std::mem::take(&mut stubborn.seen().refused));
        }
        // At first only the way that was noted, and then both.
        assert_eq!(refused[1], 2 * refused[0], "{status}");
    }
}

/// A tunnel leads to somebody's own registry, where an upload is worth going on with: its answers mean what they say.
#[tokio::test(flavor = "multi_thread")]
async fn through_a_tunnel_a_refused_piece_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    archive(&file, 1);
    let (stubborn, _serving, address) = Stubborn::serve(Manner::First(StatusCode::BAD_REQUEST)).await;
    let client = Client::new(ClientConfig::new(address, "cr.boss.org:5000")).unwrap();
    let records = Arc::new(Records::nowhere());
    let error = push(&client, &file, "v1", &sending(&records, Compression::Gzip)).await.unwrap_err();
    assert!(matches!(error, RegistryError::Failed { status: 400, .. }), "{error:?}");
    assert_eq!(stubborn.seen().with_length.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_wants_no_bytes_at_the_end_gets_short_layers_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, MIB), layer(2, 2 * MIB)]);
    for status in [StatusCode::METHOD_NOT_ALLOWED, StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND] {
        let (stubborn, _serving, address) = Stubborn::serve(Manner::NotWithTheEnd(status)).await;
        let records = Arc::new(Records::nowhere());
        push(&to(address), &file, "v1", &sending(&records, Compression::Gzip)).await.unwrap();
        assert_eq!(stubborn.seen().with_length, [true, true], "{status}");
    }
}

/// A token ends while a request is on its way: that cannot be sent again from its middle, and so begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_layer_whose_login_has_ended_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, 30 * MIB)]);
    let (stubborn, _serving, address) = Stubborn::serve(Manner::LogsOutOnce).await;
    let records = remembering(address, &file).await;
    let before = stubborn.seen().with_length.len();
    push(&to(address), &file, "v1", &sending(&records, Compression::Gzip)).await.unwrap();
    let seen = stubborn.seen();
    assert!(seen.logged_out && seen.with_length.len() - before == 1);
}

/// Records of a registry of that address which has refused pieces.
async fn remembering(address: std::net::SocketAddr, file: &Path) -> Arc<Records> {
    let records = Arc::new(Records::nowhere());
    let (_stubborn, _serving, other) = Stubborn::serve(Manner::First(StatusCode::BAD_REQUEST)).await;
    assert_ne!(address, other);
    push(&to(other), file, "v1", &sending(&records, Compression::Gzip)).await.unwrap();
    records
}

/// A lost connection costs all of the layer, and nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_layer_whose_connection_is_lost_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, 30 * MIB)]);
    let (stubborn, _serving, address) = Stubborn::serve(Manner::First(StatusCode::BAD_REQUEST)).await;
    let line = Line::to(address).await;
    line.cut_at.store(20 << 20, std::sync::atomic::Ordering::SeqCst);
    let client = to(line.address());
    let records = remembering(address, &file).await;
    let mut tries = 0;
    let report = |layers: &[LayerView], _, _| {
        tries += usize::from(layers.iter().any(|l| matches!(l.state, LayerState::Retrying { .. })));
    };
    let how = sending(&records, Compression::Gzip);
    client.push_archive_as(&file, None, "app", "v1", &how, report).await.unwrap();
    assert!(tries > 0 && line.take() > 45 << 20);
    assert_eq!(stubborn.figures(), (0, 1));
}

/// An export is read once. What a registry has refused of it at the beginning is still here.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_in_one_request() {
    let layers = [layer(1, 30 * MIB), layer(2, 9 * MIB)];
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let ids: Vec<String> = diff_ids.iter().map(ToString::to_string).collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": ids },
    })
    .to_string()
    .into_bytes();
    let image = EngineImage {
        id: Digest::of(&config),
        layers: diff_ids,
        size: layers.iter().map(|l| l.len() as u64).sum(),
    };
    let name = format!("{}.json", image.id.hex());
    let files = [("1/layer.tar", layers[0].clone()), ("2/layer.tar", layers[1].clone()), (&name, config)];
    let tar = bytes::Bytes::from(tar_of(files));
    let bad = StatusCode::BAD_REQUEST;
    for (manner, goes_well) in
        [(Manner::First(bad), true), (Manner::After(1, bad), true), (Manner::After(2, bad), false)]
    {
        let (stubborn, _serving, address) = Stubborn::serve(manner).await;
        let records = Arc::new(Records::nowhere());
        let how = sending(&records, Compression::Gzip);
        for goes_well in [goes_well, true] {
            let export = futures::stream::iter([Ok::<_, io::Error>(tar.clone())]).boxed();
            let pushed = to(address).push_export(&image, export, ("app", "v1"), &how, |_, _, _| ()).await;
            assert_eq!(pushed.is_ok(), goes_well, "{manner:?}: {pushed:?}");
            if let Err(error) = &pushed {
                let hint = UiError::from(error).hint.unwrap();
                assert!(hint.starts_with("Push it again"), "{manner:?}: {hint}");
            }
        }
        assert_eq!(stubborn.seen().refused, 1, "{manner:?}");
    }
}

/// What broke off is not gone on with where the registry does not take the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_begins_again_where_the_rest_of_a_layer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, 30 * MIB)]);
    let from = Registry::built_in().await;
    from.client().push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap();
    let (stubborn, _serving, address) = Stubborn::serve(Manner::First(StatusCode::BAD_REQUEST)).await;
    let line = Line::to(address).await;
    line.cut_at.store(20 << 20, std::sync::atomic::Ordering::SeqCst);
    let target = to(line.address());
    let scope = Scope::default();
    from.client().copy_to(("app", "v1"), &target, ("app", "v1"), &scope, |_, _, _| ()).await.unwrap();
    // The rest, which is a piece, and then all of it.
    assert_eq!(stubborn.figures(), (1, 1));
}
