//! The doctor: the whole way from `docker push` to the blob on the host, link by link.

use crate::{Command, RegistryName, Target, UiError, UnixMillis};
use serde::{Deserialize, Serialize};

/// Number of an examination, unique within one owner's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DoctorId(pub u64);

/// One link of the way, in the order in which they are examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// This machine leads the registry's name to the registry's address.
    Name,
    /// The address is one of this machine's.
    Address,
    /// Dockline listens there.
    Listener,
    /// The SSH host is found and answers.
    SshReach,
    /// It shows the host key that it should.
    HostKey,
    /// It lets us log in.
    Login,
    /// The registry behind it answers.
    Registry,
    /// The registry accepts the login that this machine has for it, or wants none.
    RegistryLogin,
    /// Docker or Podman answers.
    Engine,
    /// Its settings are such that it can push there.
    EngineSettings,
    /// It gets to the registry: by a real request of its own.
    EngineReach,
    /// A tiny blob is sent to the registry, read back and compared.
    RoundTrip,
}

impl Link {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Address,
        Self::Listener,
        Self::SshReach,
        Self::HostKey,
        Self::Login,
        Self::Registry,
        Self::RegistryLogin,
        Self::Engine,
        Self::EngineSettings,
        Self::EngineReach,
        Self::RoundTrip,
    ];

    /// A few words for a list.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Name => "The registry's name",
            Self::Address => "Its address on this machine",
            Self::Listener => "Dockline listens there",
            Self::SshReach => "The SSH host answers",
            Self::HostKey => "Its host key",
            Self::Login => "The SSH login",
            Self::Registry => "The registry answers",
            Self::RegistryLogin => "The registry's own login",
            Self::Engine => "The container engine",
            Self::EngineSettings => "The engine's settings",
            Self::EngineReach => "The engine reaches the registry",
            Self::RoundTrip => "A test blob there and back",
        }
    }
}

/// What makes a failed link whole again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Remedy {
    /// A command of Dockline's. One that plans ([`Command::PlanSetup`], [`Command::PlanHosts`]) is shown to the person
    /// as its plan first.
    Run {
        /// What stands on the button: “Make docker push work here…”.
        label: String,
        /// What it does.
        command: Box<Command>,
    },
    /// Somebody has to do something that Dockline cannot.
    Person {
        /// Who, and what: a whole sentence.
        words: String,
    },
}

/// What is known of a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LinkState {
    /// Its turn has not come.
    Waiting,
    /// It is being examined.
    Running,
    /// It holds.
    Passed {
        /// What was found: a whole sentence.
        words: String,
    },
    /// It does not.
    Failed {
        /// What is wrong, and why.
        error: UiError,
        /// What mends it.
        remedy: Remedy,
    },
    /// It was not examined: a link before it is broken, or there is nothing to examine.
    Skipped {
        /// Why: a whole sentence.
        why: String,
    },
}

/// A link and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct LinkView {
    /// Which.
    pub link: Link,
    /// What is known.
    pub state: LinkState,
}

/// Whom the doctor is to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Patient {
    /// A configured registry.
    Registry {
        /// Which.
        registry: RegistryName,
    },
    /// One that is not configured yet: a tunnel of its own is opened for the examination and closed after it.
    Candidate {
        /// As it would be added.
        target: Box<Target>,
    },
}

/// An examination as the faces show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// Its number.
    pub id: DoctorId,
    /// Which registry.
    pub registry: RegistryName,
    /// Whether that one is not configured yet.
    pub is_candidate: bool,
    /// Every link, in order.
    pub links: Vec<LinkView>,
    /// When it began.
    pub started: UnixMillis,
    /// When it ended.
    pub finished: Option<UnixMillis>,
    /// All of it in one sentence, once it has ended.
    pub summary: Option<String>,
    /// The report as text to copy into a question or a bug report, once it has ended. It holds names of hosts, and no
    /// secret.
    pub text: Option<String>,
}

impl DoctorReport {
    /// The first link that does not hold.
    #[must_use]
    pub fn failure(&self) -> Option<(Link, &UiError, &Remedy)> {
        self.links.iter().find_map(|view| {
            let LinkState::Failed { error, remedy } = &view.state else { return None };
            Some((view.link, error, remedy))
        })
    }
}
