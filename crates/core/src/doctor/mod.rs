//! The doctor: follows the whole way from `docker push` to a blob on the host, link by link, with real requests, and
//! says of each link whether it holds, why not, and what mends it.
//!
//! It knows no controller: a [`Case`] goes in, the links come out one at a time.

mod engine;
mod remedy;
mod report;
mod way;

pub(crate) use report::{summary, text};

use crate::{
    Paths,
    config::free_port,
    setup::{Setup, look},
};
use dockline_engine::Surroundings;
use dockline_model::{Code, Link, LinkState, LinkView, RegistrySpec, Remedy, UiError};
use dockline_registry::{Client, Digest, RegistryError};
use dockline_tunnel::{Lease, Tunnel};
use std::{
    collections::BTreeSet,
    io::{self, Cursor},
    net::{IpAddr, TcpListener},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::watch, time::timeout};
pub(crate) use way::{Noting, Stage};

/// This machine's resolver looks into a file; one that asks the network for longer than this has not got it from there.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(3);
/// The links that a registry without a tunnel does not have.
const OF_TUNNELS: [Link; 6] =
    [Link::Name, Link::Address, Link::Listener, Link::SshReach, Link::HostKey, Link::Login];
/// Where the test blob goes; no image is ever there.
const REPOSITORY: &str = "dockline/doctor";

/// Whose way, and what is needed to follow it.
pub(crate) struct Case {
    pub(crate) spec: RegistrySpec,
    /// Not configured yet: its name and the engine's settings cannot be right.
    pub(crate) is_candidate: bool,
    pub(crate) round_trip: bool,
    /// None where the registry is reached without one.
    pub(crate) tunnel: Option<Tunnel>,
    /// Speaks to the registry through the tunnel's listener, as pushes do, and asks nobody for a login.
    pub(crate) client: Result<Client, UiError>,
    /// Who holds the tunnel meanwhile.
    pub(crate) holder: dockline_model::LeaseHolder,
    /// How far a first login is, where the tunnel tells.
    pub(crate) stage: watch::Receiver<Stage>,
    pub(crate) paths: Paths,
    pub(crate) around: Surroundings,
    pub(crate) setup: Setup,
}

/// All links, before anything is known.
pub(crate) fn links() -> Vec<LinkView> {
    Link::ALL.into_iter().map(|link| LinkView { link, state: LinkState::Waiting }).collect()
}

/// Follows the way; `tell` hears of every step. Links that nobody got to are skipped, and say why.
pub(crate) async fn examine(case: Case, tell: impl FnMut(&[LinkView]) + Send) -> Vec<LinkView> {
    let mut examination = Examination { case, links: links(), lease: None, tell };
    examination.run().await;
    examination.skip_the_rest();
    examination.links
}

struct Examination<F> {
    case: Case,
    links: Vec<LinkView>,
    /// Held from the login to the end.
    lease: Option<Arc<Lease>>,
    tell: F,
}

impl<F: FnMut(&[LinkView]) + Send> Examination<F> {
    async fn run(&mut self) {
        let (name_leads_here, is_reached) = match self.case.tunnel.clone() {
            Some(tunnel) => {
                let name_leads_here = self.name().await;
                self.address();
                let listens = self.listener(&tunnel);
                (name_leads_here, self.way(&tunnel).await && listens && self.registry().await)
            }
            None => {
                for link in OF_TUNNELS {
                    self.skip(link, "It is reached without a tunnel.");
                }
                self.begin(Link::Registry);
                (true, self.registry().await)
            }
        };
        self.engine(name_leads_here, is_reached).await;
        self.round_trip(is_reached).await;
    }

    /// The alias: whether this machine's resolver leads the name where Dockline listens.
    async fn name(&mut self) -> bool {
        if self.case.is_candidate {
            self.skip(Link::Name, "The name is made known to this machine when the registry is set up.");
            return false;
        }
        self.begin(Link::Name);
        let (name, address) = (self.case.spec.name.clone(), self.case.spec.address);
        let found = timeout(LOOKUP_PATIENCE, tokio::net::lookup_host((name.as_str(), 0))).await;
        let found: Vec<IpAddr> = match found {
            Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        // A hosts file of one's own (a test's, the demo's) is none that the resolver reads.
        let hosts = tokio::fs::read(&self.case.paths.hosts_file).await.unwrap_or_default();
        let in_file = dockline_edits::hosts::lookup(&hosts, &name) == Some(IpAddr::V4(address));
        if in_file || found.contains(&IpAddr::V4(address)) {
            self.pass(Link::Name, format!("{name} leads to {address} on this machine."));
            return true;
        }
        let what = match found.first() {
            Some(other) => format!("This machine takes {name} for {other}, and not for {address}."),
            None => format!("This machine does not know the name {name}, so programs cannot use it."),
        };
        let kind = look(&self.case.around).await.facts.kind;
        let error = UiError::new(Code::NameNotSetUp, what).hint(remedy::hint_for_name(&kind));
        self.fail(Link::Name, error, remedy::for_name(&kind, &name));
        false
    }

    fn address(&mut self) {
        self.begin(Link::Address);
        let address = self.case.spec.address;
        match TcpListener::bind((address, 0)) {
            Ok(_) => self.pass(Link::Address, format!("{address} is this machine's.")),
            Err(error) => {
                let error_kind = error.kind();
                let error = UiError::new(
                    Code::AddressUnavailable,
                    format!("{address} cannot be used on this machine: {error}."),
                );
                let spec = &self.case.spec;
                // What other registries have, their listeners hold.
                let port = free_port(&spec.name, &BTreeSet::new()).unwrap_or(RegistrySpec::DEFAULT_PORT);
                let words = remedy::for_address(spec, error_kind, port);
                self.fail(Link::Address, error, Remedy::Person { words });
            }
        }
    }

    fn listener(&mut self, tunnel: &Tunnel) -> bool {
        self.begin(Link::Listener);
        match tunnel.view().listener_error {
            None => {
                self.pass(Link::Listener, format!("Dockline listens at {}.", self.case.spec.listen()));
                true
            }
            Some(error) => {
                self.fail_as(Link::Listener, error);
                false
            }
        }
    }

    /// The registry's own answer, by Dockline's own client through the listener.
    async fn registry(&mut self) -> bool {
        let client = match self.case.client.clone() {
            Ok(client) => client,
            Err(error) => {
                self.fail_as(Link::Registry, error);
                return false;
            }
        };
        let authority = self.case.spec.authority();
        match client.ping().await {
            Ok(()) => {
                self.pass(Link::Registry, format!("The registry answers as {authority}."));
                self.pass(Link::RegistryLogin, "The registry wants no login, or took the one there is.");
                true
            }
            Err(RegistryError::Auth { details, .. }) => {
                self.pass(Link::Registry, format!("The registry answers as {authority}, and wants a login."));
                let error = UiError::new(
                    Code::RegistryAuth,
                    "The registry wants a login, and this machine has none that it accepts.",
                )
                .hint(format!("Log in: dockline login {}", self.case.spec.name))
                .details(details);
                self.fail_as(Link::RegistryLogin, error);
                false
            }
            Err(error) => {
                self.fail_as(Link::Registry, UiError::from(&error));
                false
            }
        }
    }

    async fn round_trip(&mut self, is_reached: bool) {
        if !self.case.round_trip {
            return self.skip(Link::RoundTrip, "Nobody asked for it.");
        }
        if !is_reached {
            return;
        }
        self.begin(Link::RoundTrip);
        match self.there_and_back().await {
            Ok(bytes) => self.pass(
                Link::RoundTrip,
                format!(
                    "{bytes} bytes went to {REPOSITORY}, came back and are the same. No tag leads to them, so the \
                     registry's garbage collection removes them."
                ),
            ),
            Err(error) => self.fail_as(Link::RoundTrip, error),
        }
    }

    async fn there_and_back(&self) -> Result<u64, UiError> {
        let told = |error: RegistryError| UiError::from(&error);
        let client = self.case.client.clone()?;
        // New bytes each time, since a registry that has them stores nothing.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let bytes = format!("Dockline's doctor was here: {now}\n").into_bytes();
        let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
        client
            .push_blob(REPOSITORY, &digest, size, Cursor::new(bytes.clone()), |_| {})
            .await
            .map_err(told)?;
        let mut back = Vec::new();
        let pulled = client.pull_blob(REPOSITORY, &digest, size, &mut back, |_| {}).await;
        pulled.map_err(|error| match error {
            dockline_registry::PullError::Registry(error) => told(error),
            dockline_registry::PullError::Write(error) => internal(&error),
        })?;
        if back == bytes {
            Ok(size)
        } else {
            Err(UiError::new(Code::DigestMismatch, "Other bytes came back."))
        }
    }

    fn begin(&mut self, link: Link) {
        self.put(link, LinkState::Running);
    }

    fn pass(&mut self, link: Link, words: impl Into<String>) {
        self.put(link, LinkState::Passed { words: words.into() });
    }

    fn skip(&mut self, link: Link, why: impl Into<String>) {
        self.put(link, LinkState::Skipped { why: why.into() });
    }

    fn fail(&mut self, link: Link, error: UiError, remedy: Remedy) {
        self.put(link, LinkState::Failed { error, remedy });
    }

    /// With the remedy that goes with the error.
    fn fail_as(&mut self, link: Link, error: UiError) {
        let remedy = self.person(&error);
        self.fail(link, error, remedy);
    }

    fn put(&mut self, link: Link, state: LinkState) {
        if let Some(view) = self.links.iter_mut().find(|view| view.link == link) {
            view.state = state;
        }
        (self.tell)(&self.links);
    }

    fn skip_the_rest(&mut self) {
        let is_open = |state: &LinkState| matches!(state, LinkState::Waiting | LinkState::Running);
        for view in self.links.iter_mut().filter(|view| is_open(&view.state)) {
            view.state = LinkState::Skipped { why: "The way breaks before it.".to_owned() };
        }
    }
}

fn internal(error: &io::Error) -> UiError {
    UiError::new(Code::Internal, format!("The test blob could not be kept: {error}."))
}
