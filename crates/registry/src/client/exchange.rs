//! One request and its answer: URLs that stay at our address, idle timeouts, errors decoded.

use super::{
    Client,
    auth::{LoggedIn, Refusal},
    retry,
    tls::{self, Verdict},
};
use crate::{Operation, RegistryError};
use reqwest::{Method, Request, RequestBuilder, Response, StatusCode, Url, header};
use serde::Deserialize;
use std::{error::Error as _, future::Future, iter, time::Duration};

/// An error body is a few hundred bytes; more is not worth keeping.
const LONGEST_ERROR: usize = 16 << 10;
/// Hosts that a reader of a blob is sent to one after another, at most: two are seen, a ring would be endless.
const MOST_STEPS: usize = 4;
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
        let mut url = self.root();
        let path = self.path(path);
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path.as_str(), None),
        };
        url.set_path(&format!("{}{path}", self.prefix()));
        url.set_query(query);
        url
    }

    /// Where a `Location` leads, at our address. Registries behind proxies name hosts that exist only there.
    pub(super) fn located(&self, from: &Url, location: &str) -> Option<Url> {
        Some(self.at_ours(&from.join(location).ok()?))
    }

    /// Whether a URL leads to this registry.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        if url.origin() == self.root().origin() {
            return true;
        }
        if self.config.url.is_some() {
            return false;
        }
        let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let address = self.config.address;
        let mut names = iter::once(&self.config.authority).chain(&self.config.own_authority);
        names.any(|name| with_port.eq_ignore_ascii_case(name))
            || (url.port_or_known_default() == Some(address.port()) && host == address.ip().to_string())
    }

    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.http().get(url)
    }

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http().request(method, url)
    }

    /// Sends a request without a (large) body, with whatever the registry needs to let it in. A question that the
    /// registry fails at in a way that may pass is asked again a moment later: asking twice changes nothing.
    pub(super) async fn send(
        &self,
        operation: Operation,
        request: RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let mut request = self.prepared(request).map_err(|source| self.unreachable(source))?;
        let mut pauses = retry::PAUSES.into_iter();
        loop {
            let again = is_question(&request).then(|| request.try_clone()).flatten();
            let response = self.exchanged(operation, self.as_spoken_now(request)).await?;
            let pause = again.as_ref().and_then(|_| retry::pause(&response, &mut pauses));
            let (Some(next), Some(pause)) = (again, pause) else { return Ok(response) };
            tracing::info!(status = response.status().as_u16(), ?pause, "the registry is asked again");
            tokio::time::sleep(pause).await;
            request = next;
        }
    }

    /// A question whose connection ends before the answer is asked once more: kept connections die with the tunnel's
    /// session.
    async fn exchanged(&self, operation: Operation, request: Request) -> Result<Response, RegistryError> {
        let is_question = is_question(&request);
        let is_get = *request.method() == Method::GET;
        let range = request.headers().get(header::RANGE).cloned();
        let is_head = *request.method() == Method::HEAD;
        let again = is_question.then(|| request.try_clone()).flatten();
        let in_tls = if self.way.is_known() { None } else { request.try_clone() };
        let first = self.admitted(operation, request).await;
        let sent = match (first, in_tls) {
            // The answer to a HEAD does not say why.
            (Ok(response), Some(in_tls)) if is_head && response.status() == StatusCode::BAD_REQUEST => {
                match self.encrypted(operation, in_tls).await {
                    Err(Refusal::Lost(lost)) if is_no_tls(&lost) => {
                        self.way.speak_plain();
                        Ok(response)
                    }
                    sent => sent,
                }
            }
            // Nothing is known of this registry yet: what it makes of plain HTTP tells whether it speaks TLS.
            (Ok(response), Some(in_tls)) => match self.told_to_encrypt(operation, response).await? {
                Told::Answer(response) => Ok(response),
                Told::Encrypt => self.encrypted(operation, in_tls).await,
            },
            (Err(Refusal::Lost(lost)), Some(in_tls)) if is_no_http(&lost) => {
                match self.encrypted(operation, in_tls).await {
                    // It speaks neither, or was away for a moment.
                    Err(Refusal::Lost(other)) if is_no_tls(&other) => {
                        self.way.speak_plain();
                        Err(Refusal::Lost(lost))
                    }
                    sent => sent,
                }
            }
            (sent, _) => sent,
        };
        let response = match (sent, again) {
            (Ok(response), _) => response,
            // Where not even a connection was to be had, the next would fare no better.
            (Err(Refusal::Lost(lost)), Some(again)) if !lost.is_connect() => {
                let again = self.as_spoken_now(again);
                self.admitted(operation, again).await.map_err(|refusal| self.refused(refusal))?
            }
            (Err(refusal), _) => return Err(self.refused(refusal)),
        };
        self.way.has_answered(response.url());
        match self.config.url.is_some() && is_get && response.status().is_redirection() {
            true => self.followed(operation, response, range.as_ref()).await,
            false => Ok(response),
        }
    }

    fn prepared(&self, request: RequestBuilder) -> Result<Request, reqwest::Error> {
        match &self.config.url {
            Some(_) => request.build(),
            None => request.header(header::HOST, self.host.clone()).build(),
        }
    }

    /// Whether the registry speaks TLS may have been found out since a request was made.
    fn as_spoken_now(&self, mut request: Request) -> Request {
        if self.config.url.is_none() {
            let url = self.at_ours(request.url());
            *request.url_mut() = url;
        }
        request
    }

    fn refused(&self, refusal: Refusal) -> RegistryError {
        match refusal {
            Refusal::Lost(source) => self.unreachable(source),
            Refusal::Login(error) => error,
        }
    }

    async fn encrypted(&self, operation: Operation, request: Request) -> Result<Response, Refusal> {
        self.way.speak_tls(&self.config).map_err(Refusal::Login)?;
        self.admitted(operation, self.as_spoken_now(request)).await
    }

    /// Whether a server on whose port only TLS is spoken says so: Go's and nginx's in plain words.
    async fn told_to_encrypt(&self, operation: Operation, response: Response) -> Result<Told, RegistryError> {
        if response.status() != StatusCode::BAD_REQUEST {
            return Ok(Told::Answer(response));
        }
        let bytes = self.body(operation, response, LONGEST_ERROR).await?;
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("HTTP request to an HTTPS server")
            || text.contains("HTTP request was sent to HTTPS port")
        {
            return Ok(Told::Encrypt);
        }
        let again = http::Response::builder().status(StatusCode::BAD_REQUEST).body(bytes);
        again
            .map(|response| Told::Answer(response.into()))
            .map_err(|_| self.protocol("an answer that cannot be read twice"))
    }

    /// Large registries keep blobs elsewhere and send their readers there: without the login, which is no business of
    /// whoever is there, and never without TLS.
    async fn followed(
        &self,
        operation: Operation,
        mut response: Response,
        range: Option<&header::HeaderValue>,
    ) -> Result<Response, RegistryError> {
        for _ in 0..MOST_STEPS {
            let target = header(&response, "location").and_then(|target| response.url().join(&target).ok());
            let Some(target) = target.filter(|target| !self.is_ours(target) && target.scheme() == "https")
            else {
                break;
            };
            let place = target.host_str().unwrap_or_default().to_owned();
            let mut request = self.elsewhere()?.get(target);
            if let Some(range) = range {
                request = request.header(header::RANGE, range);
            }
            let answer = self.idle(operation, request.send()).await?;
            response = answer.map_err(|source| self.unreachable_at(place, source))?;
            if !response.status().is_redirection() {
                break;
            }
        }
        Ok(response)
    }

    /// The bare future of a request, to be watched by whoever sends a body. It cannot be sent twice, so it gets whatever
    /// lets it in beforehand; the question before it has found that out.
    pub(super) fn start(
        &self,
        request: RequestBuilder,
    ) -> impl Future<Output = Result<Response, reqwest::Error>> + Send + use<> {
        let client = self.clone();
        async move {
            let mut request = client.prepared(request)?;
            if let Err(error) = client.authorize(&mut request).await {
                // The registry says it again, to the whole of the request.
                tracing::info!(%error, "no token for the body of a request");
            }
            let used = request.headers().get(header::AUTHORIZATION).cloned();
            let response = client.http_to(request.url()).execute(request).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                client.forget_token(used.as_ref());
            }
            Ok(response)
        }
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
        match tls::verdict(&source) {
            // The certificate is for the name, and the address may be the tunnel's end.
            Some(Verdict::Theirs(_)) => self.unreachable_at(self.config.authority.clone(), source),
            Some(Verdict::Ours | Verdict::NotTls) | None => self.unreachable_at(self.place(), source),
        }
    }

    /// `place`: who it is that was not reached.
    fn unreachable_at(&self, place: String, source: reqwest::Error) -> RegistryError {
        match tls::verdict(&source) {
            Some(Verdict::Theirs(flaw)) => return RegistryError::Certificate { authority: place, flaw },
            Some(Verdict::Ours) => {
                return RegistryError::ClientCertificate { has_one: self.config.tls.identity.is_some() };
            }
            Some(Verdict::NotTls) => {
                let is_meant = self.config.url.is_some() || self.config.tls.is_set();
                let what = match !is_meant && self.way.has_spoken_tls() {
                    true => {
                        "it has spoken TLS before and does not now; if that is meant, quit Dockline and start it again"
                    }
                    false => "it does not speak TLS, which is expected of it",
                };
                let what = what.to_owned();
                return RegistryError::Protocol { address: place, what };
            }
            None => {}
        }
        // The URL holds upload state that is of no use to anyone.
        RegistryError::Unreachable { address: place, source: source.without_url() }
    }

    pub(super) fn protocol(&self, what: impl Into<String>) -> RegistryError {
        RegistryError::Protocol { address: self.place(), what: what.into() }
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
            self.crossed.received(chunk.len());
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
        let is_logged_in = response.extensions().get::<LoggedIn>().is_some();
        let body = self.body(operation, response, LONGEST_ERROR).await.unwrap_or_default();
        if status == 400 && wants_certificate(&body) {
            return RegistryError::ClientCertificate { has_one: self.config.tls.identity.is_some() };
        }
        let Words { details, codes, is_full } = Words::of(status, &body);
        let has = |code: &str| codes.iter().any(|c| c == code);
        match status {
            _ if is_full => RegistryError::DiskFull { details },
            // A token server gives whoever may not a token with nothing in it.
            401 if is_logged_in => RegistryError::Denied { operation, user: self.user(), details },
            401 => RegistryError::Auth { operation, details },
            403 => RegistryError::Denied { operation, user: self.user(), details },
            // A registry in read-only mode does not know the writing methods.
            405 => RegistryError::Denied { operation, user: None, details },
            404 if has("BLOB_UPLOAD_UNKNOWN") => RegistryError::Failed { operation, status, details },
            404 => RegistryError::NotFound { what: what.to_owned(), details },
            _ => RegistryError::Failed { operation, status, details },
        }
    }
}

fn is_question(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// What an answer to the first request says about TLS.
enum Told {
    /// Nothing: it is the answer.
    Answer(Response),
    /// To speak it.
    Encrypt,
}

/// Whether what came back to a ClientHello is no TLS, or nothing.
fn is_no_tls(error: &reqwest::Error) -> bool {
    matches!(tls::verdict(error), None | Some(Verdict::NotTls))
}

/// Whether what came back to a plain request is no HTTP: a TLS server's alert looks like that, or a closed connection.
fn is_no_http(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_parse() || error.is_incomplete_message();
        }
        next = error.source();
    }
    false
}

/// nginx's words to who shows no certificate, or another than it wants.
fn wants_certificate(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("No required SSL certificate was sent") || text.contains("The SSL certificate error")
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
mod tests;
