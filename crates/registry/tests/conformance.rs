//! The built-in registry against the workflows of the OCI distribution-spec 1.1, written from its text: each test names
//! the section, and what is asserted are its MUSTs, asked for with plain HTTP rather than with our own client.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use dockline_registry::{Digest, Server};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct Registry {
    server: Server,
    http: Client,
    _storage: tempfile::TempDir,
}

impl Registry {
    async fn start() -> Self {
        let storage = tempfile::tempdir().unwrap();
        let server = Server::bind(([127, 0, 0, 1], 0).into(), storage.path()).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { server, http, _storage: storage }
    }

    fn url(&self, path: &str) -> String {
        // A Location may be absolute or relative (RFC 9110 §10.2.2).
        if path.starts_with("http://") {
            path.to_owned()
        } else {
            format!("http://{}{path}", self.server.local_addr())
        }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path).send().await.unwrap()
    }

    /// POST, then PUT with everything.
    async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let begun = self.ask(Method::POST, &format!("/v2/{repository}/blobs/uploads/")).send().await.unwrap();
        assert_eq!(begun.status(), StatusCode::ACCEPTED);
        let url = with_digest(&header(&begun, "location"), &digest);
        let put = self.ask(Method::PUT, &url).body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(put.status(), StatusCode::CREATED);
        assert!(self.get(&header(&put, "location")).await.status().is_success());
        digest
    }

    async fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        kind: &str,
        manifest: &Value,
    ) -> Response {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let body = manifest.to_string();
        self.ask(Method::PUT, &path).header("content-type", kind).body(body).send().await.unwrap()
    }

    /// An image of one layer, and its digest.
    async fn push_image(&self, repository: &str, tag: &str, layer: &[u8]) -> (Value, Digest) {
        let manifest = self.image(repository, layer).await;
        let put = self.push_manifest(repository, tag, MANIFEST, &manifest).await;
        assert_eq!(put.status(), StatusCode::CREATED);
        let digest = Digest::of(manifest.to_string().as_bytes());
        (manifest, digest)
    }

    async fn image(&self, repository: &str, layer: &[u8]) -> Value {
        let config = self.push_blob(repository, b"{}").await;
        let blob = self.push_blob(repository, layer).await;
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.to_string(), "size": 2 },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": blob.to_string(),
                "size": layer.len(),
            }],
        })
    }
}

fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("no {name} in {response:?}"));
    value.to_str().unwrap().to_owned()
}

fn with_digest(location: &str, digest: &Digest) -> String {
    let and = if location.contains('?') { '&' } else { '?' };
    format!("{location}{and}digest={digest}")
}

/// "Error Codes": the body of a refusal is JSON of this shape.
async fn refused(response: Response, status: StatusCode, code: &str) {
    assert_eq!(response.status(), status);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["code"], code, "{body}");
}

/// "Determining Support", end-1.
#[tokio::test]
async fn it_says_that_it_implements_the_specification() {
    let registry = Registry::start().await;
    assert_eq!(registry.get("/v2/").await.status(), StatusCode::OK);
}

/// "Pull": end-2, end-3, ranges included.
#[tokio::test]
async fn pull() {
    let registry = Registry::start().await;
    let (manifest, digest) = registry.push_image("team/app", "v1", b"0123456789").await;
    for reference in ["v1".to_owned(), digest.to_string()] {
        let path = format!("/v2/team/app/manifests/{reference}");
        let got = registry.ask(Method::GET, &path).header("accept", MANIFEST).send().await.unwrap();
        assert_eq!((got.status(), header(&got, "content-type").as_str()), (StatusCode::OK, MANIFEST));
        assert_eq!(header(&got, "docker-content-digest"), digest.to_string());
        assert_eq!(got.text().await.unwrap(), manifest.to_string(), "byte for byte");
        let head = registry.ask(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(header(&head, "content-length"), manifest.to_string().len().to_string());
    }
    let blob = Digest::of(b"0123456789");
    let path = format!("/v2/team/app/blobs/{blob}");
    let head = registry.ask(Method::HEAD, &path).send().await.unwrap();
    assert_eq!((head.status(), header(&head, "content-length").as_str()), (StatusCode::OK, "10"));
    let got = registry.get(&path).await;
    assert_eq!(header(&got, "docker-content-digest"), blob.to_string());
    assert_eq!(got.bytes().await.unwrap().as_ref(), b"0123456789");
    let part = registry.ask(Method::GET, &path).header("range", "bytes=4-6").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), "bytes 4-6/10");
    assert_eq!(part.bytes().await.unwrap().as_ref(), b"456");
    let beyond = registry.ask(Method::GET, &path).header("range", "bytes=10-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    let missing = Digest::of(b"missing");
    refused(
        registry.get(&format!("/v2/team/app/blobs/{missing}")).await,
        StatusCode::NOT_FOUND,
        "BLOB_UNKNOWN",
    )
    .await;
    refused(registry.get("/v2/team/app/manifests/v9").await, StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN").await;
    // Another repository does not have it, although the registry does.
    refused(registry.get(&format!("/v2/other/blobs/{blob}")).await, StatusCode::NOT_FOUND, "BLOB_UNKNOWN")
        .await;
}

/// "Push": end-4 to end-7, monolithic in both ways, and in chunks.
#[tokio::test]
async fn push() {
    let registry = Registry::start().await;
    let uploads = "/v2/app/blobs/uploads/";
    // "Single POST".
    let digest = Digest::of(b"single");
    let post =
        registry.ask(Method::POST, &with_digest(uploads, &digest)).body("single").send().await.unwrap();
    match post.status() {
        StatusCode::CREATED => {}
        // "Registries MAY opt out": then the upload goes on with a PUT.
        StatusCode::ACCEPTED => {
            let url = with_digest(&header(&post, "location"), &digest);
            let put = registry.ask(Method::PUT, &url).body("single").send().await.unwrap();
            assert_eq!(put.status(), StatusCode::CREATED);
        }
        other => panic!("{other}"),
    }
    let got = registry.get(&format!("/v2/app/blobs/{digest}")).await;
    assert_eq!(got.text().await.unwrap(), "single");

    // "Pushing a blob in chunks", with a chunk out of order in between.
    let begun = registry.ask(Method::POST, uploads).header("content-length", 0).send().await.unwrap();
    let chunk = |url: String, range: &'static str, body: &'static str| {
        let request = registry.ask(Method::PATCH, &url).header("content-range", range);
        request.header("content-type", "application/octet-stream").body(body).send()
    };
    let first = chunk(header(&begun, "location"), "0-4", "01234").await.unwrap();
    assert_eq!((first.status(), header(&first, "range").as_str()), (StatusCode::ACCEPTED, "0-4"));
    let wrong = chunk(header(&first, "location"), "7-9", "789").await.unwrap();
    assert_eq!(wrong.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let status = registry.get(&header(&first, "location")).await;
    assert_eq!((status.status(), header(&status, "range").as_str()), (StatusCode::NO_CONTENT, "0-4"));
    let second = chunk(header(&status, "location"), "5-9", "56789").await.unwrap();
    assert_eq!(header(&second, "range"), "0-9");
    let digest = Digest::of(b"0123456789");
    let put =
        registry.ask(Method::PUT, &with_digest(&header(&second, "location"), &digest)).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::CREATED);

    // The last chunk may come with the PUT.
    let begun = registry.ask(Method::POST, uploads).send().await.unwrap();
    let first = chunk(header(&begun, "location"), "0-2", "abc").await.unwrap();
    let digest = Digest::of(b"abcdef");
    let url = with_digest(&header(&first, "location"), &digest);
    let put =
        registry.ask(Method::PUT, &url).header("content-range", "3-5").body("def").send().await.unwrap();
    assert_eq!(put.status(), StatusCode::CREATED);

    // "Cancel a blob upload", and what is not what its digest says.
    let begun = registry.ask(Method::POST, uploads).send().await.unwrap();
    let location = header(&begun, "location");
    assert_eq!(
        registry.ask(Method::DELETE, &location).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    refused(registry.get(&location).await, StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN").await;
    let begun = registry.ask(Method::POST, uploads).send().await.unwrap();
    let url = with_digest(&header(&begun, "location"), &digest);
    let wrong = registry.ask(Method::PUT, &url).body("other").send().await.unwrap();
    refused(wrong, StatusCode::BAD_REQUEST, "DIGEST_INVALID").await;

    // "Mounting a blob from another repository": taken, or an upload begun instead.
    let mount = |from: &'static str| {
        registry.ask(Method::POST, &format!("/v2/other/blobs/uploads/?mount={digest}&from={from}")).send()
    };
    let mounted = mount("app").await.unwrap();
    assert_eq!(mounted.status(), StatusCode::CREATED);
    assert!(registry.get(&header(&mounted, "location")).await.status().is_success());
    let other = Digest::of(b"nowhere");
    let path = format!("/v2/other/blobs/uploads/?mount={other}&from=app");
    let begun = registry.ask(Method::POST, &path).send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
}

/// "Pushing Manifests": by tag and digest, with what is missing refused.
#[tokio::test]
async fn push_manifests() {
    let registry = Registry::start().await;
    let manifest = registry.image("app", b"layer").await;
    let digest = Digest::of(manifest.to_string().as_bytes());
    let put = registry.push_manifest("app", &digest.to_string(), MANIFEST, &manifest).await;
    assert_eq!(put.status(), StatusCode::CREATED);
    assert_eq!(header(&put, "docker-content-digest"), digest.to_string());
    assert!(registry.get(&header(&put, "location")).await.status().is_success());
    let mut missing = manifest.clone();
    missing["layers"][0]["digest"] = json!(Digest::of(b"missing").to_string());
    let put = registry.push_manifest("app", "v1", MANIFEST, &missing).await;
    refused(put, StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN").await;
    let put = registry.push_manifest("app", &Digest::of(b"x").to_string(), MANIFEST, &manifest).await;
    refused(put, StatusCode::BAD_REQUEST, "DIGEST_INVALID").await;
    let put = registry.push_manifest("app", "v1", MANIFEST, &json!("no manifest")).await;
    refused(put, StatusCode::BAD_REQUEST, "MANIFEST_INVALID").await;
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [
        { "mediaType": MANIFEST, "digest": digest.to_string(), "size": manifest.to_string().len() }
    ] });
    assert_eq!(registry.push_manifest("app", "all", INDEX, &index).await.status(), StatusCode::CREATED);
}

/// "Content Discovery": tags with `n` and `last` (end-8), in lexical order.
#[tokio::test]
async fn discover_tags() {
    let registry = Registry::start().await;
    for tag in ["v2", "v10", "v1", "latest"] {
        registry.push_image("app", tag, b"layer").await;
    }
    let tags = |body: Value| -> Vec<String> { serde_json::from_value(body["tags"].clone()).unwrap() };
    let all: Value = registry.get("/v2/app/tags/list").await.json().await.unwrap();
    assert_eq!(all["name"], "app");
    assert_eq!(tags(all), ["latest", "v1", "v10", "v2"]);
    let page = registry.get("/v2/app/tags/list?n=2").await;
    let link = header(&page, "link");
    assert!(link.ends_with("rel=\"next\""), "{link}");
    assert_eq!(tags(page.json().await.unwrap()), ["latest", "v1"]);
    let next = link.split_once('<').unwrap().1.split_once('>').unwrap().0.to_owned();
    let page = registry.get(&next).await;
    assert!(page.headers().get("link").is_none(), "nothing follows");
    assert_eq!(tags(page.json().await.unwrap()), ["v10", "v2"]);
    let after: Value = registry.get("/v2/app/tags/list?last=v10").await.json().await.unwrap();
    assert_eq!(tags(after), ["v2"]);
    let none: Value = registry.get("/v2/app/tags/list?n=0").await.json().await.unwrap();
    assert!(tags(none).is_empty());
    refused(registry.get("/v2/unknown/tags/list").await, StatusCode::NOT_FOUND, "NAME_UNKNOWN").await;
}

/// "Listing Referrers" (end-12) and "Pushing Manifests with Subject".
#[tokio::test]
async fn discover_referrers() {
    let registry = Registry::start().await;
    let (image, subject) = registry.push_image("app", "v1", b"layer").await;
    let path = format!("/v2/app/referrers/{subject}");
    let none = registry.get(&path).await;
    assert_eq!((none.status(), header(&none, "content-type").as_str()), (StatusCode::OK, INDEX));
    assert_eq!(none.json::<Value>().await.unwrap()["manifests"], json!([]));

    let empty = registry.push_blob("app", b"{}").await;
    let refer = |kind: &str| {
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": kind,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": empty.to_string(), "size": 2 },
            "layers": [],
            "subject": { "mediaType": MANIFEST, "digest": subject.to_string(), "size": image.to_string().len() },
            "annotations": { "kind": kind },
        })
    };
    let mut digests = Vec::new();
    for kind in ["application/x-signature", "application/x-sbom"] {
        let manifest = refer(kind);
        let digest = Digest::of(manifest.to_string().as_bytes());
        let put = registry.push_manifest("app", &digest.to_string(), MANIFEST, &manifest).await;
        assert_eq!(put.status(), StatusCode::CREATED);
        assert_eq!(header(&put, "oci-subject"), subject.to_string());
        digests.push(digest);
    }
    let all: Value = registry.get(&path).await.json().await.unwrap();
    assert_eq!(all["manifests"].as_array().unwrap().len(), 2);
    let filtered = registry.get(&format!("{path}?artifactType=application%2Fx-sbom")).await;
    assert_eq!(header(&filtered, "oci-filters-applied"), "artifactType");
    let filtered: Value = filtered.json().await.unwrap();
    assert_eq!(filtered["manifests"].as_array().unwrap().len(), 1);
    let sbom = &filtered["manifests"][0];
    assert_eq!(sbom["digest"], digests[1].to_string());
    assert_eq!(sbom["artifactType"], "application/x-sbom");
    assert_eq!(sbom["annotations"]["kind"], "application/x-sbom");
    assert_eq!(sbom["size"], refer("application/x-sbom").to_string().len());

    let gone =
        registry.ask(Method::DELETE, &format!("/v2/app/manifests/{}", digests[1])).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::ACCEPTED);
    let left: Value = registry.get(&path).await.json().await.unwrap();
    assert_eq!(left["manifests"].as_array().unwrap().len(), 1);
}

/// "Content Management": end-9 and end-10.
#[tokio::test]
async fn delete() {
    let registry = Registry::start().await;
    let (_, digest) = registry.push_image("app", "v1", b"layer").await;
    registry.push_image("app", "v2", b"layer").await;
    let delete = |path: String| registry.ask(Method::DELETE, &path).send();
    assert_eq!(delete("/v2/app/manifests/v2".into()).await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(registry.get("/v2/app/manifests/v2").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(registry.get("/v2/app/manifests/v1").await.status(), StatusCode::OK, "only the tag went");
    let path = format!("/v2/app/manifests/{digest}");
    assert_eq!(delete(path.clone()).await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(registry.get(&path).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(registry.get("/v2/app/manifests/v1").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(delete(path).await.unwrap().status(), StatusCode::NOT_FOUND);
    let blob = format!("/v2/app/blobs/{}", Digest::of(b"layer"));
    assert_eq!(delete(blob.clone()).await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(registry.get(&blob).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(delete(blob).await.unwrap().status(), StatusCode::NOT_FOUND);
}
