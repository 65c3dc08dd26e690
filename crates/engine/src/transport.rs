//! The HTTP transport below bollard, and the place where raw answers of pushes and pulls are taken.
//!
//! bollard builds every request and reads every refusal. Of a push or pull that was accepted, though, its types
//! lose what Dockline shows (`PushImageInfo` has neither layer ids nor the digest, `ProgressDetail` no unit), so
//! a transfer runs over a transport of its own that hands the *body* to us and never answers bollard. Nobody
//! copies or buffers: whoever holds the body reads it off the socket, and dropping it closes the connection,
//! which is how an engine learns that its work is not wanted any more.

use crate::{EngineEndpoint, dial::dial};
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker, errors::Error};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    Request, Response, Uri,
    body::Incoming,
    client::conn::http1,
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, join, split},
    sync::oneshot,
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// How long an engine may take to *begin* its answer, in seconds. A pull begins it only when the registry has
/// told the manifest, for which dockerd may dial, wait 15 s for a ping and follow a login first.
const PATIENCE: u64 = 120;
/// How long it may take to say something about itself.
const ANSWER: Duration = Duration::from_secs(20);

/// Bytes that an engine elsewhere may answer on one connection, whoever rules that machine: what is longest is about an
/// image, with its labels and variables. What it says of a transfer is read as it comes, and not kept.
const ANSWERS: u64 = 4 << 20;

/// What bollard's requests carry, which it has no public name for.
type Body = <BollardRequest as Carries>::Body;

pub(crate) trait Carries {
    type Body;
}

impl<B> Carries for Request<B> {
    type Body = B;
}

/// A connection to an engine; dropping it closes it.
pub(crate) struct Line {
    pub(crate) sender: http1::SendRequest<Body>,
    connection: AbortOnDropHandle<()>,
}

impl Line {
    async fn open(endpoint: &EngineEndpoint, is_transfer: bool) -> Result<Self, Error> {
        let mut stream = dial(endpoint).await?;
        if matches!(endpoint, EngineEndpoint::Elsewhere(_)) && !is_transfer {
            let (answers, questions) = split(stream);
            stream = Box::new(join(answers.take(ANSWERS), questions));
        }
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = connection.await {
                // The same error reaches whoever reads the answer; this is for the log alone.
                tracing::debug!(%error, "connection to the engine ended");
            }
        }));
        Ok(Self { sender, connection })
    }

    /// To whoever reads its answer: hyper closes it after that.
    pub(crate) fn leave(self) {
        drop(self.connection.detach());
    }
}

/// The body of an accepted transfer; dropping it closes the connection to the engine.
pub(crate) struct RawBody {
    body: Incoming,
    _connection: AbortOnDropHandle<()>,
}

impl RawBody {
    /// The next bytes; `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            match self.body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(bytes) => return Some(Ok(bytes)),
                    // Trailers: no engine sends any.
                    Err(_) => continue,
                },
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// bollard on `endpoint`, for calls with small typed answers.
pub(crate) fn typed(endpoint: &EngineEndpoint) -> Result<Docker, Error> {
    over(endpoint, None)
}

/// bollard on `endpoint` for one transfer: a refusal comes out of bollard, the body of an accepted one here.
pub(crate) fn diverting(endpoint: &EngineEndpoint) -> Result<(Docker, oneshot::Receiver<RawBody>), Error> {
    let (sender, body) = oneshot::channel();
    let taker = Arc::new(Mutex::new(Some(sender)));
    Ok((over(endpoint, Some(taker))?, body))
}

/// One small answer, in a type of ours: bollard's have no place for what Podman adds.
pub(crate) async fn get<T: DeserializeOwned>(endpoint: &EngineEndpoint, path: &str) -> Result<T, Error> {
    let request = Request::get(path).body(bollard::body_full(Bytes::new()))?;
    let asked = async {
        let response = send(endpoint.clone(), None, request).await?;
        let status_code = response.status().as_u16();
        let is_success = response.status().is_success();
        let body = response.into_body().collect().await?.to_bytes();
        if is_success {
            Ok(serde_json::from_slice(&body)?)
        } else {
            let message = String::from_utf8_lossy(&body).trim().to_owned();
            Err(Error::DockerResponseServerError { status_code, message })
        }
    };
    timeout(ANSWER, asked).await.map_err(|_| Error::RequestTimeoutError)?
}

/// An answer of any length, read as it comes. How long the engine takes to begin it is not bounded: dockerd prepares the
/// whole of an export first, and reads the whole of an image that it loads.
pub(crate) async fn open(endpoint: &EngineEndpoint, request: BollardRequest) -> Result<RawBody, Error> {
    let (sender, body) = oneshot::channel();
    let taker = Arc::new(Mutex::new(Some(sender)));
    tokio::select! {
        biased;
        Ok(body) = body => Ok(body),
        refusal = send(endpoint.clone(), Some(taker), request) => {
            let response = refusal?;
            let status_code = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            // `{"message":"…"}`, as every refusal of the engine API.
            let message = serde_json::from_slice::<serde_json::Value>(&body).ok();
            let message = message.as_ref().and_then(|body| body.get("message")?.as_str().map(str::to_owned));
            let message = message.unwrap_or_else(|| String::from_utf8_lossy(&body).trim().to_owned());
            Err(Error::DockerResponseServerError { status_code, message })
        }
    }
}

/// Takes the body of the first accepted request.
type Taker = Arc<Mutex<Option<oneshot::Sender<RawBody>>>>;

fn over(endpoint: &EngineEndpoint, taker: Option<Taker>) -> Result<Docker, Error> {
    let endpoint = endpoint.clone();
    let transport = move |request| send(endpoint.clone(), taker.clone(), request);
    // The authority is a formality: the transport knows where to connect.
    Docker::connect_with_custom_transport(transport, Some("http://localhost"), PATIENCE, API_DEFAULT_VERSION)
}

async fn send(
    endpoint: EngineEndpoint,
    taker: Option<Taker>,
    request: BollardRequest,
) -> Result<Response<Incoming>, Error> {
    // A connection for each request: they are few, and so each ends with what it carried. A transfer has one of its own
    // everywhere.
    let machine = match (&endpoint, &taker) {
        (EngineEndpoint::Elsewhere(machine), None) => Some(machine),
        _ => None,
    };
    let kept = match machine {
        Some(machine) => machine.kept().await,
        None => None,
    };
    let mut line = match kept {
        Some(line) => line,
        None => Line::open(&endpoint, taker.is_some()).await?,
    };
    let response = line.sender.send_request(in_origin_form(request)?).await?;
    let taker = taker
        .filter(|_| response.status().is_success())
        .and_then(|taker| taker.lock().unwrap_or_else(PoisonError::into_inner).take());
    match taker {
        Some(taker) => {
            // If nobody waits any more, the body comes back and is dropped: the connection closes.
            drop(taker.send(RawBody { body: response.into_body(), _connection: line.connection }));
            pending().await
        }
        None => {
            match machine {
                Some(machine) => machine.keep(line),
                None => line.leave(),
            }
            Ok(response)
        }
    }
}

/// RFC 9112 §3.2.1: a server is asked for a path, with the authority in `Host`.
fn in_origin_form(request: BollardRequest) -> Result<BollardRequest, Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse::<Uri>()?;
    parts.headers.insert(HOST, HeaderValue::from_static("localhost"));
    Ok(Request::from_parts(parts, body))
}
