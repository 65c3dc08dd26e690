//! Which connections may use a tunnel, by what they say first: programs that speak to a registry, and no web page.
//!
//! A registry behind a loopback port needs no login as a rule, and every page that the person opens can make the
//! browser send requests there; the browser is a program of the person's own, so the [peer](crate::peer) check lets
//! it through. The first request head tells it apart:
//!
//! - `Host` has to be one of our names. With DNS rebinding a page's own name is made to lead to our address, and the
//!   browser takes our registry for the page's server; but it still sends the page's name. Our names lead where the
//!   page's owner cannot change anything.
//! - `Origin`, `Sec-…`, `Access-Control-Request-…` and `Upgrade-Insecure-Requests` come from browsers only (Fetch, “HTTP
//!   extensions” and “forbidden request-header”; Fetch Metadata), and a page cannot take them away. They are not enough: a `GET` without CORS has no `Origin`, and Chromium sends `Sec-Fetch-*` only
//!   to addresses it trusts (127.x, not a name in the hosts file). Such a request harms nothing by itself, but the
//!   browser keeps the connection and would send the page's `POST` on it.
//! - `User-Agent: Mozilla/…` is what all browsers and no registry client sends. A page can change it only together
//!   with a preflight, which has an `Origin`, or under its own name, which is not ours.
//!
//! Only the first head is judged: a connection belongs to one program, and a browser's never gets past its first.
//! From then on bytes are carried untouched, the head included. The judgement comes before the lease, so that a
//! page does not even make the tunnel dial.
//!
//! TLS is carried as it is where the registry speaks it, or may; the first answer to a ClientHello tells which. What a browser says inside is not seen; there it is
//! the certificate that stops rebinding (looking at the name in the ClientHello would add nothing), and the registry's
//! login that stops the rest. A registry that is known not to speak TLS is not bothered: engines try it first, and the
//! answer is the same every time.
//!
//! What is refused over HTTP is told why in a sentence. Nothing of what a connection says is ever logged: not its
//! target, where tokens can be, and none of its fields.

mod head;
mod spoken;

pub(crate) use head::{Refusal, Verdict};
pub(crate) use spoken::Spoken;

use crate::Gateway;
use bytes::BytesMut;
use dockline_model::RegistrySpec;
use head::Names;
use std::{
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A head must fit; what Go's server allows is 1 MiB, what engines send is below 4 KiB (a bearer token mostly).
pub(crate) const HEAD_LIMIT: usize = 16 << 10;
/// More fields than any engine sends.
const FIELD_LIMIT: usize = 128;
/// From the first byte of a head to its last. Not from the connection's start: browsers and clients with a pool open
/// connections ahead of their need, and those cost nothing while they are silent.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long a connection may be silent at first. Longer than any client keeps one in reserve: Go's closes it after 90 s.
const SILENCE: Duration = Duration::from_secs(5 * 60);
/// How long a refused program may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);
/// Read from the program in pieces of this size while its head is not complete.
const PIECE: usize = 2 << 10;

/// A page under one of these was served by a program of this machine.
const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What a connection has to begin with to be carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessRules {
    /// HTTP/1.x for this registry and not from a browser, or TLS.
    Http(HttpRules),
    /// Anything, and nothing is waited for: a plain forward, as `ssh -L` is one, that web pages can use, too.
    AnyProtocol,
}

impl Default for AccessRules {
    fn default() -> Self {
        Self::Http(HttpRules::default())
    }
}

/// What is known about the registry and its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpRules {
    /// What the registry speaks.
    pub speaks: RegistryProtocol,
    /// Other names that programs reach the listener by, besides the registry's own, its address and localhost: what
    /// an engine's virtual machine calls this machine ([`Gateway::NAMES`]). Only names that nobody else can make lead
    /// elsewhere: a web page may use the registry if it can be served under one of them.
    pub other_names: Vec<String>,
}

/// Whether the registry's port speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegistryProtocol {
    /// Nobody said: TLS is carried there until the registry has answered that it speaks none, and for a minute
    /// after that it is as with [`Self::Plain`].
    #[default]
    Unknown,
    /// HTTP without TLS. Engines that try TLS first are told so at once, without the tunnel.
    Plain,
    /// HTTP inside of TLS.
    Tls,
}

/// The rules, and the names that go with them.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    /// `None`: anything may pass.
    speaks: Option<RegistryProtocol>,
    names: Names,
    /// Those that are the registry's wherever it is entered.
    own_names: Vec<String>,
    spoken: Arc<Spoken>,
}

/// Why there is nothing to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAdmitted {
    /// It was refused, and should be [told why](refuse).
    Refused(Refusal),
    /// The program went away before it had said enough.
    Gone,
}

impl Gate {
    pub(crate) fn new(rules: AccessRules, spec: &RegistrySpec) -> Self {
        Self::of(rules, spec.name.as_str(), spec.address, spec.port)
    }

    pub(crate) fn of(rules: AccessRules, name: &str, address: Ipv4Addr, port: u16) -> Self {
        let (speaks, mut own_names) = match rules {
            AccessRules::Http(HttpRules { speaks, other_names }) => (Some(speaks), other_names),
            AccessRules::AnyProtocol => (None, Vec::new()),
        };
        own_names.push(name.to_owned());
        let loopback = LOCALHOST.map(str::to_owned).into_iter().chain([address.to_string()]);
        let hosts = own_names.iter().cloned().chain(loopback).collect();
        Self { speaks, names: Names { hosts, port }, own_names, spoken: Arc::default() }
    }

    /// The same rules for those who come in at a bridge's address.
    pub(crate) fn for_gateway(&self, gateway: Gateway) -> Self {
        let names = Gateway::NAMES.map(str::to_owned).into_iter().chain([gateway.address.ip().to_string()]);
        let hosts = self.own_names.iter().cloned().chain(names).collect();
        Self { names: Names { hosts, port: gateway.address.port() }, ..self.clone() }
    }

    /// The same rules for those who come in at 127.0.0.1: engines in a virtual machine call this machine by a name of
    /// their own.
    pub(crate) fn for_localhost(&self, port: u16) -> Self {
        let names = Gateway::NAMES.into_iter().chain(LOCALHOST).map(str::to_owned);
        let hosts = self.own_names.iter().cloned().chain(names).collect();
        Self { names: Names { hosts, port }, ..self.clone() }
    }

    /// Waits for the connection's first words and judges them; what was read comes back, to be carried first.
    pub(crate) async fn admit(&self, stream: &mut TcpStream) -> Result<BytesMut, NotAdmitted> {
        if self.speaks.is_none() {
            return Ok(BytesMut::new());
        }
        // Memory and a short deadline only for those who have something to say.
        match timeout(SILENCE, stream.readable()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(NotAdmitted::Gone),
        }
        let mut head = BytesMut::new();
        read(stream, &mut head).await?;
        match timeout(HEAD_DEADLINE, self.judge_all(stream, &mut head)).await {
            Ok(judged) => judged.map(|()| head),
            Err(_) => Err(NotAdmitted::Refused(Refusal::Slow)),
        }
    }

    /// The verdict on what has arrived so far.
    pub(crate) fn judge(&self, head: &[u8]) -> Verdict {
        let Some(speaks) = self.speaks else { return Verdict::Admit };
        let is_plain = speaks == RegistryProtocol::Unknown && self.spoken.is_plain(Instant::now());
        head::judge(head, &self.names, if is_plain { RegistryProtocol::Plain } else { speaks })
    }

    /// Whom to tell how the registry answers, if `first` asks it for TLS and nobody knows whether it speaks that.
    pub(crate) fn asks(&self, first: &[u8]) -> Option<&Spoken> {
        let is_open = self.speaks == Some(RegistryProtocol::Unknown);
        (is_open && head::is_client_hello(first)).then_some(&*self.spoken)
    }

    async fn judge_all(&self, stream: &mut TcpStream, head: &mut BytesMut) -> Result<(), NotAdmitted> {
        loop {
            match self.judge(head) {
                Verdict::Admit => return Ok(()),
                Verdict::Refuse(refusal) => return Err(NotAdmitted::Refused(refusal)),
                Verdict::Open => read(stream, head).await?,
            }
        }
    }
}

async fn read(stream: &mut TcpStream, head: &mut BytesMut) -> Result<(), NotAdmitted> {
    let room = HEAD_LIMIT.saturating_sub(head.len()).min(PIECE);
    head.reserve(room);
    match stream.take(room as u64).read_buf(head).await {
        Ok(0) | Err(_) => Err(NotAdmitted::Gone),
        Ok(_) => Ok(()),
    }
}

/// Says why, and closes. An answer rather than a reset: whoever opens the address in a browser, or wonders about an
/// engine's “denied: …”, finds the reason. A page cannot read it (no CORS fields), and the one whose name was bound
/// to our address, which can, learns nothing from it about the registry.
pub(crate) async fn refuse(mut stream: TcpStream, refusal: Refusal) {
    if refusal == Refusal::Tls {
        tracing::debug!("a program tried TLS, which this registry does not speak");
    } else {
        tracing::info!(?refusal, "a connection was refused for what it said first");
    }
    let farewell = async {
        stream.write_all(answer(refusal).as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with something unread would be a reset, which can overtake the answer.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    // A program that does not care to listen is gone already, or is left now.
    let _ = timeout(FAREWELL, farewell).await;
}

/// A response as the distribution-spec wants errors (“Error Codes”): engines show the message.
fn answer(refusal: Refusal) -> String {
    let (status, code, message) = match refusal {
        Refusal::Browser => (
            "403 Forbidden",
            "DENIED",
            "Dockline lets no browser use this registry's tunnel, because any web page could use it then. Use docker, \
             podman, skopeo, curl or dockline.",
        ),
        Refusal::OtherHost => (
            "403 Forbidden",
            "DENIED",
            "Dockline serves this address only under the name of its registry. Use the name, or the address and \
             port, that dockline list shows.",
        ),
        Refusal::Proxy => {
            ("403 Forbidden", "DENIED", "This is the way to one registry, and no proxy to others.")
        }
        // What Go's server says, too. Engines take any answer in HTTP to their TLS for “no TLS here”; containerd takes
        // nothing else for it, and would not come again after a mere hang-up.
        Refusal::Tls => (
            "400 Bad Request",
            "UNSUPPORTED",
            "This registry speaks HTTP without TLS; inside the tunnel it is encrypted all the same.",
        ),
        Refusal::NotHttp => (
            "400 Bad Request",
            "UNSUPPORTED",
            "Dockline carries HTTP/1.1 and TLS to this registry, and this was neither, or not written as RFC 9112 wants it.",
        ),
        Refusal::TooLarge => (
            "431 Request Header Fields Too Large",
            "UNSUPPORTED",
            "Dockline reads 16 KiB of a request's header fields, and there were more.",
        ),
        Refusal::Slow => (
            "408 Request Timeout",
            "UNSUPPORTED",
            "Dockline waited ten seconds for the request's header fields. Try again.",
        ),
    };
    let body = format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"{message}\"}}]}}\n");
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Content-Type-Options: \
         nosniff\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests;
