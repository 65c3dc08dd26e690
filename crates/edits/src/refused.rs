//! Why a file is left as it is.

use crate::{Authority, marked};
use dockline_model::RegistryName;
use std::net::Ipv4Addr;

/// Why a file cannot be changed safely. The message completes “/etc/hosts is left as it is: …”.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    // The hosts file.
    /// An address that would send a registry's traffic off this machine.
    #[error("{address} for {name} is neither in 127.0.0.0/8 nor the gateway that was chosen")]
    NotLoopback {
        /// For which name.
        name: RegistryName,
        /// The address.
        address: Ipv4Addr,
    },
    /// A gateway that is no private address (RFC 1918).
    #[error("{address} is not a private address, and so no gateway of a container network")]
    NotPrivate {
        /// The address.
        address: Ipv4Addr,
    },
    /// The same name twice.
    #[error("{name} was asked for twice")]
    Duplicate {
        /// Which.
        name: RegistryName,
    },
    /// A name under which everybody registers names (Mozilla's public suffix list).
    #[error("{name} is not one registry's name but a suffix that many names end in")]
    PublicSuffix {
        /// Which.
        name: RegistryName,
    },
    /// The file names it already, outside our block; a resolver takes whichever line comes first.
    #[error("line {line} already gives {name} the address {address}")]
    NameTaken {
        /// Which.
        name: RegistryName,
        /// The line, from 1.
        line: usize,
        /// What that line says.
        address: String,
    },
    // Every file with a marked block.
    /// Only one of the two markers, or the two in the wrong order.
    #[error("line {line} is one half of Dockline's markers and the other half is missing")]
    HalfMarker {
        /// The line, from 1.
        line: usize,
    },
    /// More than one block.
    #[error("line {line} begins a second block of Dockline's")]
    SecondBlock {
        /// The line, from 1.
        line: usize,
    },
    // Encodings.
    /// UTF-16: text added as UTF-8 would spoil it.
    #[error("it is written in UTF-16, which no program that uses it reads")]
    Utf16,
    /// Bytes that are no UTF-8, in a format that demands it.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// dockerd stops at a byte order mark, and keeps the settings it has.
    #[error("it begins with a byte order mark, for which the engine would ignore all of it")]
    ByteOrderMark,
    // daemon.json.
    /// dockerd takes an empty file for a broken one and keeps the settings it has.
    #[error("it is empty, for which the engine ignores it; an empty one would be {{}}")]
    Empty,
    /// Not JSON.
    #[error("it is not valid JSON, so the engine ignores it: {problem}")]
    InvalidJson {
        /// What, with line and column.
        problem: String,
    },
    /// JSON, but not an object.
    #[error("it is JSON but not an object ({{…}})")]
    NotAnObject,
    /// Which of the two counts depends on who reads it.
    #[error("“{key}” stands in it twice")]
    DuplicateKey {
        /// Which.
        key: String,
    },
    /// Go's decoder takes `Insecure-Registries` for `insecure-registries`; dockerd's check for unknown keys does not.
    #[error("“{key}” differs from “{expected}” in capital letters only")]
    KeyCase {
        /// As it stands there.
        key: String,
        /// As it should.
        expected: &'static str,
    },
    /// `insecure-registries` is something else than a list of texts.
    #[error("“{key}” in it is not a list of texts")]
    NotAList {
        /// Which key.
        key: &'static str,
    },
    /// dockerd does not start when a key stands in the file and on its command line.
    #[error(
        "the engine was started with the flag --insecure-registry, and does not start with both the flag and the file"
    )]
    FlagConflict,
    /// With the alias in the list, dockerd sends the password in the clear to wherever the name leads one day.
    #[error(
        "{authority} is a name, and a name among insecure-registries sends passwords in the clear to wherever it leads one day"
    )]
    NameInsecure {
        /// Which.
        authority: Authority,
    },
    /// An address that is not this machine's kind.
    #[error(
        "{authority} is neither a loopback nor a private address, so passwords would travel in the clear"
    )]
    FarInsecure {
        /// Which.
        authority: Authority,
    },
    // TOML and YAML.
    /// Not TOML.
    #[error("it is not valid TOML: {problem}")]
    InvalidToml {
        /// What, with line and column.
        problem: String,
    },
    /// It says something else about the same registry.
    #[error("it already says something else about {authority}")]
    RegistryTaken {
        /// Which registry.
        authority: Authority,
    },
    /// YAML in a form that is not changed line by line.
    #[error("line {line} is written in a way that Dockline does not change ({what})")]
    YamlForm {
        /// The line, from 1.
        line: usize,
        /// What is unusual.
        what: &'static str,
    },
    /// snapd's link leads elsewhere.
    #[error("the link /var/snap/docker/current does not lead to the folder of one revision of the snap")]
    SnapRevision,
    /// colima makes the file at its first start.
    #[error(
        "colima has not made it, and one with nothing but Dockline's entries would take the place of its settings"
    )]
    NoColima,
    // Files of Dockline's own.
    /// There is a file of that name which Dockline did not write.
    #[error("there is one already, and Dockline did not write it")]
    NotOurs,
}

impl Refused {
    /// What the person can do; a whole sentence.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NotLoopback { .. } => "Give the registry an address such as 127.77.1.1.".to_owned(),
            Self::NotPrivate { .. } => {
                "Choose the address of the Docker bridge, such as 172.17.0.1.".to_owned()
            }
            Self::Duplicate { .. } => {
                "Keep one registry of that name in Dockline's configuration.".to_owned()
            }
            Self::PublicSuffix { name } => format!("Choose a name below it, such as cr.{name}."),
            Self::NameTaken { line, .. } => {
                format!("If you added line {line} for an earlier tunnel, remove it and try again.")
            }
            Self::HalfMarker { .. } | Self::SecondBlock { .. } => format!(
                "Remove the lines from “{}” to “{}” yourself, then try again.",
                marked::BEGIN,
                marked::END
            ),
            Self::Utf16 | Self::NotUtf8 | Self::ByteOrderMark => {
                "Save the file as UTF-8 without a byte order mark and try again.".to_owned()
            }
            Self::Empty => "Write {} into it, or remove it, and try again.".to_owned(),
            Self::InvalidJson { .. } | Self::NotAnObject | Self::InvalidToml { .. } => {
                "Fix the file and try again.".to_owned()
            }
            Self::DuplicateKey { key } | Self::KeyCase { key, .. } => {
                format!("Remove the “{key}” that does not count and try again.")
            }
            Self::NotAList { key } => format!("Make it a list, such as \"{key}\": [], and try again."),
            Self::FlagConflict => {
                "Move the flag's value into the file, start the engine without the flag, and try again."
                    .to_owned()
            }
            Self::NameInsecure { .. } | Self::FarInsecure { .. } => {
                "Use the registry's loopback address, or the gateway of the container network.".to_owned()
            }
            Self::RegistryTaken { authority } => {
                format!("Remove what it says about {authority}, or keep it and set the engine up by hand.")
            }
            Self::YamlForm { .. } => {
                "Add the registry under docker: insecure-registries: yourself, and start the engine anew."
                    .to_owned()
            }
            Self::SnapRevision => {
                "See what snapd has installed (snap list docker), and push without the engine's settings until then: \
                 dockline push IMAGE."
                    .to_owned()
            }
            Self::NoColima => {
                "Start colima, which makes the file, and try again. If it keeps its files elsewhere, set COLIMA_HOME."
                    .to_owned()
            }
            Self::NotOurs => "Move the file away, or keep it and set the engine up by hand.".to_owned(),
        }
    }
}
