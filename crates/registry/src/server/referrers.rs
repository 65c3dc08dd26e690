//! What refers to a manifest (distribution-spec, "Listing Referrers" and "Pushing Manifests with Subject").

use super::{
    Shared,
    answer::{self, Refusal, put, query_value},
};
use crate::{Digest, media};
use axum::response::Response;
use serde_json::{Value, json};

/// The subject that a manifest names.
pub(super) fn subject(manifest: &Value) -> Result<Option<Digest>, Refusal> {
    let Some(subject) = manifest.get("subject").filter(|subject| !subject.is_null()) else { return Ok(None) };
    let digest = subject.get("digest").and_then(Value::as_str).unwrap_or_default();
    digest
        .parse()
        .map(Some)
        .map_err(|error: crate::InvalidDigest| Refusal::ManifestInvalid(format!("its subject: {error}")))
}

pub(super) async fn list(
    shared: &Shared,
    repository: &str,
    subject: &Digest,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let filter = query_value(query, "artifactType");
    let manifests: Vec<Value> = shared
        .storage
        .referrers(repository, subject)
        .await?
        .iter()
        .filter_map(|note| serde_json::from_str::<Value>(note).ok())
        .filter(|found| {
            let kind = found.get("artifactType").and_then(Value::as_str);
            filter.as_deref().is_none_or(|wanted| kind == Some(wanted))
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": media::OCI_INDEX, "manifests": manifests });
    let mut response = answer::json(&index);
    put(&mut response, "content-type", media::OCI_INDEX);
    if filter.is_some() {
        put(&mut response, "oci-filters-applied", "artifactType");
    }
    Ok(response)
}
