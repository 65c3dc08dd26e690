//! What can go wrong on the way to a registry, and how a person is told.

use dockline_model::{Code, UiError};
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

/// One variant for each operation that can fail. Never holds a secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TunnelError {
    /// `ssh -G` failed, or the target is not one.
    #[error("The SSH options for {host} could not be read: {reason}.")]
    HostOptions {
        /// As the person wrote it.
        host: String,
        /// Why, in OpenSSH's words.
        reason: String,
    },
    /// The host's name does not resolve.
    #[error("The SSH host {host} could not be found: its name does not resolve.")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: Arc<io::Error>,
    },
    /// No TCP connection.
    #[error("{host} could not be reached on port {port}: {}.", connect_reason(source))]
    Connect {
        /// The host.
        host: String,
        /// Its SSH port.
        port: u16,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// No TCP connection in time.
    #[error("{host} did not answer on port {port} within {seconds} s.")]
    ConnectTimedOut {
        /// The host.
        host: String,
        /// Its SSH port.
        port: u16,
        /// How long was waited.
        seconds: u64,
    },
    /// `ProxyCommand` could not be started.
    #[error("The ProxyCommand for {host} could not be started.")]
    ProxyCommand {
        /// The host.
        host: String,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// Connected, but no SSH session came of it in time.
    #[error("{host} accepted the connection on port {port}, but did not speak SSH within {seconds} s.")]
    HandshakeTimedOut {
        /// The host.
        host: String,
        /// Its SSH port.
        port: u16,
        /// How long was waited.
        seconds: u64,
    },
    /// Whatever answers there is not an SSH server.
    #[error("Port {port} of {host} is not an SSH server.")]
    NotSsh {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The server closed the connection before the session was up.
    #[error("{host} closed the connection before the SSH session was up.")]
    HandshakeClosed {
        /// The host.
        host: String,
        /// What the SSH library said.
        #[source]
        source: Arc<russh::Error>,
    },
    /// Client and server have no algorithm in common, or one broke the protocol.
    #[error("No SSH session with {host} could be agreed on: {source}.")]
    Handshake {
        /// The host.
        host: String,
        /// What the SSH library said.
        #[source]
        source: Arc<russh::Error>,
    },
    /// A cipher that the Terrapin attack weakens, without the countermeasure.
    #[error("{host} only offers {algorithm} without strict key exchange, which the Terrapin attack weakens.")]
    WeakAlgorithm {
        /// The host.
        host: String,
        /// What was negotiated.
        algorithm: String,
    },
    /// The host is not in known_hosts, and nobody trusted it.
    #[error("The SSH host {host} has never been seen before; its {key_type} key is {fingerprint}.")]
    HostKeyUnknown {
        /// As in known_hosts.
        host: String,
        /// `ssh-ed25519`.
        key_type: String,
        /// `SHA256:…`.
        fingerprint: String,
        /// Whether a person was asked, and said no.
        refused: bool,
    },
    /// The host's key is not the one in known_hosts.
    #[error(
        "The key of the SSH host {host} has changed: its {key_type} key is now {fingerprint}, which is not what \
         line {line} of {} says. Somebody may be listening in, or the host was installed anew.",
        file.display()
    )]
    HostKeyChanged {
        /// As in known_hosts.
        host: String,
        /// `ssh-ed25519`.
        key_type: String,
        /// `SHA256:…`.
        fingerprint: String,
        /// The file at fault.
        file: PathBuf,
        /// Its line.
        line: usize,
    },
    /// The host's key is marked `@revoked`.
    #[error(
        "The key of the SSH host {host} ({key_type} {fingerprint}) is revoked by line {line} of {}.",
        file.display()
    )]
    HostKeyRevoked {
        /// As in known_hosts.
        host: String,
        /// `ssh-ed25519`.
        key_type: String,
        /// `SHA256:…`.
        fingerprint: String,
        /// The file at fault.
        file: PathBuf,
        /// Its line.
        line: usize,
    },
    /// A trusted key could not be written down.
    #[error("The host's key could not be added to {}.", file.display())]
    KnownHosts {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// A key file that was asked for cannot be used.
    #[error("The key file {} cannot be used: {reason}.", path.display())]
    KeyUnusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// None of the ways to log in was accepted.
    #[error("{login} did not accept the login{}.", tried_list(tried))]
    Auth {
        /// `user@host`.
        login: String,
        /// Every way that was tried: keys by file or comment, `password`.
        tried: Vec<String>,
        /// Why ways that were there were not tried.
        skipped: Vec<String>,
        /// What the server would accept.
        methods: Vec<String>,
    },
    /// A jump host could not be passed.
    #[error("The jump host {hop} could not be passed. {source}")]
    Jump {
        /// The jump host.
        hop: String,
        /// Why.
        #[source]
        source: Box<TunnelError>,
    },
    /// The session ended without having been asked to.
    #[error("The SSH session with {host} was lost: {reason}.")]
    Lost {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// Nothing listens at the far end.
    #[error("{host} could not connect to {remote}: nothing listens there.")]
    RemoteClosed {
        /// The SSH host.
        host: String,
        /// The far end.
        remote: String,
    },
    /// sshd forbids the forward.
    #[error("The SSH server on {host} does not allow a forward to {remote}.")]
    ForwardForbidden {
        /// The SSH host.
        host: String,
        /// The far end.
        remote: String,
    },
    /// The server opened no channel for another reason.
    #[error("{host} opened no channel to {remote}: {reason}.")]
    Channel {
        /// The SSH host.
        host: String,
        /// The far end.
        remote: String,
        /// Why.
        reason: String,
    },
    /// The local port is taken.
    #[error("{address} is taken{}.", by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default())]
    PortInUse {
        /// The listener's address.
        address: SocketAddr,
        /// Who has it.
        by: Option<String>,
    },
    /// The local address is not one of this machine's.
    #[error("{address} is not an address of this machine.")]
    AddressUnavailable {
        /// The listener's address.
        address: SocketAddr,
    },
    /// The listener could not be had for another reason.
    #[error("{address} could not be listened on: {source}.")]
    Listen {
        /// The listener's address.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The tunnel was closed under its user.
    #[error("The tunnel was disconnected.")]
    Disconnected,
    /// The tunnel did not come up in time.
    #[error("The tunnel was not up within {seconds} s.")]
    TimedOut {
        /// How long was waited.
        seconds: u64,
    },
    /// The SSH library failed where no context was at hand; `session` adds it.
    #[error("The SSH session failed: {0}.")]
    Ssh(#[source] Arc<russh::Error>),
}

impl From<russh::Error> for TunnelError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(Arc::new(error))
    }
}

fn connect_reason(error: &io::Error) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::ConnectionRefused {
        "the connection was refused".to_owned()
    } else if matches!(kind, io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) {
        "there is no route to it".to_owned()
    } else {
        error.to_string()
    }
}

fn tried_list(tried: &[String]) -> String {
    if tried.is_empty() {
        ": there was no key and no password to try".to_owned()
    } else {
        format!(" with {}", tried.join(", "))
    }
}

impl TunnelError {
    /// Whether another try may succeed without anybody doing anything. What is not retriable puts the tunnel into
    /// `Failed`.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::ConnectTimedOut { .. }
            | Self::HandshakeTimedOut { .. }
            | Self::HandshakeClosed { .. }
            | Self::Lost { .. }
            | Self::RemoteClosed { .. }
            | Self::Channel { .. }
            | Self::TimedOut { .. }
            | Self::Ssh(_) => true,
            Self::Jump { source, .. } => source.is_retriable(),
            Self::HostOptions { .. }
            | Self::ProxyCommand { .. }
            | Self::NotSsh { .. }
            | Self::Handshake { .. }
            | Self::WeakAlgorithm { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::KnownHosts { .. }
            | Self::KeyUnusable { .. }
            | Self::Auth { .. }
            | Self::ForwardForbidden { .. }
            | Self::PortInUse { .. }
            | Self::AddressUnavailable { .. }
            | Self::Listen { .. }
            | Self::Disconnected => false,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::HostOptions { .. } | Self::ProxyCommand { .. } => Code::SshConfig,
            Self::Resolve { .. } => Code::SshHostNotFound,
            Self::Connect { .. } | Self::ConnectTimedOut { .. } => Code::SshUnreachable,
            Self::HandshakeTimedOut { .. }
            | Self::HandshakeClosed { .. }
            | Self::Handshake { .. }
            | Self::NotSsh { .. }
            | Self::WeakAlgorithm { .. }
            | Self::Ssh(_) => Code::SshProtocol,
            Self::HostKeyUnknown { .. } => Code::HostKeyUnknown,
            Self::HostKeyChanged { .. } => Code::HostKeyChanged,
            Self::HostKeyRevoked { .. } => Code::HostKeyRevoked,
            Self::KnownHosts { .. } => Code::FileIo,
            Self::KeyUnusable { .. } => Code::SshKeyUnusable,
            Self::Auth { .. } => Code::SshAuth,
            // What went wrong there matters more than where: a face offers the same remedy.
            Self::Jump { source, .. } => {
                let code = source.code();
                let is_about_keys = matches!(
                    code,
                    Code::HostKeyUnknown | Code::HostKeyChanged | Code::HostKeyRevoked | Code::SshKeyUnusable
                );
                if is_about_keys { code } else { Code::SshJump }
            }
            Self::Lost { .. } => Code::SshLost,
            Self::RemoteClosed { .. } | Self::Channel { .. } => Code::RemoteClosed,
            Self::ForwardForbidden { .. } => Code::ForwardForbidden,
            Self::PortInUse { .. } => Code::PortInUse,
            Self::AddressUnavailable { .. } | Self::Listen { .. } => Code::AddressUnavailable,
            Self::Disconnected => Code::Disconnected,
            Self::TimedOut { .. } => Code::TimedOut,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::HostOptions { .. } => "Check ~/.ssh/config and the registry's SSH target.".to_owned(),
            Self::Resolve { .. } => {
                "Check the name for a typo, and whether this machine is online or needs a VPN.".to_owned()
            }
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
                "Check that sshd runs there, and on that port.".to_owned()
            }
            Self::Connect { .. } | Self::ConnectTimedOut { .. } => {
                "Check that the host is on, and that no firewall is in the way.".to_owned()
            }
            Self::HandshakeTimedOut { .. } | Self::NotSsh { .. } => {
                "Check the port: 22 unless the server says otherwise.".to_owned()
            }
            Self::HandshakeClosed { .. } => {
                "The server may be overloaded (MaxStartups) or may be turning this address away for a while \
                 (PerSourcePenalties, fail2ban)."
                    .to_owned()
            }
            Self::Handshake { .. } | Self::WeakAlgorithm { .. } => "Update the SSH server.".to_owned(),
            Self::HostKeyUnknown { refused: true, .. } => {
                "Compare the fingerprint with the one that `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` \
                 prints on the server, then connect again."
                    .to_owned()
            }
            Self::HostKeyUnknown { .. } => {
                "Connect once where you can be asked (the window, or `dockline connect` in a terminal), or log in \
                 once with ssh."
                    .to_owned()
            }
            Self::HostKeyChanged { host, file, .. } => format!(
                "Ask the server's owner. Only if the change is theirs, remove the old key with \
                 `ssh-keygen -R '{host}' -f '{}'` and connect again.",
                file.display()
            ),
            Self::HostKeyRevoked { .. } => {
                "Do not use this server before its owner has given it a new key.".to_owned()
            }
            Self::KnownHosts { .. } => "Check the file's permissions and the free space.".to_owned(),
            Self::KeyUnusable { .. } => "Choose another key file for this registry.".to_owned(),
            Self::Auth { login, methods, skipped, .. } => {
                let mut hint =
                    format!("Add your public key to the server's authorized_keys (`ssh-copy-id {login}`).");
                if !methods.is_empty() {
                    hint += &format!(" The server accepts: {}.", methods.join(", "));
                }
                for skipped in skipped {
                    hint += &format!(" {skipped}");
                }
                hint
            }
            Self::Jump { source, .. } => return source.hint(),
            Self::Lost { .. } => "Dockline reconnects by itself while something needs the tunnel.".to_owned(),
            Self::RemoteClosed { remote, .. } => {
                format!("Check that the registry runs on the server and listens on {remote}.")
            }
            Self::ForwardForbidden { remote, .. } => format!(
                "In the server's sshd_config or authorized_keys, allow it: AllowTcpForwarding yes, \
                 permitopen=\"{remote}\" (spelled exactly like this)."
            ),
            Self::Channel { .. } => "The server's log says more.".to_owned(),
            Self::PortInUse { .. } => {
                "Stop that program, or choose another port for this registry.".to_owned()
            }
            Self::AddressUnavailable { .. } | Self::Listen { .. } => {
                "Choose another address for this registry: 127.0.0.1 works everywhere, with a port of its own."
                    .to_owned()
            }
            Self::ProxyCommand { .. } => "Check ProxyCommand in ~/.ssh/config.".to_owned(),
            Self::Disconnected => "Connect again when you need it.".to_owned(),
            Self::TimedOut { .. } | Self::Ssh(_) => return None,
        };
        Some(hint)
    }
}

impl From<&TunnelError> for UiError {
    fn from(error: &TunnelError) -> Self {
        let mut ui = Self::new(error.code(), error.to_string());
        ui.hint = error.hint();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            // The last cause says most; the ones between it and us repeat it.
            ui.details = Some(cause.to_string());
            source = cause.source();
        }
        ui
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_names_the_line_and_the_remedy() {
        let error = TunnelError::HostKeyChanged {
            host: "[h]:2222".to_owned(),
            key_type: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
            file: "/k".into(),
            line: 7,
        };
        let ui = UiError::from(&TunnelError::Jump { hop: "j".to_owned(), source: Box::new(error) });
        assert_eq!(ui.code, Code::HostKeyChanged);
        assert!(ui.message.contains("line 7 of /k"), "{}", ui.message);
        assert!(ui.hint.unwrap().contains("ssh-keygen -R '[h]:2222' -f '/k'"));
    }

    #[test]
    fn a_refused_login_names_what_was_tried() {
        let error = TunnelError::Auth {
            login: "a@h".to_owned(),
            tried: vec!["/h/.ssh/id_ed25519".to_owned()],
            skipped: Vec::new(),
            methods: vec!["publickey".to_owned()],
        };
        assert_eq!(error.to_string(), "a@h did not accept the login with /h/.ssh/id_ed25519.");
        assert!(!error.is_retriable());
    }
}
