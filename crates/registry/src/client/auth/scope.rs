//! What a request needs leave for, in the words of distribution's token specification (scope grammar).

use reqwest::{Method, Request};

/// The scopes of a request, separated by blanks; `None` for one that only asks who is there. `prefix` is what stands
/// before `/v2/`.
pub(super) fn scopes_of(request: &Request, prefix: &str) -> Option<String> {
    let path = request.url().path();
    let path = path.strip_prefix(prefix).unwrap_or(path).strip_prefix("/v2/")?;
    if path == "_catalog" {
        return Some("registry:catalog:*".to_owned());
    }
    // The last of them: a repository may be called as an endpoint is.
    let name = ["/manifests/", "/blobs/", "/tags/list", "/referrers/"]
        .iter()
        .filter_map(|endpoint| path.rfind(endpoint))
        .max()
        .and_then(|at| path.get(..at))?;
    let actions = match *request.method() {
        Method::GET | Method::HEAD => "pull",
        Method::DELETE if path.contains("/blobs/uploads/") => "pull,push",
        Method::DELETE => "delete,pull",
        _ => "pull,push",
    };
    let mut scopes = format!("repository:{name}:{actions}");
    // Mounting reads from another repository.
    let from = request.url().query_pairs().find(|(key, _)| key == "from");
    if let Some((_, from)) = from.filter(|(_, from)| from != name) {
        scopes += &format!(" repository:{from}:pull");
    }
    Some(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(method: Method, url: &str) -> Option<String> {
        scopes_of(&Request::new(method, format!("http://h{url}").parse().unwrap()), "")
    }

    #[test]
    fn each_request_asks_for_what_it_needs() {
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(scopes(Method::GET, "/v2/"), None);
        assert_eq!(scopes(Method::GET, "/v2/_catalog?n=1"), is("registry:catalog:*"));
        assert_eq!(scopes(Method::GET, "/v2/team/app/manifests/v1"), is("repository:team/app:pull"));
        assert_eq!(scopes(Method::HEAD, "/v2/app/blobs/sha256:0"), is("repository:app:pull"));
        assert_eq!(scopes(Method::GET, "/v2/app/tags/list?n=2"), is("repository:app:pull"));
        assert_eq!(scopes(Method::PUT, "/v2/app/manifests/v1"), is("repository:app:pull,push"));
        assert_eq!(scopes(Method::POST, "/v2/app/blobs/uploads/"), is("repository:app:pull,push"));
        assert_eq!(scopes(Method::PATCH, "/v2/app/blobs/uploads/1?_state=x"), is("repository:app:pull,push"));
        assert_eq!(scopes(Method::DELETE, "/v2/app/blobs/uploads/1"), is("repository:app:pull,push"));
        assert_eq!(scopes(Method::DELETE, "/v2/app/manifests/sha256:0"), is("repository:app:delete,pull"));
        assert_eq!(
            scopes(Method::POST, "/v2/app/blobs/uploads/?mount=sha256:0&from=base/os"),
            is("repository:app:pull,push repository:base/os:pull")
        );
        assert_eq!(scopes(Method::GET, "/v2/blobs/manifests/latest"), is("repository:blobs:pull"));
    }
}
