//! How an error reaches a person: its stable code, and what they can do about it.

use super::{Distrust, TunnelError, nature::is_not_found};
use dockline_model::{Code, UiError};
use std::io;

impl TunnelError {
    fn code(&self) -> Code {
        match self {
            Self::HostOptions { .. } | Self::HostOptionsFailed { .. } | Self::ProxyCommand { .. } => {
                Code::SshConfig
            }
            Self::ProxyEnded { status, .. } if is_not_found(*status) => Code::SshConfig,
            Self::ProxyEnded { .. } => Code::SshUnreachable,
            Self::Resolve { .. } => Code::SshHostNotFound,
            Self::Connect { .. } | Self::ConnectTimedOut { .. } => Code::SshUnreachable,
            Self::HandshakeTimedOut { .. }
            | Self::HandshakeClosed { .. }
            | Self::TurnedAway { .. }
            | Self::HandshakeDamaged { .. }
            | Self::Handshake { .. }
            | Self::NotSsh { .. }
            | Self::WeakAlgorithm { .. }
            | Self::HostKeyUnusable { .. }
            | Self::Ssh(_) => Code::SshProtocol,
            Self::HostKeyUnknown { .. } | Self::HostCertificate { .. } => Code::HostKeyUnknown,
            Self::HostKeyChanged { .. } => Code::HostKeyChanged,
            Self::HostKeyRevoked { .. } => Code::HostKeyRevoked,
            Self::KnownHosts { .. } | Self::RevokedHostKeys { .. } | Self::RevokedHostKeysInvalid { .. } => {
                Code::FileIo
            }
            Self::KeyUnusable { .. } => Code::SshKeyUnusable,
            Self::Auth { .. } | Self::TooManyTries { .. } | Self::NeedsPerson { .. } => Code::SshAuth,
            // What went wrong there matters more than where: a face offers the same remedy.
            Self::Jump { source, .. } => {
                let code = source.code();
                let is_about_keys = matches!(
                    code,
                    Code::HostKeyUnknown | Code::HostKeyChanged | Code::HostKeyRevoked | Code::SshKeyUnusable
                );
                if is_about_keys { code } else { Code::SshJump }
            }
            Self::Lost { .. } | Self::Outwaited { .. } => Code::SshLost,
            Self::RemoteClosed { .. } | Self::Channel { .. } | Self::NoRoom { .. } => Code::RemoteClosed,
            Self::NoFurther { source } => source.code(),
            Self::Unhealthy { .. } => Code::RegistryUnreachable,
            // The preferred host's: it is the one that is to work again.
            Self::NoHost { failures } => failures.first().map_or(Code::SshUnreachable, Self::code),
            Self::ForwardForbidden { .. }
            | Self::OfferForbidden { .. }
            | Self::OfferExposed { .. }
            | Self::ProgramForbidden { .. } => Code::ForwardForbidden,
            Self::OfferTaken { .. } => Code::PortInUse,
            Self::OfferedGone { .. } => Code::RegistryUnreachable,
            Self::PortInUse { .. } => Code::PortInUse,
            Self::AddressUnavailable { .. } | Self::AddressForbidden { .. } | Self::Listen { .. } => {
                Code::AddressUnavailable
            }
            Self::Disconnected => Code::Disconnected,
            Self::TimedOut { .. } => Code::TimedOut,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::HostOptions { .. } | Self::HostOptionsFailed { .. } => "Check ~/.ssh/config and the registry's SSH target.".to_owned(),
            Self::Resolve { .. } => {
                "Check the name for a typo, and whether this machine is online or needs a VPN.".to_owned()
            }
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
                "Check that sshd runs there, and on that port.".to_owned()
            }
            Self::Connect { source, is_near, .. }
                if is_local_network_privacy(cfg!(target_os = "macos"), *is_near, source.kind()) =>
            {
                LOCAL_NETWORK.to_owned()
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
            Self::TurnedAway { .. } => {
                "Too many logins from here failed, or too many came at once (PerSourcePenalties, MaxStartups). Dockline \
                 waits and tries again by itself; the server's owner can see in its log until when."
                    .to_owned()
            }
            Self::Outwaited { .. } => "Connect again; the answer is not asked for twice.".to_owned(),
            Self::NoRoom { .. } => {
                "Wait until a transfer has ended, or ask the server's owner for more channels.".to_owned()
            }
            Self::HandshakeDamaged { .. } => {
                "Something on the way may have cut or changed the connection. If it stays like this, try \
                 another network."
                    .to_owned()
            }
            Self::Handshake { .. } | Self::WeakAlgorithm { .. } | Self::HostKeyUnusable { .. } => {
                "Update the SSH server.".to_owned()
            }
            Self::HostKeyUnknown { because: Distrust::Refused, .. } => {
                "Compare the fingerprint with the one that `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` \
                 prints on the server, then connect again."
                    .to_owned()
            }
            Self::HostKeyUnknown { because: Distrust::Strict, .. } => {
                "StrictHostKeyChecking is yes for this host, so nobody is asked: add its key to known_hosts, as its \
                 owner gives it to you."
                    .to_owned()
            }
            Self::HostKeyUnknown { because: Distrust::NobodyAsked, .. } => {
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
            Self::HostCertificate { .. } => {
                "Ask the server's owner for a new certificate, or for the key itself, to be added to known_hosts."
                    .to_owned()
            }
            Self::RevokedHostKeys { .. } | Self::RevokedHostKeysInvalid { .. } => {
                "RevokedHostKeys in ~/.ssh/config names it: fix the file, or the setting.".to_owned()
            }
            Self::TooManyTries { agent_keys, .. } => {
                let agent = match agent_keys {
                    0 | 1 => "",
                    _ => "Your SSH agent holds many keys, and the server's patience ended before the right one. ",
                };
                format!(
                    "{agent}Name the key for this registry (`identity = \"~/.ssh/…\"`), or in ~/.ssh/config set \
                     IdentityFile and `IdentitiesOnly yes` for this host; then only that key is tried."
                )
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
            Self::NeedsPerson { .. } => "Connect where you can be asked.".to_owned(),
            Self::Jump { source, .. } | Self::NoFurther { source } => return source.hint(),
            Self::Lost { .. } => "Dockline reconnects by itself while something needs the tunnel.".to_owned(),
            Self::RemoteClosed { remote, .. } => {
                format!("Check that the registry runs on the server and listens on {remote}.")
            }
            Self::Unhealthy { .. } => "Look at the registry's log on the server.".to_owned(),
            Self::NoHost { failures } => return failures.first().and_then(Self::hint),
            Self::ForwardForbidden { remote, .. } => format!(
                "In the server's sshd_config or authorized_keys, allow it: AllowTcpForwarding yes, \
                 permitopen=\"{remote}\" (spelled exactly like this)."
            ),
            Self::OfferForbidden { port, .. } => format!(
                "In the server's sshd_config or authorized_keys, allow it: AllowTcpForwarding yes, \
                 permitlisten=\"127.0.0.1:{port}\" (spelled exactly like this); or something listens on that port \
                 there already."
            ),
            Self::ProgramForbidden { .. } => "Log in there as a user that may use the shell: a forced command, or \
                                              “restrict” in authorized_keys, keeps others from it."
                .to_owned(),
            Self::OfferTaken { .. } => "Choose another port with --port, or stop what listens there.".to_owned(),
            Self::OfferExposed { .. } => {
                "Take “GatewayPorts yes” out of the server's sshd_config; “no” is the default.".to_owned()
            }
            Self::OfferedGone { to, .. } => format!("Check that the registry of this machine runs on {to}."),
            Self::Channel { .. } => "The server's log says more.".to_owned(),
            Self::PortInUse { .. } => {
                "Stop that program, or choose another port for this registry.".to_owned()
            }
            Self::AddressUnavailable { .. } | Self::Listen { .. } => {
                "Choose another address for this registry: 127.0.0.1 works everywhere, with a port of its own."
                    .to_owned()
            }
            Self::AddressForbidden { .. } => {
                "A tunnel is for this machine alone: choose an address in 127.0.0.0/8, and for containers the gateway \
                 that `docker network inspect bridge` names."
                    .to_owned()
            }
            Self::ProxyEnded { status, .. } if is_not_found(*status) => {
                "The program that ProxyCommand in ~/.ssh/config names is not there or cannot be run: install it, or \
                 write its whole path."
                    .to_owned()
            }
            Self::ProxyEnded { .. } => {
                "The same command in a terminal may say more (ProxyCommand in ~/.ssh/config).".to_owned()
            }
            Self::ProxyCommand { .. } => "Check ProxyCommand in ~/.ssh/config.".to_owned(),
            Self::Disconnected => "Connect again when you need it.".to_owned(),
            Self::TimedOut { .. } | Self::Ssh(_) => return None,
        };
        Some(hint)
    }
}

/// What to do where macOS may be the one who says no.
const LOCAL_NETWORK: &str = "Check that the host is on, and that macOS lets Dockline connect to it: System Settings › \
                             Privacy & Security › Local Network: allow Dockline.";

/// Whether it may be macOS that keeps a program from the network around (Local Network privacy, from macOS 15 on): it
/// says at once that there is no route.
const fn is_local_network_privacy(is_macos: bool, is_near: bool, kind: io::ErrorKind) -> bool {
    is_macos && is_near && matches!(kind, io::ErrorKind::HostUnreachable)
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
    use crate::error::CertificateFault;

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
    fn macos_may_be_who_keeps_a_program_from_the_network_around() {
        use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
        assert!(is_local_network_privacy(true, true, HostUnreachable));
        for (is_macos, is_near, kind) in [
            (false, true, HostUnreachable),
            (true, false, HostUnreachable),
            (true, true, NetworkUnreachable),
            (true, true, ConnectionRefused),
        ] {
            assert!(!is_local_network_privacy(is_macos, is_near, kind), "{is_macos} {is_near} {kind}");
        }
        let source = std::sync::Arc::new(io::Error::from(HostUnreachable));
        let error = TunnelError::Connect { host: "h".to_owned(), port: 22, is_near: true, source };
        let hint = UiError::from(&error).hint.unwrap();
        assert_eq!(hint.contains("Local Network: allow Dockline."), cfg!(target_os = "macos"), "{hint}");
    }

    #[test]
    fn what_keeps_a_host_from_being_trusted_is_told_apart() {
        let unknown = |because| TunnelError::HostKeyUnknown {
            host: "h".to_owned(),
            key_type: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
            because,
        };
        for (because, hint) in [
            (Distrust::NobodyAsked, "Connect once"),
            (Distrust::Refused, "Compare"),
            (Distrust::Strict, "StrictHostKeyChecking"),
        ] {
            let ui = UiError::from(&unknown(because));
            assert!(ui.code == Code::HostKeyUnknown && ui.hint.unwrap().contains(hint));
        }
        let expired = TunnelError::HostCertificate {
            host: "h".to_owned(),
            key_type: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
            fault: CertificateFault::Expired,
        };
        let ui = UiError::from(&expired);
        assert!(ui.message.ends_with("is not valid: it has expired."), "{}", ui.message);
        let revoked = TunnelError::HostKeyRevoked {
            host: "h".to_owned(),
            key_type: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
            file: "/revoked".into(),
            line: None,
        };
        assert!(revoked.to_string().ends_with("is revoked by /revoked."), "{revoked}");
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
