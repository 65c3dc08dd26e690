//! The built-in registry, spoken to in raw HTTP: what the distribution-spec asks for beyond what our own client
//! uses, and what is kept out.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_registry::{Digest, Server, ServerOptions};
use reqwest::{Client, Response, StatusCode};
use std::net::Ipv4Addr;
use support::Registry;

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn chunks_must_come_in_order() {
    let registry = Registry::built_in().await;
    let http = Client::new();
    let begun = http.post(registry.url("/v2/app/blobs/uploads/")).send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let upload = registry.url(&header(&begun, "location"));
    let chunk = |range: &'static str, body: &'static str| {
        http.patch(&upload).header("content-range", range).body(body).send()
    };
    let first = chunk("0-4", "hello").await.unwrap();
    assert_eq!((first.status(), header(&first, "range")), (StatusCode::ACCEPTED, "0-4".to_owned()));
    let early = chunk("9-13", "world").await.unwrap();
    assert_eq!(early.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&early, "range"), "0-4");
    let status = http.get(&upload).send().await.unwrap();
    assert_eq!((status.status(), header(&status, "range")), (StatusCode::NO_CONTENT, "0-4".to_owned()));
    assert_eq!(chunk("5-10", " world").await.unwrap().status(), StatusCode::ACCEPTED);

    let wrong = Digest::of(b"something else");
    let digest = Digest::of(b"hello world!");
    let done = http.put(format!("{upload}?digest={digest}")).header("content-range", "11-11").body("!");
    assert_eq!(done.send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(http.get(&upload).send().await.unwrap().status(), StatusCode::NOT_FOUND);

    // In one request, rightly and wrongly.
    let whole = |digest: &Digest| {
        http.post(registry.url(&format!("/v2/app/blobs/uploads/?digest={digest}")))
            .body("hello world!")
            .send()
    };
    assert_eq!(whole(&digest).await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(whole(&wrong).await.unwrap().status(), StatusCode::BAD_REQUEST);

    // Parts of it.
    let blob = registry.url(&format!("/v2/app/blobs/{digest}"));
    let part = http.get(&blob).header("range", "bytes=6-10").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), "bytes 6-10/12");
    assert_eq!(part.text().await.unwrap(), "world");
    let beyond = http.get(&blob).header("range", "bytes=12-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let head = http.head(&blob).send().await.unwrap();
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, "12".to_owned()));

    // Another repository has it only once it is mounted there.
    let other = registry.url(&format!("/v2/other/blobs/{digest}"));
    assert_eq!(http.head(&other).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let mount = |from: &str| {
        http.post(registry.url(&format!("/v2/other/blobs/uploads/?mount={digest}&from={from}"))).send()
    };
    assert_eq!(mount("nobody").await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(mount("app").await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(http.head(&other).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(http.delete(&other).send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(http.head(&other).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(http.head(&blob).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn tags_page_and_go() {
    let registry = Registry::built_in().await;
    let client = registry.client();
    let config = b"{}".to_vec();
    let digest = Digest::of(&config);
    client.push_blob("app", &digest, 2, std::io::Cursor::new(config), |_| ()).await.unwrap();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2, "mediaType": kind, "layers": [],
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": 2 },
    }))
    .unwrap();
    for tag in ["v1", "v2", "v3"] {
        client.push_manifest("app", tag, kind, manifest.clone()).await.unwrap();
    }
    let http = Client::new();
    let page = http.get(registry.url("/v2/app/tags/list?n=2")).send().await.unwrap();
    assert_eq!(header(&page, "link"), "</v2/app/tags/list?n=2&last=v2>; rel=\"next\"");
    assert!(page.text().await.unwrap().contains(r#"["v1","v2"]"#));
    assert_eq!(client.tags("app").await.unwrap(), ["v1", "v2", "v3"]);

    let delete =
        |reference: &str| http.delete(registry.url(&format!("/v2/app/manifests/{reference}"))).send();
    assert_eq!(delete("v1").await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(client.tags("app").await.unwrap(), ["v2", "v3"]);
    assert_eq!(delete(&Digest::of(&manifest).to_string()).await.unwrap().status(), StatusCode::ACCEPTED);
    assert!(client.tags("app").await.unwrap().is_empty());
    assert_eq!(delete("v1").await.unwrap().status(), StatusCode::NOT_FOUND);

    // A manifest must not name what is not there.
    let missing = manifest.clone();
    let refused = client.push_manifest("empty", "v1", kind, missing).await.unwrap_err();
    assert!(format!("{refused:?}").contains("MANIFEST_BLOB_UNKNOWN"), "{refused:?}");
}

#[tokio::test]
async fn browsers_and_other_names_are_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions { allowed_hosts: vec!["cr.boss.org:5000".to_owned()] };
    let server = Server::bind_with((Ipv4Addr::LOCALHOST, 0).into(), folder.path(), options).await.unwrap();
    let url = format!("http://{}/v2/", server.local_addr());
    let http = Client::new();
    let get = |name: &'static str, value: &'static str| {
        http.get(&url).header("host", "cr.boss.org:5000").header(name, value).send()
    };
    assert_eq!(get("accept", "*/*").await.unwrap().status(), StatusCode::OK);
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
    ] {
        assert_eq!(get(name, value).await.unwrap().status(), StatusCode::FORBIDDEN, "{name}");
    }
    let rebound = http.get(&url).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
    assert_eq!(http.get(&url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    server.stop().await;
    assert!(http.get(&url).send().await.is_err());
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (keep, sample) = support::sample();
    let first = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), folder.path()).await.unwrap();
    let client = |server: &Server| {
        let config = dockline_registry::ClientConfig::new(server.local_addr(), "cr.boss.org:5000");
        dockline_registry::Client::new(config).unwrap()
    };
    let pushed = client(&first).push_archive(&sample, "team/app", "v1", |_, _, _| ()).await.unwrap();
    first.stop().await;
    let second = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), folder.path()).await.unwrap();
    let back = keep.path().join("back.tar");
    let pulled = client(&second).pull_archive("team/app", "v1", &back, |_, _, _| ()).await.unwrap();
    assert_eq!(pulled, pushed);
}
