//! Manifests, tags and the catalogue.

use super::{
    Shared,
    answer::{self, Refusal, put as put_header, query_value},
    referrers,
    route::TagOrDigest,
    storage::Kind,
};
use crate::{Digest, media};
use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    response::Response,
};
use serde::Deserialize;

/// As distribution's own limit.
const LARGEST: usize = 4 << 20;

/// What a manifest or an index refers to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct References {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<Reference>,
    #[serde(default)]
    layers: Vec<Reference>,
    #[serde(default)]
    manifests: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    digest: String,
    /// Layers that are fetched elsewhere need not be here (image-spec, descriptor.md, `urls`).
    #[serde(default)]
    urls: Vec<String>,
}

pub(super) async fn get(
    shared: &Shared,
    repository: &str,
    reference: &TagOrDigest,
    is_head: bool,
) -> Result<Response, Refusal> {
    let digest = shared.storage.resolve(repository, reference).await?;
    let media_type = shared
        .storage
        .note(repository, Kind::Manifest, &digest)
        .await?
        .ok_or_else(|| Refusal::ManifestUnknown(digest.to_string()))?;
    let bytes = tokio::fs::read(shared.storage.blob_path(&digest)).await?;
    let length = bytes.len().to_string();
    let mut response = Response::new(if is_head { Body::empty() } else { Body::from(bytes) });
    put_header(&mut response, "content-type", &media_type);
    put_header(&mut response, "content-length", &length);
    put_header(&mut response, "docker-content-digest", &digest.to_string());
    put_header(&mut response, "docker-distribution-api-version", "registry/2.0");
    Ok(response)
}

pub(super) async fn put(
    shared: &Shared,
    repository: &str,
    reference: &TagOrDigest,
    request: Request,
) -> Result<Response, Refusal> {
    let declared = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .map(|kind| kind.split(';').next().unwrap_or_default().trim().to_owned());
    let bytes = axum::body::to_bytes(request.into_body(), LARGEST).await.map_err(|_| Refusal::TooLarge)?;
    let invalid = |error: &dyn std::fmt::Display| Refusal::ManifestInvalid(error.to_string());
    let manifest: References = serde_json::from_slice(&bytes).map_err(|error| invalid(&error))?;
    if manifest.schema_version != 2 {
        return Err(Refusal::ManifestInvalid("schemaVersion is not 2".to_owned()));
    }
    let media_type = declared
        .or(manifest.media_type)
        .filter(|kind| media::is_manifest(kind) || media::is_index(kind))
        .ok_or_else(|| Refusal::ManifestInvalid("its media type is none this registry knows".to_owned()))?;
    let digest = Digest::of(&bytes);
    if let TagOrDigest::Digest(promised) = reference
        && *promised != digest
    {
        return Err(Refusal::DigestInvalid(format!("{promised} was promised and {digest} came")));
    }
    // A manifest must not promise what nobody can pull.
    let blobs = manifest.config.iter().chain(manifest.layers.iter().filter(|layer| layer.urls.is_empty()));
    for (kind, part) in blobs
        .map(|part| (Kind::Blob, part))
        .chain(manifest.manifests.iter().map(|part| (Kind::Manifest, part)))
    {
        let part: Digest = part.digest.parse().map_err(|error| invalid(&error))?;
        if shared.storage.note(repository, kind, &part).await?.is_none() {
            return Err(Refusal::ManifestBlobUnknown(part.to_string()));
        }
    }

    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| invalid(&error))?;
    let subject = referrers::subject(&value)?;
    shared.storage.keep_bytes(&digest, &bytes).await?;
    shared.storage.link(repository, Kind::Manifest, &digest, &media_type).await?;
    if let TagOrDigest::Tag(tag) = reference {
        shared.storage.put_tag(repository, tag, &digest).await?;
    }
    let location = format!("/v2/{repository}/manifests/{digest}");
    let headers = [("location", location.as_str()), ("docker-content-digest", &digest.to_string())];
    let mut response = answer::empty(StatusCode::CREATED, &headers);
    if let Some(subject) = subject {
        let note = media::listed(&value, &media_type, &digest, bytes.len()).to_string();
        shared.storage.link_referrer(repository, &subject, &digest, &note).await?;
        put_header(&mut response, "oci-subject", &subject.to_string());
    }
    Ok(response)
}

pub(super) async fn delete(
    shared: &Shared,
    repository: &str,
    reference: &TagOrDigest,
) -> Result<Response, Refusal> {
    let is_gone = match reference {
        TagOrDigest::Tag(tag) => shared.storage.remove_tag(repository, tag).await?,
        TagOrDigest::Digest(digest) => {
            for tag in shared.storage.tags(repository).await?.unwrap_or_default() {
                let name = TagOrDigest::Tag(tag.clone());
                if shared.storage.resolve(repository, &name).await.is_ok_and(|meant| meant == *digest) {
                    shared.storage.remove_tag(repository, &tag).await?;
                }
            }
            let bytes = tokio::fs::read(shared.storage.blob_path(digest)).await.unwrap_or_default();
            let value = serde_json::from_slice(&bytes).unwrap_or_default();
            if let Ok(Some(subject)) = referrers::subject(&value) {
                shared.storage.unlink_referrer(repository, &subject, digest).await?;
            }
            shared.storage.unlink(repository, Kind::Manifest, digest).await?
        }
    };
    if is_gone {
        return Ok(answer::empty(StatusCode::ACCEPTED, &[]));
    }
    Err(match reference {
        TagOrDigest::Tag(tag) => Refusal::ManifestUnknown(tag.clone()),
        TagOrDigest::Digest(digest) => Refusal::ManifestUnknown(digest.to_string()),
    })
}

pub(super) async fn tags(
    shared: &Shared,
    repository: &str,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let tags = shared.storage.tags(repository).await?;
    let tags = tags.ok_or_else(|| Refusal::NameUnknown(repository.to_owned()))?;
    let (page, next) = page(tags, query);
    let mut response = answer::json(&serde_json::json!({ "name": repository, "tags": page }));
    link(&mut response, &format!("/v2/{repository}/tags/list"), next);
    Ok(response)
}

pub(super) async fn catalog(shared: &Shared, query: Option<&str>) -> Result<Response, Refusal> {
    let (page, next) = page(shared.storage.catalog().await?, query);
    let mut response = answer::json(&serde_json::json!({ "repositories": page }));
    link(&mut response, "/v2/_catalog", next);
    Ok(response)
}

/// `?n=` entries after `?last=`, and where to go on, if anywhere.
fn page(sorted: Vec<String>, query: Option<&str>) -> (Vec<String>, Option<(usize, String)>) {
    let last = query_value(query, "last").unwrap_or_default();
    let most = query_value(query, "n").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let mut rest: Vec<String> = sorted.into_iter().filter(|name| *name > last).collect();
    let is_cut = rest.len() > most;
    rest.truncate(most);
    let next = rest.last().filter(|_| is_cut).map(|last| (most, last.clone()));
    (rest, next)
}

fn link(response: &mut Response, path: &str, next: Option<(usize, String)>) {
    if let Some((n, last)) = next {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("n", &n.to_string())
            .append_pair("last", &last)
            .finish();
        put_header(response, "link", &format!("<{path}?{query}>; rel=\"next\""));
    }
}
