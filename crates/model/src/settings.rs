//! What a person can set, and where Dockline's files are.

use crate::Notices;
use serde::{Deserialize, Serialize};

/// The colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the desktop has it, and changing with it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// The language of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// As the desktop has it, English where Dockline does not speak it.
    #[default]
    System,
    /// English.
    En,
    /// Dutch.
    Nl,
}

/// How often Dockline asks by itself whether there is a newer version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum UpdateCheck {
    /// Never: only when a person says so.
    #[default]
    Off,
    /// Once a day.
    Daily,
    /// Once a week.
    Weekly,
}

/// Everything a person can set, defaults filled in: the `[settings]` of the configuration file, and whether the desktop
/// app starts at login, which the desktop itself keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// How many pushes and pulls of one registry run at a time (1 to 8); further ones wait.
    pub transfers_per_registry: u32,
    /// How long a tunnel stays up after its last use, in seconds, where the registry has no figure of its own.
    pub linger_seconds: u32,
    /// After how many seconds of silence an SSH session is asked whether it is still there (1 to 300). A change counts
    /// for tunnels that are made after it: of registries that are added or changed, and of all after the next start.
    pub keepalive_seconds: u32,
    /// Whether secrets may be kept in the operating system's keyring.
    pub keyring: bool,
    /// Which notifications are shown.
    pub notices: Notices,
    /// The colours of the window.
    pub theme: Theme,
    /// The language of the window.
    pub language: Language,
    /// The Docker context whose engine is used; what `docker` in a terminal would use if absent.
    pub context: Option<String>,
    /// How large the window's text is, in percent of the system's size (100 to 200).
    pub text_percent: u32,
    /// How often it is asked whether there is a newer version of Dockline.
    pub update_check: UpdateCheck,
    /// Who is asked: the address of a document that names the newest version. Nobody is, without one.
    pub update_url: Option<String>,
    /// Whether the desktop app starts when the person logs in; `None` where it is not installed.
    pub start_at_login: Option<bool>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transfers_per_registry: 2,
            linger_seconds: crate::RegistrySpec::DEFAULT_LINGER_SECONDS,
            keepalive_seconds: 3,
            keyring: true,
            notices: Notices::default(),
            theme: Theme::System,
            language: Language::System,
            context: None,
            text_percent: 100,
            update_check: UpdateCheck::Off,
            update_url: None,
            start_at_login: None,
        }
    }
}

/// A Docker context to use, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ContextChoice {
    /// What `docker` in a terminal would use.
    AsDocker,
    /// That one, whatever `docker` uses.
    Named {
        /// Its name.
        name: String,
    },
}

/// Settings to change; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(optional_fields))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SettingsChange {
    /// [`Settings::transfers_per_registry`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfers_per_registry: Option<u32>,
    /// [`Settings::linger_seconds`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linger_seconds: Option<u32>,
    /// [`Settings::keepalive_seconds`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive_seconds: Option<u32>,
    /// [`Settings::keyring`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyring: Option<bool>,
    /// [`Settings::notices`], all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notices: Option<Notices>,
    /// [`Settings::theme`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    /// [`Settings::language`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// [`Settings::context`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextChoice>,
    /// [`Settings::text_percent`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_percent: Option<u32>,
    /// [`Settings::update_check`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_check: Option<UpdateCheck>,
    /// [`Settings::update_url`]; an empty text takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_url: Option<String>,
    /// [`Settings::start_at_login`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at_login: Option<bool>,
}

/// Where Dockline's files are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Places {
    /// The configuration, the one file that a person edits.
    pub config: String,
    /// The folder of what survives a reboot: the list of past transfers, the record of changed settings.
    pub state: String,
    /// The socket that the command line talks to the owner through.
    pub control: String,
    /// The system's hosts file.
    pub hosts: String,
    /// OpenSSH's folder, whose configuration and known hosts are used.
    pub ssh: String,
}

/// A Docker context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ContextView {
    /// Its name.
    pub name: String,
    /// Its engine's address: `unix:///var/run/docker.sock`.
    pub address: String,
    /// Whether its engine is the one that is used now.
    pub in_use: bool,
    /// Why its engine cannot be used (it is on another machine, or wants TLS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
}
