//! A small registry inside the program: distribution-spec pull and push over files in one folder.
//!
//! It has no login: it listens on loopback and is reached through SSH. What SSH does not keep out is a web page
//! the person has open, so requests that a browser made are refused.

mod answer;
mod blob;
mod manifest;
mod referrers;
mod route;
mod shelf;
mod storage;
mod upload;

use answer::Refusal;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    response::Response,
};
use route::Route;
pub use shelf::{SHELF_IMAGE, SHELF_USER, Shelf, ShelfLayers};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};
use storage::Storage;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use upload::Uploads;

/// A running registry. Dropping it stops it: no new connections, and those there are end with their request.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

/// How a [`Server`] behaves.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// The `Host` headers it answers to (`cr.boss.org:5000`); empty for any. A list shuts out web pages whose
    /// name was made to point here (DNS rebinding).
    pub allowed_hosts: Vec<String>,
}

/// Why the built-in registry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not this machine's.
    #[error("the built-in registry cannot listen at {address}: {source}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The storage folder cannot be made or read.
    #[error("the built-in registry cannot use {}: {source}", .path.display())]
    Storage {
        /// Which folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// What every request needs.
#[derive(Debug)]
struct Shared {
    storage: Storage,
    uploads: Uploads,
    options: ServerOptions,
}

impl Server {
    /// Listens at `address` and keeps its blobs and manifests under `storage`.
    ///
    /// # Errors
    /// When the address is taken or the folder cannot be used.
    pub async fn bind(address: SocketAddr, storage: &Path) -> Result<Self, ServerError> {
        Self::bind_with(address, storage, ServerOptions::default()).await
    }

    /// [`Self::bind`], with options.
    ///
    /// # Errors
    /// When the address is taken or the folder cannot be used.
    pub async fn bind_with(
        address: SocketAddr,
        storage: &Path,
        options: ServerOptions,
    ) -> Result<Self, ServerError> {
        let bind = |source| ServerError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        Self::serve(listener, storage, options).await
    }

    /// The same at a listener that is there already.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub async fn serve(
        listener: TcpListener,
        storage: &Path,
        options: ServerOptions,
    ) -> Result<Self, ServerError> {
        let storage = Storage::open(storage)
            .await
            .map_err(|source| ServerError::Storage { path: storage.to_owned(), source })?;
        // Whoever asks it from the same process does so with reqwest, which wants that chosen.
        crate::client::choose_cryptography();
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let address =
            listener.local_addr().map_err(|source| ServerError::Bind { address: nowhere, source })?;
        let shared = Arc::new(Shared { storage, uploads: Uploads::default(), options });
        let router = Router::new().fallback(handle).with_state(shared);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the built-in registry stopped");
            }
        });
        Ok(Self { address, stop, task: Some(task) })
    }

    /// The address it listens at.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops it and waits until the last request is answered.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the built-in registry ended badly");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    match answer(&shared, request).await {
        Ok(response) => response,
        Err(refusal) => {
            tracing::debug!(%method, path, %refusal, "refused");
            refusal.into_response(method == Method::HEAD)
        }
    }
}

async fn answer(shared: &Arc<Shared>, request: Request) -> Result<Response, Refusal> {
    refuse_browsers(request.headers(), &shared.options)?;
    let method = request.method().clone();
    let route = route::parse(request.uri().path()).ok_or(Refusal::Unknown)?;
    match (route, method) {
        (Route::Root, Method::GET | Method::HEAD) => Ok(answer::json(&serde_json::json!({}))),
        (Route::Catalog, Method::GET) => manifest::catalog(shared, request.uri().query()).await,
        (Route::Tags { repository }, Method::GET) => {
            manifest::tags(shared, &repository, request.uri().query()).await
        }
        (Route::Referrers { repository, digest }, Method::GET) => {
            referrers::list(shared, &repository, &digest, request.uri().query()).await
        }
        (Route::Blob { repository, digest }, Method::GET | Method::HEAD) => {
            let is_head = request.method() == Method::HEAD;
            blob::get(shared, &repository, &digest, request.headers(), is_head).await
        }
        (Route::Blob { repository, digest }, Method::DELETE) => {
            blob::delete(shared, &repository, &digest).await
        }
        (Route::Uploads { repository }, Method::POST) => upload::begin(shared, &repository, request).await,
        (Route::Upload { repository, id }, Method::GET) => upload::status(shared, &repository, &id).await,
        (Route::Upload { repository, id }, Method::PATCH) => {
            upload::append(shared, &repository, &id, request).await
        }
        (Route::Upload { repository, id }, Method::PUT) => {
            upload::finish(shared, &repository, &id, request).await
        }
        (Route::Upload { repository, id }, Method::DELETE) => upload::cancel(shared, &repository, &id).await,
        (Route::Manifest { repository, reference }, Method::GET | Method::HEAD) => {
            manifest::get(shared, &repository, &reference, request.method() == Method::HEAD).await
        }
        (Route::Manifest { repository, reference }, Method::PUT) => {
            manifest::put(shared, &repository, &reference, request).await
        }
        (Route::Manifest { repository, reference }, Method::DELETE) => {
            manifest::delete(shared, &repository, &reference).await
        }
        _ => Err(Refusal::Unsupported),
    }
}

/// Registry clients are no browsers: they send no `Origin`, no `Sec-Fetch-*`, and do not call themselves
/// Mozilla, as every browser does. `Sec-Fetch-*` alone is not enough: over plain HTTP browsers send it to
/// loopback names only, not to a name that was rebound to loopback.
fn refuse_browsers(headers: &HeaderMap, options: &ServerOptions) -> Result<(), Refusal> {
    let is_browser = headers.contains_key(header::ORIGIN)
        || headers.keys().any(|name| name.as_str().starts_with("sec-fetch-"))
        || headers.get(header::USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
    if is_browser {
        return Err(Refusal::Browser);
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let allowed = &options.allowed_hosts;
    if !allowed.is_empty() && !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
        return Err(Refusal::Host(host.to_owned()));
    }
    Ok(())
}
