//! One request and its answer: URLs that stay at our address, idle timeouts, errors decoded.

use super::Client;
use crate::{Operation, RegistryError};
use reqwest::{Method, RequestBuilder, Response, Url, header};
use serde::Deserialize;
use std::{future::Future, time::Duration};

/// An error body is a few hundred bytes; more is not worth keeping.
const LONGEST_ERROR: usize = 16 << 10;
/// `ENOSPC` as registry 2.8 writes it when its words leave it out: the number in Go's `syscall.Errno`.
const ENOSPC: u64 = 28;

/// The body of an error (distribution-spec, "Error Codes").
#[derive(Debug, Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Debug, Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    detail: serde_json::Value,
}

impl Client {
    /// `path` begins with a slash and is escaped already: names and digests need no escaping.
    pub(super) fn url(&self, path: &str) -> Url {
        let text = format!("http://{}{path}", self.config.address);
        // An address and a checked path always make a URL; the root is a harmless stand-in.
        Url::parse(&text).unwrap_or_else(|_| self.root())
    }

    fn root(&self) -> Url {
        #[expect(clippy::expect_used, reason = "a socket address is always a valid authority")]
        Url::parse(&format!("http://{}/", self.config.address)).expect("an address makes a URL")
    }

    /// Where a `Location` leads, at our address. Registries behind proxies name hosts that exist only there.
    pub(super) fn located(&self, from: &Url, location: &str) -> Option<Url> {
        let there = from.join(location).ok()?;
        let mut here = self.root();
        here.set_path(there.path());
        here.set_query(there.query());
        Some(here)
    }

    /// Whether a redirect stays with this registry.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let address = self.config.address;
        with_port.eq_ignore_ascii_case(&self.config.authority)
            || (url.port_or_known_default() == Some(address.port()) && host == address.ip().to_string())
    }

    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.http.get(url)
    }

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends a request without a (large) body. A question whose connection ends before the answer is asked once
    /// more: kept connections die with the tunnel's session, and asking twice changes nothing.
    pub(super) async fn send(
        &self,
        operation: Operation,
        request: RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let unreachable = |source| self.unreachable(source);
        let request = request.header(header::HOST, self.host.clone()).build().map_err(unreachable)?;
        let is_question = matches!(*request.method(), Method::GET | Method::HEAD);
        let again = is_question.then(|| request.try_clone()).flatten();
        match (self.idle(operation, self.http.execute(request)).await?, again) {
            (Ok(response), _) => Ok(response),
            // Where not even a connection was to be had, the next would fare no better.
            (Err(lost), Some(again)) if !lost.is_connect() => {
                self.idle(operation, self.http.execute(again)).await?.map_err(unreachable)
            }
            (Err(source), _) => Err(unreachable(source)),
        }
    }

    /// The bare future of a request, to be watched by whoever sends a body.
    pub(super) fn start(
        &self,
        request: RequestBuilder,
    ) -> impl Future<Output = Result<Response, reqwest::Error>> + Send + use<> {
        request.header(header::HOST, self.host.clone()).send()
    }

    /// Waits for one step of an exchange.
    pub(super) async fn idle<T>(
        &self,
        operation: Operation,
        step: impl Future<Output = T> + Send,
    ) -> Result<T, RegistryError> {
        tokio::time::timeout(self.config.idle_timeout, step).await.map_err(|_| self.timed_out(operation))
    }

    pub(super) const fn idle_timeout(&self) -> Duration {
        self.config.idle_timeout
    }

    pub(super) fn timed_out(&self, operation: Operation) -> RegistryError {
        RegistryError::TimedOut { operation, idle: self.config.idle_timeout }
    }

    pub(super) fn unreachable(&self, source: reqwest::Error) -> RegistryError {
        // The URL holds upload state that is of no use to anyone.
        RegistryError::Unreachable { address: self.config.address, source: source.without_url() }
    }

    pub(super) fn protocol(&self, what: impl Into<String>) -> RegistryError {
        RegistryError::Protocol { address: self.config.address, what: what.into() }
    }

    /// Reads a body of at most `most` bytes.
    pub(super) async fn body(
        &self,
        operation: Operation,
        mut response: Response,
        most: usize,
    ) -> Result<Vec<u8>, RegistryError> {
        let mut bytes = Vec::new();
        while let Some(chunk) =
            self.idle(operation, response.chunk()).await?.map_err(|source| self.unreachable(source))?
        {
            if bytes.len() + chunk.len() > most {
                return Err(
                    self.protocol(format!("an answer of more than {most} bytes where a short one belongs"))
                );
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// What a response that is no success means. `what` is what a 404 says is missing.
    pub(super) async fn failure(
        &self,
        operation: Operation,
        what: &str,
        response: Response,
    ) -> RegistryError {
        let status = response.status().as_u16();
        if response.status().is_redirection() {
            let to = header(&response, "location").unwrap_or_else(|| "another host".to_owned());
            let to = Url::parse(&to).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or(to);
            return RegistryError::Redirected { to };
        }
        let body = self.body(operation, response, LONGEST_ERROR).await.unwrap_or_default();
        let Words { details, codes, is_full } = Words::of(status, &body);
        let has = |code: &str| codes.iter().any(|c| c == code);
        match status {
            _ if is_full => RegistryError::DiskFull { details },
            401 => RegistryError::Auth { operation, details },
            403 => RegistryError::Denied { operation, details },
            // A registry in read-only mode does not know the writing methods.
            405 => RegistryError::Denied { operation, details },
            404 if has("BLOB_UPLOAD_UNKNOWN") => RegistryError::Failed { operation, status, details },
            404 => RegistryError::NotFound { what: what.to_owned(), details },
            _ => RegistryError::Failed { operation, status, details },
        }
    }
}

pub(super) fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// What the registry said.
#[derive(Debug)]
struct Words {
    details: String,
    codes: Vec<String>,
    is_full: bool,
}

impl Words {
    fn of(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else {
            let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let details = format!("HTTP {status} {}", first.trim().chars().take(300).collect::<String>());
            return Self { details: details.trim().to_owned(), codes: Vec::new(), is_full: says_full(&text) };
        };
        let is_full = body.errors.iter().any(|entry| {
            // Two shapes of 2.8: the words themselves, or Go's PathError with the bare number.
            says_full(&entry.message)
                || says_full(&entry.detail.to_string())
                || entry.detail.pointer("/Enclosed/Err").and_then(serde_json::Value::as_u64) == Some(ENOSPC)
        });
        let details: Vec<String> = body
            .errors
            .iter()
            .map(|entry| {
                let detail = match &entry.detail {
                    serde_json::Value::Null => String::new(),
                    serde_json::Value::String(text) => format!(" ({text})"),
                    detail @ (serde_json::Value::Bool(_)
                    | serde_json::Value::Number(_)
                    | serde_json::Value::Array(_)
                    | serde_json::Value::Object(_)) => format!(" ({detail})"),
                };
                format!("{}: {}{detail}", entry.code, entry.message)
            })
            .collect();
        let codes = body.errors.into_iter().map(|entry| entry.code).collect();
        Self { details: format!("HTTP {status} {}", details.join("; ")), codes, is_full }
    }
}

fn says_full(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("no space left") || text.contains("disk quota exceeded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientConfig;

    #[test]
    fn a_full_disk_is_heard_in_both_of_the_registrys_ways() {
        // As registry 2.8.2 answered a PATCH and a POST on a full tmpfs.
        for body in [
            r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":"write /x/data: no space left on device"}]}"#,
            r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Path":"/x/startedat","Err":28}}}]}"#,
        ] {
            assert!(Words::of(500, body.as_bytes()).is_full, "{body}");
        }
        let other =
            r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"Enclosed":{"Err":13}}}]}"#;
        assert!(!Words::of(500, other.as_bytes()).is_full);
        assert_eq!(Words::of(502, b"<html>\nBad gateway").details, "HTTP 502 <html>");
    }

    #[test]
    fn locations_stay_at_our_address() {
        let client =
            Client::new(ClientConfig::new(([127, 77, 1, 2], 5000).into(), "cr.boss.org:5000")).unwrap();
        let from = client.url("/v2/app/blobs/uploads/");
        for location in [
            "/v2/app/blobs/uploads/1?_state=a%3D",
            "http://cr.boss.org:5000/v2/app/blobs/uploads/1?_state=a%3D",
            "https://inside.example/v2/app/blobs/uploads/1?_state=a%3D",
            "1?_state=a%3D",
        ] {
            let url = client.located(&from, location).unwrap();
            assert_eq!(url.as_str(), "http://127.77.1.2:5000/v2/app/blobs/uploads/1?_state=a%3D");
        }
        let ours = |text: &str| client.is_ours(&Url::parse(text).unwrap());
        assert!(ours("http://cr.boss.org:5000/x") && ours("http://127.77.1.2:5000/x"));
        assert!(!ours("http://s3.example/x") && !ours("http://127.0.0.1:5000/x"));
    }
}
