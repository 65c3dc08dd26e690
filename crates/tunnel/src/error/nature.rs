//! What kind of failure it is: worth another try, a push-back, the far end's or the way's.

use super::TunnelError;

/// Whether a shell says with its status that there is no such program, or none that can be run: 127 and 126 of `sh`,
/// 9009 of `cmd`, whose other one, 1, is everybody's.
pub(super) const fn is_not_found(status: Option<i32>) -> bool {
    matches!(status, Some(126 | 127 | 9009))
}

impl TunnelError {
    /// Whether the server hung up before the session was up: `MaxStartups`, `PerSourcePenalties` (sshd_config(5)).
    #[must_use]
    pub fn is_pushed_back(&self) -> bool {
        matches!(self, Self::HandshakeClosed { .. } | Self::TurnedAway { .. })
            // A ProxyCommand that ran and failed may be `ssh -W`, to which the same happened.
            || matches!(self, Self::ProxyEnded { status, .. } if !is_not_found(*status))
            || matches!(self, Self::Jump { source, .. } if source.is_pushed_back())
            || matches!(self, Self::NoHost { failures } if failures.iter().any(Self::is_pushed_back))
    }

    /// Whether a host, or one on the way to it, shows a key that it must not have.
    pub(crate) fn is_about_a_changed_key(&self) -> bool {
        matches!(self, Self::HostKeyChanged { .. } | Self::HostKeyRevoked { .. })
            || matches!(self, Self::Jump { source, .. } if source.is_about_a_changed_key())
    }

    /// Whether a channel may have been refused for the others that the session has: OpenSSH's forwards know no such
    /// limit, and servers that do say so in either way (RFC 4254 §5.1).
    pub(crate) const fn may_be_about_room(&self) -> bool {
        matches!(self, Self::NoRoom { .. } | Self::ForwardForbidden { .. })
    }

    /// Whether the session works, but not the registry at its end: another host's may.
    pub(crate) fn is_about_the_far_end(&self) -> bool {
        matches!(
            self,
            Self::RemoteClosed { .. }
                | Self::ForwardForbidden { .. }
                | Self::Channel { .. }
                | Self::Unhealthy { .. }
        )
    }

    /// Whether another try may succeed without anybody doing anything. What is not retriable puts the tunnel into
    /// `Failed`.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::HostOptionsFailed { .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::ConnectTimedOut { .. }
            | Self::HandshakeTimedOut { .. }
            | Self::HandshakeClosed { .. }
            | Self::HandshakeDamaged { .. }
            | Self::TurnedAway { .. }
            | Self::Outwaited { .. }
            | Self::NoRoom { .. }
            | Self::Lost { .. }
            | Self::RemoteClosed { .. }
            | Self::Unhealthy { .. }
            | Self::Channel { .. }
            | Self::TimedOut { .. }
            | Self::Ssh(_) => true,
            Self::Jump { source, .. } | Self::NoFurther { source } => source.is_retriable(),
            Self::NoHost { failures } => failures.iter().any(Self::is_retriable),
            Self::ProxyEnded { status, .. } => !is_not_found(*status),
            Self::HostOptions { .. }
            | Self::ProxyCommand { .. }
            | Self::NotSsh { .. }
            | Self::Handshake { .. }
            | Self::WeakAlgorithm { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::HostKeyUnusable { .. }
            | Self::HostCertificate { .. }
            | Self::RevokedHostKeys { .. }
            | Self::RevokedHostKeysInvalid { .. }
            | Self::KnownHosts { .. }
            | Self::KeyUnusable { .. }
            | Self::Auth { .. }
            | Self::TooManyTries { .. }
            | Self::NeedsPerson { .. }
            | Self::ForwardForbidden { .. }
            | Self::OfferForbidden { .. }
            | Self::ProgramForbidden { .. }
            | Self::OfferTaken { .. }
            | Self::OfferExposed { .. }
            | Self::OfferedGone { .. }
            | Self::PortInUse { .. }
            | Self::AddressUnavailable { .. }
            | Self::AddressForbidden { .. }
            | Self::Listen { .. }
            | Self::Disconnected => false,
        }
    }
}
