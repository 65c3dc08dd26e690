//! What `ssh` would do to reach a host: the answer of `ssh -G HOST`, which knows every key of ssh_config(5),
//! `Include` and `Match` included. Where there is no OpenSSH, its defaults.
//!
//! `StrictHostKeyChecking no` means `ask` here: an unknown host is asked about, and a changed key is always refused.

mod complaints;
mod names;
mod paths;
mod tokens;

use crate::{SshEnvironment, error::TunnelError, known_hosts::HostNames};
use dockline_model::SshTarget;
use paths::Paths;
use russh::MethodKind;
use std::{path::PathBuf, process::Stdio, time::Duration};
pub(crate) use tokens::proxy_command;

/// How long a TCP connection may take where `ConnectTimeout` is not set. Under the patience of dockerd, whose
/// connection waits for it.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// What `ssh -G` may take. With `CanonicalizeHostname` it asks the name server, and `Match exec` runs programs.
const SSH_G_TIMEOUT: Duration = Duration::from_secs(10);

/// Questions for the same passphrase or password before giving up, as OpenSSH's `NumberOfPasswordPrompts`.
const DEFAULT_PASSWORD_PROMPTS: usize = 3;

/// The ways to log in that Dockline has, in OpenSSH's order (`PreferredAuthentications`).
const METHODS: [MethodKind; 3] =
    [MethodKind::PublicKey, MethodKind::KeyboardInteractive, MethodKind::Password];

/// The system's files, for where there is no `ssh` to ask.
#[cfg(not(windows))]
const GLOBAL_KNOWN_HOSTS: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
/// The system's file of Windows' own OpenSSH, for where there is no `ssh` to ask.
#[cfg(windows)]
const GLOBAL_KNOWN_HOSTS: [&str; 1] = ["C:\\ProgramData\\ssh\\ssh_known_hosts"];

/// What is done about a host that known_hosts does not know (`StrictHostKeyChecking`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StrictChecking {
    /// A person is asked.
    Ask,
    /// Its key is written down unasked.
    AcceptNew,
    /// It is refused.
    Yes,
}

/// How one hop is reached and who logs in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostOptions {
    /// As the person wrote it.
    pub alias: String,
    pub host_name: String,
    pub port: u16,
    pub user: String,
    pub identity_files: Vec<PathBuf>,
    /// Whether the person named a key file, which then goes before the agent's other keys.
    pub identity_is_explicit: bool,
    pub identities_only: bool,
    pub agent: Option<PathBuf>,
    /// `IdentityAgent none`: somebody wants none to be asked.
    pub agent_is_unwanted: bool,
    /// Apple's `UseKeychain`: passphrases are in the keychain.
    pub use_keychain: bool,
    /// Nearest first, as in `ProxyJump`.
    pub jumps: Vec<String>,
    pub proxy_command: Option<String>,
    pub user_known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    pub host_key_alias: Option<String>,
    pub hash_known_hosts: bool,
    pub strict_checking: StrictChecking,
    /// `RevokedHostKeys`: a list that no key of a host may be in.
    pub revoked_host_keys: Option<PathBuf>,
    /// Whether the server's list of its keys is written down.
    pub update_host_keys: bool,
    /// Most wanted first, by OpenSSH's names; empty means Dockline's own choice.
    pub host_key_algorithms: Vec<String>,
    /// What an authority may sign certificates with; empty means OpenSSH's choice.
    pub ca_signature_algorithms: Vec<String>,
    /// `CertificateFile`: certificates for keys that may be anywhere.
    pub certificate_files: Vec<PathBuf>,
    /// The ways to log in, most wanted first.
    pub methods: Vec<MethodKind>,
    /// How often the same secret is asked for.
    pub password_prompts: usize,
    pub connect_timeout: Duration,
    /// `RekeyLimit`: bytes after which new keys are wanted; `None` means Dockline's own choice.
    pub rekey_bytes: Option<u64>,
    /// After how much silence the session is asked whether it is still there; `None` means Dockline's own choice.
    pub keepalive: Option<Duration>,
}

impl HostOptions {
    /// `user@host`, with the port where it is not 22.
    pub(crate) fn login(&self) -> String {
        match self.port {
            22 => format!("{}@{}", self.user, self.host_name),
            port => format!("{}@{}:{port}", self.user, self.host_name),
        }
    }

    /// The same with the name that its key is known by, where that is another: what is kept for one of two hosts with
    /// the same address, each behind a jump host of its own, must not be sent to the other.
    pub(crate) fn account(&self) -> String {
        let (name, plain) = (self.known_hosts_names(), HostNames::new(&self.host_name, self.port));
        match name == plain {
            true => self.login(),
            false => format!("{} ({})", self.login(), name.name()),
        }
    }

    /// The names in known_hosts. `HostKeyAlias` stands for host and port both.
    pub(crate) fn known_hosts_names(&self) -> HostNames {
        match &self.host_key_alias {
            Some(alias) => HostNames::alias(alias),
            None => HostNames::new(&self.host_name, self.port),
        }
    }

    /// Whom a certificate of the host has to name.
    pub(crate) fn principal(&self) -> &str {
        self.host_key_alias.as_deref().unwrap_or(&self.host_name)
    }
}

/// Asks `ssh -G`, or falls back on OpenSSH's defaults where there is no `ssh`.
pub(crate) async fn resolve(target: &SshTarget, ssh: &SshEnvironment) -> Result<HostOptions, TunnelError> {
    guard(target)?;
    let paths = Paths::here(ssh);
    let host = || target.host.clone();
    let unusable = |reason: String| TunnelError::HostOptions { host: host(), reason };
    let failed = |reason: String| TunnelError::HostOptionsFailed { host: host(), reason };
    let read = |text: &str| parse(text, target, ssh, &paths).map_err(unusable);
    let Some(program) = &ssh.ssh_program else { return read("") };
    let mut asked = tokio::process::Command::new(program);
    // `Match exec` runs further programs.
    dockline_programs::prepare(asked.as_std_mut());
    let output = asked.args(arguments(target, ssh, &paths)).stdin(Stdio::null()).kill_on_drop(true).output();
    match tokio::time::timeout(SSH_G_TIMEOUT, output).await {
        Ok(Ok(output)) if output.status.success() => read(&String::from_utf8_lossy(&output.stdout)),
        Ok(Ok(output)) => {
            let words = String::from_utf8_lossy(&output.stderr);
            let reason = words.lines().last().unwrap_or("ssh -G failed").trim().to_owned();
            Err(if complaints::is_about_the_configuration(&words) {
                unusable(reason)
            } else {
                failed(reason)
            })
        }
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => read(""),
        Ok(Err(error)) => Err(unusable(error.to_string())),
        Err(_) => Err(failed(format!("ssh -G took longer than {} s", SSH_G_TIMEOUT.as_secs()))),
    }
}

/// How questions call the login at `target`: `user@host`, with the port where it is not 22, and with the name that the
/// host's key is known by where that is another.
///
/// # Errors
/// [`TunnelError::HostOptions`] or [`TunnelError::HostOptionsFailed`] where `ssh -G` does not tell.
pub async fn account(target: &SshTarget, ssh: &SshEnvironment) -> Result<String, TunnelError> {
    Ok(resolve(target, ssh).await?.account())
}

/// Nothing that a shell or `ssh` would read as more than a name.
fn guard(target: &SshTarget) -> Result<(), TunnelError> {
    match names::are_plain(target) {
        true => Ok(()),
        false => Err(TunnelError::HostOptions {
            host: target.host.clone(),
            reason: "a host, user or jump host is empty, begins with “-” or has characters in it that SSH does not \
                     allow there"
                .to_owned(),
        }),
    }
}

fn arguments(target: &SshTarget, ssh: &SshEnvironment, paths: &Paths<'_>) -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<std::ffi::OsString> = vec!["-G".into(), "-T".into()];
    let mut option = |name: &str, value: std::ffi::OsString| arguments.extend([name.into(), value]);
    if let Some(config) = &ssh.config {
        option("-F", config.into());
    }
    if let Some(user) = &target.user {
        option("-l", user.into());
    }
    if let Some(port) = target.port {
        option("-p", port.to_string().into());
    }
    if let Some(identity) = &target.identity {
        option("-i", paths.one(&identity.to_string_lossy()).into());
    }
    if let Some(jump) = &target.jump {
        option("-J", jump.into());
    }
    arguments.extend(["--".into(), target.host.clone().into()]);
    arguments
}

/// Reads what `ssh -G` printed. Keys that are missing have OpenSSH's defaults. `Err` says what cannot be kept to.
fn parse(
    text: &str,
    target: &SshTarget,
    ssh: &SshEnvironment,
    paths: &Paths<'_>,
) -> Result<HostOptions, String> {
    let mut options = HostOptions {
        alias: target.host.clone(),
        host_name: target.host.clone(),
        port: target.port.unwrap_or(22),
        user: target.user.clone().unwrap_or_else(local_user),
        identity_files: Vec::new(),
        identity_is_explicit: target.identity.is_some(),
        identities_only: false,
        agent: ssh.agent_socket.clone(),
        agent_is_unwanted: false,
        use_keychain: false,
        jumps: Vec::new(),
        proxy_command: None,
        user_known_hosts: Vec::new(),
        global_known_hosts: Vec::new(),
        host_key_alias: None,
        hash_known_hosts: false,
        strict_checking: StrictChecking::Ask,
        revoked_host_keys: None,
        update_host_keys: true,
        host_key_algorithms: Vec::new(),
        ca_signature_algorithms: Vec::new(),
        certificate_files: Vec::new(),
        methods: METHODS.to_vec(),
        password_prompts: DEFAULT_PASSWORD_PROMPTS,
        connect_timeout: DEFAULT_CONNECT_TIMEOUT,
        rekey_bytes: None,
        keepalive: ssh.keepalive,
    };
    let mut identities: Vec<&str> = Vec::new();
    let mut certificates: Vec<&str> = Vec::new();
    let mut revoked = None;
    let (mut user_known_hosts, mut global_known_hosts) = ("none", "none");
    let mut forbidden = Vec::new();
    let mut jump = None;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(' ') else { continue };
        let value = value.trim();
        let set = (value != "none").then(|| value.to_owned());
        match key {
            "hostname" => options.host_name = value.to_owned(),
            "port" => options.port = value.parse().unwrap_or(options.port),
            "user" => options.user = value.to_owned(),
            "identityfile" => identities.extend((value != "none").then_some(value)),
            "identitiesonly" => options.identities_only = value == "yes",
            "identityagent" if value == "none" => {
                options.agent = None;
                options.agent_is_unwanted = true;
            }
            "identityagent" if value != "SSH_AUTH_SOCK" => {
                let path = match value.strip_prefix('$') {
                    Some(variable) => std::env::var_os(variable.trim_matches(['{', '}'])).map(PathBuf::from),
                    None => Some(paths.one(value)),
                };
                options.agent = path.or(options.agent);
            }
            "usekeychain" => options.use_keychain = matches!(value, "yes" | "true"),
            "proxyjump" => jump = set,
            "proxycommand" => options.proxy_command = set,
            "userknownhostsfile" => user_known_hosts = value,
            "globalknownhostsfile" => global_known_hosts = value,
            "hostkeyalias" => options.host_key_alias = set,
            "hashknownhosts" => options.hash_known_hosts = value == "yes",
            "stricthostkeychecking" => {
                options.strict_checking = match value {
                    "yes" | "true" => StrictChecking::Yes,
                    "accept-new" => StrictChecking::AcceptNew,
                    _ => StrictChecking::Ask,
                }
            }
            "revokedhostkeys" => revoked = set,
            // `ask` among the others: it is not worth a question.
            "updatehostkeys" => options.update_host_keys = matches!(value, "yes" | "true"),
            "hostkeyalgorithms" => options.host_key_algorithms = list(value),
            "casignaturealgorithms" => options.ca_signature_algorithms = list(value),
            "certificatefile" => certificates.extend((value != "none").then_some(value)),
            "preferredauthentications" => {
                let wanted = list(value);
                options.methods = wanted.iter().filter_map(|name| method(name)).collect();
            }
            "pubkeyauthentication" if is_no(value) => forbidden.push(MethodKind::PublicKey),
            "kbdinteractiveauthentication" if is_no(value) => forbidden.push(MethodKind::KeyboardInteractive),
            "passwordauthentication" if is_no(value) => forbidden.push(MethodKind::Password),
            "numberofpasswordprompts" => {
                options.password_prompts = value.parse().unwrap_or(options.password_prompts);
            }
            // Bytes and seconds; 0 is the default of either.
            "rekeylimit" => {
                let bytes = value.split_ascii_whitespace().next().and_then(|bytes| bytes.parse().ok());
                options.rekey_bytes = bytes.filter(|bytes| *bytes > 0);
            }
            "connecttimeout" => {
                if let Some(seconds) = value.parse().ok().filter(|s| *s > 0) {
                    options.connect_timeout = Duration::from_secs(seconds);
                }
            }
            _ => {}
        }
    }
    if text.is_empty() {
        jump.clone_from(&target.jump);
    }
    // The first hop overrides what stands in the configuration for `none` too.
    options.jumps = jump.iter().flat_map(|list| list.split(',')).map(|hop| hop.trim().to_owned()).collect();
    options.identity_files = if text.is_empty() {
        match &target.identity {
            Some(identity) => vec![paths.one(&identity.to_string_lossy())],
            None => ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| ssh.home_ssh.join(name)).to_vec(),
        }
    } else {
        identities.into_iter().map(|value| paths.one(&tokens::of_file(value, &options, ssh))).collect()
    };
    options.certificate_files =
        certificates.into_iter().map(|value| paths.one(&tokens::of_file(value, &options, ssh))).collect();
    options.revoked_host_keys =
        revoked.map(|value| paths.absolute(&tokens::expand(&value, &options, ssh))).transpose()?;
    options.methods.retain(|method| !forbidden.contains(method));
    if !ssh.known_hosts.is_empty() {
        options.user_known_hosts.clone_from(&ssh.known_hosts);
    } else if text.is_empty() {
        options.user_known_hosts =
            ["known_hosts", "known_hosts2"].map(|name| ssh.home_ssh.join(name)).to_vec();
        options.global_known_hosts = GLOBAL_KNOWN_HOSTS.map(PathBuf::from).to_vec();
    } else {
        options.user_known_hosts = paths.list(user_known_hosts)?;
        options.global_known_hosts = paths.list(global_known_hosts)?;
    }
    Ok(options)
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// `ssh -G` writes some switches as `false` and some as `no`.
fn is_no(value: &str) -> bool {
    matches!(value, "no" | "false")
}

fn method(name: &str) -> Option<MethodKind> {
    METHODS.into_iter().find(|method| <&str>::from(method) == name)
}

fn local_user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "root".to_owned())
}

#[cfg(test)]
mod tests;
