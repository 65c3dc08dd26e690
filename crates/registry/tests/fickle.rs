//! Registries and ways that change under whoever uses them: a tag that moves, lists and indexes without an end, an
//! upload that cannot be asked after for a moment.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::explicit_write,
    reason = "a test fails by panicking"
)]

mod support;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use dockline_model::{ArchiveFormat, Code, UiError};
use dockline_registry::{Client, ClientConfig, Digest, RegistryError, Scope, Wanted};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use support::{Registry, line::layer, line::save};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that answers every question after a path with the next of the answers it has for that, and then with the
/// last one for ever.
#[derive(Clone, Default)]
struct Fickle(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    answers: HashMap<String, VecDeque<Answer>>,
    asked: HashMap<String, usize>,
}

#[derive(Clone)]
struct Answer {
    kind: &'static str,
    /// Where the next page is.
    link: Option<String>,
    body: Vec<u8>,
}

impl Fickle {
    fn answer(&self, path: &str, kind: &'static str, link: Option<String>, body: Vec<u8>) {
        let answer = Answer { kind, link, body };
        self.0.lock().unwrap().answers.entry(path.to_owned()).or_default().push_back(answer);
    }

    /// A manifest by its digest, and an entry of an index for it.
    fn manifest(&self, manifest: &Value) -> Value {
        let bytes = manifest.to_string().into_bytes();
        let (digest, size) = (Digest::of(&bytes).to_string(), bytes.len());
        self.answer(&format!("/v2/app/manifests/{digest}"), MANIFEST, None, bytes);
        json!({ "mediaType": MANIFEST, "digest": digest, "size": size })
    }

    /// An index under a tag.
    fn index(&self, tag: &str, entries: &[Value]) {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        self.answer(&format!("/v2/app/manifests/{tag}"), INDEX, None, index.to_string().into_bytes());
    }

    /// An image without layers; each `name` is another one.
    fn image(&self, name: &str) -> Value {
        let config = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let digest = Digest::of(config).to_string();
        let path = format!("/v2/app/blobs/{digest}");
        self.0.lock().unwrap().answers.remove(&path);
        self.answer(&path, "application/octet-stream", None, config.to_vec());
        let kind = "application/vnd.oci.image.config.v1+json";
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": { "name": name },
            "config": { "mediaType": kind, "digest": digest, "size": config.len() },
        })
    }

    /// A page of a list, and where the next one is.
    fn page(&self, path: &str, page: &Value, next: Option<&str>) {
        let link = next.map(|next| format!("<{next}>; rel=\"next\""));
        self.answer(path, "application/json", link, page.to_string().into_bytes());
    }

    /// How often these were asked for.
    fn asked(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        let shelf = self.0.lock().unwrap();
        shelf.asked.iter().filter(|(path, _)| is_meant(path)).map(|(_, times)| times).sum()
    }

    async fn serve(&self) -> (Client, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(take).with_state(self.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (Client::new(ClientConfig::new(address, "cr.boss.org:5000")).unwrap(), tasks)
    }
}

async fn take(State(fickle): State<Fickle>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    let mut shelf = fickle.0.lock().unwrap();
    *shelf.asked.entry(path.clone()).or_default() += 1;
    let Some(answers) = shelf.answers.get_mut(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
    let digest = Digest::of(&answer.body).to_string();
    let mut response = answer.body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, answer.kind.parse().unwrap());
    headers.insert("docker-content-digest", digest.parse().unwrap());
    if let Some(link) = answer.link {
        headers.insert(header::LINK, link.parse().unwrap());
    }
    response
}

/// What a person is told.
fn told(error: &RegistryError) -> UiError {
    let shown = UiError::from(error);
    assert!(shown.message.ends_with('.') && shown.hint.is_some(), "{shown:?}");
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_says_what_it_wrote_although_the_tag_moves_meanwhile() {
    let fickle = Fickle::default();
    for name in ["first", "second", "third"] {
        let manifest = fickle.image(name).to_string().into_bytes();
        fickle.answer("/v2/app/manifests/v1", MANIFEST, None, manifest);
    }
    let (client, _serving) = fickle.serve().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    let pulled = client.pull_archive("app", "v1", &file, |_, _, _| ()).await.unwrap();

    let mut archive = tar::Archive::new(std::fs::File::open(&file).unwrap());
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert!(names.contains(&format!("blobs/sha256/{}", pulled.hex())), "{pulled} is not in {names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_index_names_several_times_is_fetched_once() {
    let fickle = Fickle::default();
    let entry = fickle.manifest(&fickle.image("one"));
    fickle.index("v1", &vec![entry; 50]);
    let (client, _serving) = fickle.serve().await;
    let folder = tempfile::tempdir().unwrap();
    let scope = Scope { all_platforms: true, ..Scope::default() };
    let (file, how) = (folder.path().join("app.tar"), (ArchiveFormat::Oci, &scope));
    client.pull_archive_as("app", "v1", &file, how, |_, _, _| ()).await.unwrap();
    assert_eq!(fickle.asked(|path| path.starts_with("/v2/app/manifests/sha256:")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_more_images_than_any_has_is_refused() {
    let fickle = Fickle::default();
    let image = |number: usize| fickle.manifest(&fickle.image(&number.to_string()));
    let entries: Vec<Value> = (0..5000).map(image).collect();
    fickle.index("v1", &entries);
    let (client, _serving) = fickle.serve().await;
    let folder = tempfile::tempdir().unwrap();
    let scope = Scope { all_platforms: true, ..Scope::default() };
    let (file, how) = (folder.path().join("app.tar"), (ArchiveFormat::Oci, &scope));
    let error = client.pull_archive_as("app", "v1", &file, how, |_, _, _| ()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");
    let shown = told(&error);
    assert!(
        shown.code == Code::RegistryFailed
            && shown.message.contains("more manifests along than any real image"),
        "{shown:?}"
    );
    let asked = fickle.asked(|path| path.starts_with("/v2/app/manifests/sha256:"));
    assert!(asked <= 4097, "{asked}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_lead_back_to_one_another_are_read_once() {
    let fickle = Fickle::default();
    let (tags, more) = ("/v2/app/tags/list", "/v2/app/tags/list?last=v2");
    fickle.page(tags, &json!({ "tags": ["v1", "v2"] }), Some(more));
    fickle.page(more, &json!({ "tags": ["v3"] }), Some(tags));
    let (catalog, rest) = ("/v2/_catalog?n=1000", "/v2/_catalog?n=1000&last=app");
    fickle.page(catalog, &json!({ "repositories": ["app"] }), Some(rest));
    fickle.page(rest, &json!({ "repositories": ["web"] }), Some(catalog));
    // As before: the last page of some registries leads to itself.
    fickle.page("/v2/web/tags/list", &json!({ "tags": ["v1"] }), Some("/v2/web/tags/list"));
    let (client, _serving) = fickle.serve().await;
    assert_eq!(client.tags("app").await.unwrap(), ["v1", "v2", "v3"]);
    assert_eq!(client.catalog().await.unwrap(), ["app", "web"]);
    assert_eq!(client.tags("web").await.unwrap(), ["v1"]);
    assert_eq!(fickle.asked(|_| true), 5);
}

/// `rel=next` needs no quotes (RFC 8288).
#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_an_image_is_listed_over_all_pages() {
    let fickle = Fickle::default();
    let subject = Digest::of(b"an image");
    let (first, second) =
        (format!("/v2/app/referrers/{subject}"), format!("/v2/app/referrers/{subject}?page=2"));
    let page = |name: &str| {
        let entry =
            json!({ "mediaType": MANIFEST, "digest": Digest::of(name.as_bytes()).to_string(), "size": 1 });
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] }).to_string().into_bytes()
    };
    fickle.answer(&first, INDEX, Some(format!("<{second}>; rel=next")), page("one"));
    // And it leads back.
    fickle.answer(&second, INDEX, Some(format!("<{first}>; title=\"x\"; rel=\"next\"")), page("two"));
    fickle.answer(
        "/v2/app/tags/list",
        "application/json",
        Some("</v2/app/tags/list?last=v1>;rel=next".to_owned()),
        json!({ "tags": ["v1"] }).to_string().into_bytes(),
    );
    fickle.page("/v2/app/tags/list?last=v1", &json!({ "tags": ["v2"] }), None);
    let (client, _serving) = fickle.serve().await;
    let listed = client.list_referrers("app", &subject).await.unwrap();
    let digests: Vec<String> = listed.into_iter().map(|referrer| referrer.digest).collect();
    assert_eq!(digests, [Digest::of(b"one").to_string(), Digest::of(b"two").to_string()]);
    assert_eq!(client.tags("app").await.unwrap(), ["v1", "v2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn room_is_counted_although_pages_lead_in_circles_or_are_empty() {
    let fickle = Fickle::default();
    let (catalog, more, last) =
        ("/v2/_catalog?n=1000", "/v2/_catalog?n=1000&last=a", "/v2/_catalog?n=1000&last=b");
    // Registries filter what a login may see after they have cut the page.
    fickle.page(catalog, &json!({ "repositories": [] }), Some(more));
    fickle.page(more, &json!({ "repositories": ["app"] }), Some(last));
    fickle.page(last, &json!({ "repositories": ["web"] }), Some(catalog));
    for name in ["app", "web"] {
        let list = format!("/v2/{name}/tags/list?n=1000");
        fickle.page(&list, &json!({ "tags": ["v1"] }), Some(&format!("{list}&last=v1")));
        fickle.page(&format!("{list}&last=v1"), &json!({ "tags": ["v2"] }), Some(&list));
    }
    let (client, _serving) = fickle.serve().await;
    let usage = client.usage(|_, _, _| ());
    let usage = tokio::time::timeout(std::time::Duration::from_secs(20), usage).await.unwrap().unwrap();
    let tags: Vec<u64> = usage.repositories.iter().map(|repository| repository.tags).collect();
    assert_eq!(tags, [2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tags_are_listed_however_short_the_pages_are() {
    for length in [10, 100] {
        let fickle = Fickle::default();
        let path = |page: usize| match page {
            0 => "/v2/app/tags/list".to_owned(),
            page => format!("/v2/app/tags/list?n={length}&last={page}"),
        };
        let pages = 10_000 / length;
        for page in 0..pages {
            let tags: Vec<String> = (0..length).map(|number| format!("v{page}.{number}")).collect();
            let next = (page + 1 < pages).then(|| path(page + 1));
            fickle.page(&path(page), &json!({ "tags": tags }), next.as_deref());
        }
        let (client, _serving) = fickle.serve().await;
        assert_eq!(client.tags("app").await.unwrap().len(), 10_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_is_given_up() {
    let fickle = Fickle::default();
    let path = |page: usize| format!("/v2/app/tags/list?last={page}");
    fickle.page("/v2/app/tags/list", &json!({ "tags": [] }), Some(&path(0)));
    for page in 0..11_000 {
        fickle.page(&path(page), &json!({ "tags": [] }), Some(&path(page + 1)));
    }
    let (client, _serving) = fickle.serve().await;
    let error = client.tags("app").await.unwrap_err();
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");
    let shown = told(&error);
    assert!(shown.message.contains("repository app") && shown.message.contains("10000 pages"), "{shown:?}");
}

/// A way to a registry that breaks in the middle of a blob, and again at each of the next questions how far it got.
struct Breaking {
    address: SocketAddr,
    sent: Arc<AtomicU64>,
    /// Questions that are yet to be cut off.
    questions: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Breaking {
    async fn to(target: SocketAddr, cut_at: u64, questions: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, questions) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(questions)));
        let (counted, left) = (sent.clone(), questions.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (counted, left) = (counted.clone(), left.clone());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    let ((mut near_read, mut near_write), (mut far_read, mut far_write)) =
                        (near.split(), far.split());
                    let up = async {
                        let mut buffer = vec![0; 16 << 10];
                        while let Ok(read @ 1..) = near_read.read(&mut buffer).await {
                            let head = String::from_utf8_lossy(&buffer[..read.min(200)]).into_owned();
                            let is_question = head.starts_with("GET ") && head.contains("/blobs/uploads/");
                            let less = |left: usize| left.checked_sub(1);
                            if is_question
                                && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
                            {
                                return;
                            }
                            let before = counted.fetch_add(read as u64, Ordering::SeqCst);
                            let is_cut = before < cut_at && before + read as u64 >= cut_at;
                            if is_cut || far_write.write_all(&buffer[..read]).await.is_err() {
                                return;
                            }
                        }
                    };
                    tokio::select! {
                        () = up => {}
                        _ = tokio::io::copy(&mut far_read, &mut near_write) => {}
                    }
                });
            }
        });
        Self { address, sent, questions, _tasks: tasks }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_on_although_the_question_how_far_it_is_was_lost_too() {
    const LAYER: u64 = 8 << 20;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    save(&file, "app:v1", &[layer(1, 8 << 20)]);
    let (from, to) = (Registry::built_in().await, Registry::built_in().await);
    let source = from.client();
    let digest = source.push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap();
    // A question is asked a second time at once, so that is cut off as well.
    let way = Breaking::to(to.address, LAYER / 2, 2).await;
    let target = Client::new(ClientConfig::new(way.address, "cr.boss.org:5000")).unwrap();
    let scope = Scope::default();
    let copied = source.copy_to(("app", "v1"), &target, ("copy", "v1"), &scope, |_, _, _| ());
    assert_eq!(copied.await.unwrap(), digest);
    assert_eq!(way.questions.load(Ordering::SeqCst), 0, "no question was cut off");
    let sent = way.sent.load(Ordering::SeqCst);
    assert!(sent < LAYER * 5 / 4, "{sent} bytes for a layer of {LAYER}");
}

/// Registries say of Docker's first format what they like, and some of them nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_of_schema_1_is_no_image_whatever_it_is_called() {
    let kinds = [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/json",
        "text/plain",
    ];
    for kind in kinds {
        let fickle = Fickle::default();
        let manifest = json!({
            "schemaVersion": 1, "name": "app", "tag": "v1", "architecture": "amd64",
            "fsLayers": [{ "blobSum": Digest::of(b"x").to_string() }],
            "history": [{ "v1Compatibility": "{}" }],
        });
        fickle.answer("/v2/app/manifests/v1", kind, None, manifest.to_string().into_bytes());
        let (client, _serving) = fickle.serve().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.tar");
        let pulled = client.pull_archive("app", "v1", &file, |_, _, _| ()).await.unwrap_err();
        let seen = client.look_at("app", "v1").await.unwrap_err();
        for error in [pulled, seen] {
            assert!(told(&error).message.contains("schema 1"), "{kind}: {error:?}");
        }
        // An engine may still know what to do with it.
        client.check_platform("app", "v1", &Wanted::host()).await.unwrap();
    }
}
