//! The way a request takes: plain HTTP or TLS, through the tunnel or to the registry's own address.

use super::{Client, ClientConfig, tls};
use crate::RegistryError;
use reqwest::Url;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// HTTP clients and what was found out about the registry. Clones share both.
#[derive(Debug, Clone)]
pub(super) struct Way {
    plain: reqwest::Client,
    /// Made when TLS is first spoken: that reads the system's authorities.
    encrypted: Arc<OnceLock<reqwest::Client>>,
    /// For token servers and stores elsewhere, which get no certificate of ours.
    elsewhere: Arc<OnceLock<reqwest::Client>>,
    is_tls: Arc<AtomicBool>,
    /// Whether the registry has answered, so that there is nothing more to find out.
    is_known: Arc<AtomicBool>,
    spoken: SpokenTls,
}

/// Whether a registry has ever spoken TLS to this process. Clones share it: whoever makes a new client for the same
/// registry hands it over, and that client speaks nothing else. Otherwise whoever gets hold of the registry's port, while
/// it is down or on the way there, would only have to ask for the login in plain HTTP.
#[derive(Debug, Clone, Default)]
pub struct SpokenTls(Arc<AtomicBool>);

impl SpokenTls {
    fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

fn builder(config: &ClientConfig) -> reqwest::ClientBuilder {
    tls::provide();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(config.idle_timeout)
        .pool_idle_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .user_agent(concat!("dockline/", env!("CARGO_PKG_VERSION")))
}

fn setup(source: reqwest::Error) -> RegistryError {
    RegistryError::Setup { source }
}

impl Way {
    pub(super) fn new(config: &ClientConfig) -> Result<Self, RegistryError> {
        // A proxy from the environment cannot know this machine's loopback. Without authorities none need be read.
        let plain = builder(config).no_proxy().tls_certs_only([]).build().map_err(setup)?;
        let is_tls = config
            .url
            .as_ref()
            .map_or_else(|| config.tls.is_set() || config.spoken_tls.is_known(), |url| url.is_tls());
        let is_known = config.url.is_some() || is_tls;
        let way = Self {
            plain,
            encrypted: Arc::default(),
            elsewhere: Arc::default(),
            is_tls: Arc::new(AtomicBool::new(false)),
            is_known: Arc::new(AtomicBool::new(is_known)),
            spoken: config.spoken_tls.clone(),
        };
        if is_tls {
            way.speak_tls(config)?;
        }
        Ok(way)
    }

    pub(super) fn is_tls(&self) -> bool {
        self.is_tls.load(Ordering::Relaxed)
    }

    pub(super) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    pub(super) fn has_answered(&self, url: &Url) {
        if url.scheme() == "https" {
            self.spoken.note();
            // Another request may have been lost meanwhile, and taken that for no TLS.
            self.is_tls.store(true, Ordering::Relaxed);
        }
        self.is_known.store(true, Ordering::Relaxed);
    }

    /// Whether the registry has shown, to this client or another, that it speaks TLS.
    pub(super) fn has_spoken_tls(&self) -> bool {
        self.spoken.is_known()
    }

    /// From now on: what looked like TLS was none. Not where there ever was some.
    pub(super) fn speak_plain(&self) {
        if !self.spoken.is_known() {
            self.is_tls.store(false, Ordering::Relaxed);
        }
    }

    /// From now on.
    pub(super) fn speak_tls(&self, config: &ClientConfig) -> Result<(), RegistryError> {
        if self.encrypted.get().is_none() {
            let mut builder = config.tls.apply(builder(config))?;
            if config.url.is_none() {
                // The name is the certificate's business; the address is the tunnel's.
                builder = builder.no_proxy().resolve(host_of(&config.authority), config.address);
            }
            let made = builder.build().map_err(setup)?;
            // Another request may have found out at the same time.
            let _ = self.encrypted.set(made);
        }
        self.is_tls.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// `cr.boss.org:5000` without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) | None => authority,
    }
}

impl Client {
    /// Whether the registry speaks TLS, as far as is known.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.way.is_tls()
    }

    /// For requests to the registry itself.
    pub(super) fn http(&self) -> &reqwest::Client {
        self.http_for(self.way.is_tls())
    }

    /// The one that fits a request which is made already: meanwhile it may have been found out that the registry speaks
    /// the other.
    pub(super) fn http_to(&self, url: &Url) -> &reqwest::Client {
        self.http_for(url.scheme() == "https")
    }

    fn http_for(&self, is_tls: bool) -> &reqwest::Client {
        match self.way.encrypted.get() {
            Some(encrypted) if is_tls => encrypted,
            Some(_) | None => &self.way.plain,
        }
    }

    /// For requests to anybody else. Reads the system's authorities the first time.
    pub(super) fn elsewhere(&self) -> Result<&reqwest::Client, RegistryError> {
        if let Some(client) = self.way.elsewhere.get() {
            return Ok(client);
        }
        // The token server of a private registry has its certificate from the same authority.
        let files = tls::TlsFiles {
            authority: None,
            more_authorities: self
                .config
                .tls
                .authority
                .iter()
                .chain(&self.config.tls.more_authorities)
                .cloned()
                .collect(),
            identity: None,
        };
        let made = files.apply(builder(&self.config))?.build().map_err(setup)?;
        Ok(self.way.elsewhere.get_or_init(|| made))
    }

    /// Where `/v2/` hangs: the tunnel's end, or the registry's own address.
    pub(super) fn root(&self) -> Url {
        let text = match &self.config.url {
            Some(url) => {
                format!("{}://{}/", if url.is_tls() { "https" } else { "http" }, url.endpoint())
            }
            // Without a port, so that the one that the name was given with its address holds.
            None if self.way.is_tls() => format!("https://{}/", host_of(&self.config.authority)),
            None => format!("http://{}/", self.config.address),
        };
        #[expect(clippy::expect_used, reason = "a checked authority or a socket address always makes a URL")]
        Url::parse(&text).expect("an address makes a URL")
    }

    /// A path as the registry wants it, with the repository's name there.
    pub(super) fn path(&self, path: &str) -> String {
        const ENDPOINTS: [&str; 4] = ["/manifests/", "/blobs/", "/tags/list", "/referrers/"];
        let Some(rest) = path.strip_prefix("/v2/") else { return path.to_owned() };
        // The last of them: a repository may be called as an endpoint is.
        let name_ends = ENDPOINTS.iter().filter_map(|endpoint| rest.rfind(endpoint)).max();
        match name_ends.map(|at| rest.split_at(at)) {
            Some((name, endpoint)) => format!("/v2/{}{endpoint}", self.repository_there(name)),
            None => path.to_owned(),
        }
    }

    /// What the registry calls a repository: on Docker Hub one without an owner is `library`'s (distribution,
    /// `reference/normalize.go`).
    pub(super) fn repository_there(&self, name: &str) -> String {
        let is_hub = self.config.url.as_ref().is_some_and(|url| url.is_hub());
        if is_hub && !name.contains('/') { format!("library/{name}") } else { name.to_owned() }
    }

    /// What stands before `/v2/` in every path.
    pub(super) fn prefix(&self) -> String {
        self.config.url.as_ref().map(|url| url.path()).unwrap_or_default()
    }

    /// `url` at the registry's own address, whatever name it gives itself.
    pub(super) fn at_ours(&self, url: &Url) -> Url {
        let mut here = self.root();
        here.set_path(url.path());
        here.set_query(url.query());
        here
    }

    /// What an error calls the place.
    pub(super) fn place(&self) -> String {
        match &self.config.url {
            Some(url) => url.authority(),
            None => self.config.address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
