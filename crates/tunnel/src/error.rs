//! What can go wrong on the way to a registry, and how a person is told.

mod distrust;
mod nature;
mod report;
mod words;

pub use distrust::{CertificateFault, Distrust};

use crate::known_hosts::RevocationError;
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};
use words::{connect_reason, sentences, tried_list};

/// One variant for each operation that can fail. Never holds a secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TunnelError {
    /// There is a mistake in the configuration, what `ssh -G` says cannot be kept to, or the target is not one.
    #[error("The SSH options for {host} could not be read: {reason}.")]
    HostOptions {
        /// As the person wrote it.
        host: String,
        /// Why, in OpenSSH's words.
        reason: String,
    },
    /// `ssh -G` failed or took too long. It may not the next time: it may have to ask the name server
    /// (`CanonicalizeHostname`) or run programs (`Match exec`).
    #[error("The SSH options for {host} could not be read: {reason}.")]
    HostOptionsFailed {
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
        /// Whether it is in a network of one's own: a private address, or a link's.
        is_near: bool,
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
    /// `ProxyCommand` failed before the session was up.
    #[error(
        "The ProxyCommand for {host} ended {} before the SSH session was up{}.",
        status.map_or_else(|| "by a signal".to_owned(), |status| format!("with status {status}")),
        if said.is_empty() { String::new() } else { format!("; it said “{said}”") }
    )]
    ProxyEnded {
        /// The host.
        host: String,
        /// Its exit status; `None` if a signal ended it.
        status: Option<i32>,
        /// The last line of what it complained about; may be empty.
        said: String,
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
    /// The server said instead of its version that it will not have us now (`MaxStartups`, `PerSourcePenalties`).
    #[error("{host} turns this machine away for now: it says “{said}”.")]
    TurnedAway {
        /// The host.
        host: String,
        /// In its words.
        said: String,
    },
    /// The session ended while a person was being asked something for it; what they answered is kept for the next.
    #[error("{host} did not wait for the answer.")]
    Outwaited {
        /// The host.
        host: String,
    },
    /// What arrived while the session was made is not what SSH's protocol has there: bytes were lost or changed.
    #[error("What came from {host} while the SSH session was made was damaged: {source}.")]
    HandshakeDamaged {
        /// The host.
        host: String,
        /// What the SSH library said.
        #[source]
        source: Arc<russh::Error>,
    },
    /// Client and server have no algorithm in common.
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
        /// Why it was not trusted.
        because: Distrust,
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
    /// The host's key, or the authority of its certificate, is marked `@revoked` or stands in `RevokedHostKeys`.
    #[error(
        "The key of the SSH host {host} ({key_type} {fingerprint}) is revoked by {}{}.",
        line.map(|line| format!("line {line} of ")).unwrap_or_default(),
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
        /// Its line, in a file of lines.
        line: Option<usize>,
    },
    /// The host shows a key of a kind, or so small, that nobody should trust it.
    #[error("The key of the SSH host {host} is of a kind that is not safe.")]
    HostKeyUnusable {
        /// As in known_hosts.
        host: String,
    },
    /// The host shows a certificate of an authority that is trusted for it, but not a valid one; and its key alone is
    /// not known.
    #[error("The certificate of the SSH host {host} ({key_type} {fingerprint}) is not valid: {fault}.")]
    HostCertificate {
        /// As in known_hosts.
        host: String,
        /// The type of the key in it.
        key_type: String,
        /// The fingerprint of the key in it.
        fingerprint: String,
        /// What is wrong with it.
        #[source]
        fault: CertificateFault,
    },
    /// The list of revoked keys (`RevokedHostKeys`) is not there.
    #[error("The list of revoked host keys {} could not be read, so no key can be trusted.", file.display())]
    RevokedHostKeys {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The list of revoked keys (`RevokedHostKeys`) cannot be understood.
    #[error("No key can be trusted because of the list of revoked host keys {}: {source}.", file.display())]
    RevokedHostKeysInvalid {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: RevocationError,
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
    /// The server ended the session because too many ways to log in were refused.
    #[error(
        "{login} ended the session after {}: {said}.",
        if tried.len() == 1 { "one try to log in".to_owned() } else { format!("{} tries to log in", tried.len()) }
    )]
    TooManyTries {
        /// `user@host`.
        login: String,
        /// What was tried, in order.
        tried: Vec<String>,
        /// How many keys the agent offered.
        agent_keys: usize,
        /// In the server's words.
        said: String,
    },
    /// A further session would need a person, whom nobody bothers for that.
    #[error("{login} asks for something new at each login, and nobody was to be asked.")]
    NeedsPerson {
        /// `user@host`.
        login: String,
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
    /// Something listens at the far end, and it is no registry that works.
    #[error("The registry at {remote} on {host} does not answer as one: {reason}.")]
    Unhealthy {
        /// The SSH host.
        host: String,
        /// The far end.
        remote: String,
        /// Why.
        reason: String,
    },
    /// A host showed a key that it must not have, and the registry's other hosts were not tried.
    #[error("{source} The registry's other hosts were not tried, since that would hide it.")]
    NoFurther {
        /// The host's error.
        #[source]
        source: Box<TunnelError>,
    },
    /// None of a registry's hosts can be used.
    #[error("None of its {} hosts can be used. {}", failures.len(), sentences(failures))]
    NoHost {
        /// Why, host by host, the preferred one first.
        failures: Vec<TunnelError>,
    },
    /// sshd forbids the forward.
    #[error("The SSH server on {host} does not allow a forward to {remote}.")]
    ForwardForbidden {
        /// The SSH host.
        host: String,
        /// The far end.
        remote: String,
    },
    /// The host does not listen for us.
    #[error("The SSH server on {host} does not let us listen on its 127.0.0.1:{port}.")]
    OfferForbidden {
        /// The SSH host.
        host: String,
        /// The port there.
        port: u16,
    },
    /// The host runs no programs for us.
    #[error("The SSH server on {host} does not let us run programs.")]
    ProgramForbidden {
        /// The SSH host.
        host: String,
    },
    /// The host cannot listen for us, since something else does.
    #[error("127.0.0.1:{port} is taken on {host}: something listens there already.")]
    OfferTaken {
        /// The SSH host.
        host: String,
        /// The port there.
        port: u16,
    },
    /// Somebody from elsewhere came to a port that is for the host itself only, and was refused.
    #[error("{host} lets other machines connect to its port {port}; {originator} tried, and was refused.")]
    OfferExposed {
        /// The SSH host.
        host: String,
        /// The port there.
        port: u16,
        /// Who came.
        originator: String,
    },
    /// The registry of this machine that is offered does not accept connections.
    #[error("The registry that is offered, {to}, could not be connected to: {}.", connect_reason(source))]
    OfferedGone {
        /// Where it should be.
        to: SocketAddr,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The session has as many channels as the host allows.
    #[error("{host} opened no further channel to {remote}: it allows no more at once.")]
    NoRoom {
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
    /// The local address is one that others than this machine's programs could reach.
    #[error(
        "{address} is neither a loopback address nor the address of a bridge for containers on this machine."
    )]
    AddressForbidden {
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
