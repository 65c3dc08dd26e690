//! The client: the OCI distribution-spec to one fixed address, over plain HTTP or TLS, with a login or without.
//!
//! Whatever names the registry gives itself (in `Location`, in redirects), every request goes to the address
//! the client was made for: that is the tunnel's end, and nothing else leads to this registry.

mod answers;
mod auth;
mod blob;
mod choose;
mod company;
mod compose;
mod contents;
mod copy;
mod crossed;
mod exchange;
mod export;
pub(crate) mod fuzzing;
mod layer;
mod learn;
mod manifest;
mod names;
mod part;
mod pull;
mod push;
mod referrers;
mod retry;
mod room;
mod stored;
mod survey;
mod tls;
mod upload;
mod way;
mod whole;

pub use auth::{CredentialSource, Credentials};
pub use blob::PullError;
pub use company::Scope;
pub use crossed::Crossed;
pub use manifest::Manifest;
pub use part::remove_parts;
pub use push::Sending;
pub(crate) use push::blocking;
pub use stored::{OpenLayer, StoredImage, StoredLayer};
pub use survey::{EngineImage, Survey};
pub use tls::provide as choose_cryptography;
pub use tls::{CertificateFlaw, TlsFiles};
pub use way::SpokenTls;

use crate::{Operation, RegistryError};
use dockline_model::RegistryUrl;
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// Where the registry is and how patient to be.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Where to connect: the tunnel's listener.
    pub address: SocketAddr,
    /// What to call the registry in the `Host` header: `cr.boss.org:5000`.
    pub authority: String,
    /// What it calls itself, where that is something else, since another port leads to it.
    pub own_authority: Option<String>,
    /// What records call it, where its name does not say enough: each of several hosts has contents of its own.
    pub recorded_as: Option<String>,
    /// Give up after nothing moved for this long; there is no limit on the whole of a transfer.
    pub idle_timeout: Duration,
    /// How many layers are pulled or copied at once.
    pub parallel: usize,
    /// Where the registry is if no tunnel leads there; `address` is not used then.
    pub url: Option<RegistryUrl>,
    /// Whom to trust and what to show where the registry speaks TLS. Through a tunnel Dockline finds out whether it does.
    pub tls: TlsFiles,
    /// What clients for the same registry hand on to one another.
    pub spoken_tls: SpokenTls,
    /// Who we are there, for when it asks.
    pub credentials: Option<Arc<dyn CredentialSource>>,
}

impl ClientConfig {
    /// With 60 s of patience and three layers at once.
    #[must_use]
    pub fn new(address: SocketAddr, authority: impl Into<String>) -> Self {
        Self {
            address,
            authority: authority.into(),
            own_authority: None,
            recorded_as: None,
            idle_timeout: Duration::from_secs(60),
            parallel: 3,
            url: None,
            tls: TlsFiles::default(),
            spoken_tls: SpokenTls::default(),
            credentials: None,
        }
    }
}

/// Speaks to one registry. Cheap to clone; clones share their connections, which close when the last clone is
/// gone, or 2 s after the last request: an idle connection would hold the tunnel open.
#[derive(Debug, Clone)]
pub struct Client {
    way: way::Way,
    auth: auth::Auth,
    config: ClientConfig,
    host: reqwest::header::HeaderValue,
    whole: names::WholeList,
    crossed: Crossed,
    answers: answers::Answers,
    hearer: choose::Hearer,
    /// Whether pulls leave their unfinished files, however they end.
    leaves_parts: Arc<AtomicBool>,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// When `authority` cannot be a `Host` header.
    pub fn new(config: ClientConfig) -> Result<Self, RegistryError> {
        let host = config
            .authority
            .parse()
            .map_err(|_| RegistryError::Authority { authority: config.authority.clone() })?;
        let way = way::Way::new(&config)?;
        let auth = auth::Auth::default();
        let (whole, crossed) = (names::WholeList::default(), Crossed::default());
        let (answers, hearer) = (answers::Answers::default(), choose::Hearer::default());
        Ok(Self { way, auth, config, host, whole, crossed, answers, hearer, leaves_parts: Arc::default() })
    }

    /// Asks whether a registry answers (`GET /v2/`, distribution-spec end-1).
    ///
    /// # Errors
    /// Unreachable, or not a registry, or it wants a login.
    pub async fn ping(&self) -> Result<(), RegistryError> {
        let operation = Operation::Ping;
        let response = self.send(operation, self.get(self.url("/v2/"))).await?;
        let is_page = exchange::header(&response, "content-type").is_some_and(|kind| kind.contains("html"));
        match response.status().as_u16() {
            200 if !is_page => Ok(()),
            401 => Err(self.failure(operation, "a registry API", response).await),
            status if status >= 500 => Err(self.failure(operation, "a registry API", response).await),
            status => {
                let what =
                    if is_page { "it sends web pages".to_owned() } else { format!("HTTP {status} for /v2/") };
                Err(self.protocol(what))
            }
        }
    }

    /// The registry's name for itself in references.
    pub(crate) fn authority(&self) -> &str {
        &self.config.authority
    }

    /// Its name in records.
    pub(crate) fn recorded_as(&self) -> &str {
        self.config.recorded_as.as_deref().unwrap_or(&self.config.authority)
    }
}
