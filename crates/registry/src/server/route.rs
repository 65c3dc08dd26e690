//! Which endpoint a path means. Repository names have slashes in them, so paths are read from the right.

use crate::{Digest, reference};

/// An endpoint of the distribution-spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Root,
    Catalog,
    Tags { repository: String },
    Blob { repository: String, digest: Digest },
    Uploads { repository: String },
    Upload { repository: String, id: String },
    Manifest { repository: String, reference: TagOrDigest },
    Referrers { repository: String, digest: Digest },
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TagOrDigest {
    Tag(String),
    Digest(Digest),
}

/// `None` for paths that are no endpoint, or whose names break the grammar: storage paths are made of them.
pub(super) fn parse(path: &str) -> Option<Route> {
    let path = path.strip_prefix("/v2")?;
    if matches!(path, "" | "/") {
        return Some(Route::Root);
    }
    let path = path.strip_prefix('/')?;
    if path == "_catalog" {
        return Some(Route::Catalog);
    }
    let checked = |name: &str| reference::check_repository(name).is_ok().then(|| name.to_owned());
    if let Some(name) = path.strip_suffix("/tags/list") {
        return Some(Route::Tags { repository: checked(name)? });
    }
    if let Some(name) = path.strip_suffix("/blobs/uploads/").or_else(|| path.strip_suffix("/blobs/uploads")) {
        return Some(Route::Uploads { repository: checked(name)? });
    }
    let (rest, last) = path.rsplit_once('/')?;
    if let Some(name) = rest.strip_suffix("/blobs/uploads") {
        let is_id = last.len() == 32 && last.bytes().all(|b| b.is_ascii_hexdigit());
        return is_id.then_some(Route::Upload { repository: checked(name)?, id: last.to_owned() });
    }
    if let Some(name) = rest.strip_suffix("/blobs") {
        return Some(Route::Blob { repository: checked(name)?, digest: last.parse().ok()? });
    }
    if let Some(name) = rest.strip_suffix("/referrers") {
        return Some(Route::Referrers { repository: checked(name)?, digest: last.parse().ok()? });
    }
    let name = rest.strip_suffix("/manifests")?;
    let reference = match last.parse::<Digest>() {
        Ok(digest) => TagOrDigest::Digest(digest),
        Err(_) => TagOrDigest::Tag(reference::check_tag(last).is_ok().then(|| last.to_owned())?),
    };
    Some(Route::Manifest { repository: checked(name)?, reference })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_endpoints_or_nothing() {
        let digest = Digest::of(b"");
        assert_eq!(parse("/v2/"), Some(Route::Root));
        assert_eq!(parse("/v2/team/app/tags/list"), Some(Route::Tags { repository: "team/app".to_owned() }));
        assert_eq!(
            parse(&format!("/v2/team/app/blobs/{digest}")),
            Some(Route::Blob { repository: "team/app".to_owned(), digest: digest.clone() })
        );
        assert_eq!(
            parse("/v2/app/manifests/v1"),
            Some(Route::Manifest {
                repository: "app".to_owned(),
                reference: TagOrDigest::Tag("v1".to_owned())
            })
        );
        // A repository may be called as the endpoints are.
        assert_eq!(
            parse("/v2/blobs/manifests/latest"),
            Some(Route::Manifest {
                repository: "blobs".to_owned(),
                reference: TagOrDigest::Tag("latest".to_owned())
            })
        );
        for bad in [
            "/",
            "/v1/",
            "/v2/../etc/manifests/x",
            "/v2/app/manifests/..",
            "/v2/_x/tags/list",
            "/v2/app/blobs/x",
            "/v2/app/blobs/uploads/../../x",
            "/v2//tags/list",
            "/v2/App/tags/list",
            "/v2x",
            "/v2/app",
            "/v2/a%2f..%2fb/tags/list",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
