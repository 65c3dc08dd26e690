//! Which connections may use a tunnel, by what they say first: programs that speak to a registry, and no web page.
//!
//! A registry behind a loopback port needs no login as a rule, and every page that the person opens can make the
//! browser send requests there; the browser is a program of the person's own, so the [peer](crate::peer) check lets
//! it through. The first request head tells it apart:
//!
//! - `Host` has to be one of our names. With DNS rebinding a page's own name is made to lead to our address, and the
//!   browser takes our registry for the page's server; but it still sends the page's name. Our names lead where the
//!   page's owner cannot change anything.
//! - `Origin` or `Sec-Fetch-*` come from browsers only (Fetch, “HTTP extensions”; Fetch Metadata), and a page cannot
//!   take them away. They are not enough: a `GET` without CORS has no `Origin`, and Chromium sends `Sec-Fetch-*` only
//!   to addresses it trusts (127.x, not a name in the hosts file). Such a request harms nothing by itself, but the
//!   browser keeps the connection and would send the page's `POST` on it.
//! - `User-Agent: Mozilla/…` is what all browsers and no registry client sends. A page can change it only together
//!   with a preflight, which has an `Origin`, or under its own name, which is not ours.
//!
//! Only the first head is judged: a connection belongs to one program, and a browser's never gets past its first.
//! From then on bytes are carried untouched, the head included. The judgement comes before the lease, so that a
//! page does not even make the tunnel dial.
//!
//! TLS is carried as it is: engines try it first, and a registry may really speak it. What a browser says inside is
//! not seen; there it is the certificate that stops rebinding, and the registry's login that stops the rest.

use bytes::BytesMut;
use dockline_model::RegistrySpec;
use std::{net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A head must fit; what Go's server allows is 1 MiB, what engines send is below 4 KiB (a bearer token mostly).
const HEAD_LIMIT: usize = 16 << 10;
/// More fields than any engine sends.
const FIELD_LIMIT: usize = 128;
/// From the first byte of a head to its last. Not from the connection's start: browsers and clients with a pool open
/// connections ahead of their need, and those cost nothing while they are silent.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long a refused program may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);
/// Read from the program in pieces of this size while its head is not complete.
const PIECE: usize = 2 << 10;

/// What a connection has to begin with to be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessRules {
    /// HTTP/1.x for this registry and not from a browser, or TLS.
    #[default]
    Http,
    /// Anything, and nothing is waited for: a plain forward, as `ssh -L` is one, that web pages can use, too.
    AnyProtocol,
}

/// The rules, and the names that go with them.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    rules: AccessRules,
    names: Vec<String>,
    port: String,
}

/// What the beginning of a connection says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Too little has arrived.
    Open,
    Admit,
    Refuse(Refusal),
}

/// Why a connection is not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A browser made it.
    Browser,
    /// It does not ask for this registry.
    OtherHost,
    /// Neither HTTP/1.x nor TLS.
    NotHttp,
    /// The head is longer than [`HEAD_LIMIT`], or has more than [`FIELD_LIMIT`] fields.
    TooLarge,
    /// The head did not arrive within [`HEAD_DEADLINE`].
    Slow,
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
        let mut names = vec![spec.name.as_str().to_owned(), spec.address.to_string()];
        if spec.address == Ipv4Addr::LOCALHOST {
            names.push("localhost".to_owned());
        }
        Self { rules, names, port: spec.port.to_string() }
    }

    /// Waits for the connection's first words and judges them; what was read comes back, to be carried first.
    pub(crate) async fn admit(&self, stream: &mut TcpStream) -> Result<BytesMut, NotAdmitted> {
        if self.rules == AccessRules::AnyProtocol {
            return Ok(BytesMut::new());
        }
        // Memory and a deadline only for those who have something to say.
        stream.readable().await.map_err(|_| NotAdmitted::Gone)?;
        let mut head = BytesMut::new();
        read(stream, &mut head).await?;
        match timeout(HEAD_DEADLINE, self.judge_all(stream, &mut head)).await {
            Ok(judged) => judged.map(|()| head),
            Err(_) => Err(NotAdmitted::Refused(Refusal::Slow)),
        }
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

    /// Judges what has arrived so far. More of the same never turns a verdict into another one.
    fn judge(&self, head: &[u8]) -> Verdict {
        // RFC 8446, 5.1: a record of type `handshake`, then the version, 3.something for ever.
        match *head {
            [] | [0x16] => return Verdict::Open,
            [0x16, 0x03, ..] => return Verdict::Admit,
            _ => {}
        }
        let mut fields = [httparse::EMPTY_HEADER; FIELD_LIMIT];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(head) {
            Ok(httparse::Status::Complete(_)) => self.judge_fields(request.headers),
            Ok(httparse::Status::Partial) if head.len() < HEAD_LIMIT => Verdict::Open,
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                Verdict::Refuse(Refusal::TooLarge)
            }
            // HTTP/2 without TLS is among these: registries and engines speak it only after ALPN.
            Err(_) => Verdict::Refuse(Refusal::NotHttp),
        }
    }

    fn judge_fields(&self, fields: &[httparse::Header<'_>]) -> Verdict {
        if fields.iter().any(is_of_a_browser) {
            return Verdict::Refuse(Refusal::Browser);
        }
        let mut hosts = fields.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
        // RFC 9112, 3.2: exactly one.
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if self.is_ours(host.value) => Verdict::Admit,
            _ => Verdict::Refuse(Refusal::OtherHost),
        }
    }

    fn is_ours(&self, host: &[u8]) -> bool {
        let Ok(host) = str::from_utf8(host) else { return false };
        let (name, port) = host.split_once(':').unwrap_or((host, &self.port));
        port == self.port && self.names.iter().any(|ours| ours.eq_ignore_ascii_case(name))
    }
}

fn is_of_a_browser(field: &httparse::Header<'_>) -> bool {
    let begins = |text: &[u8], with: &[u8]| {
        text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    field.name.eq_ignore_ascii_case("origin")
        || begins(field.name.as_bytes(), b"sec-fetch-")
        || (field.name.eq_ignore_ascii_case("user-agent") && begins(field.value, b"mozilla/"))
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
    tracing::info!(?refusal, "a connection was refused for what it said first");
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
        Refusal::NotHttp => (
            "400 Bad Request",
            "UNSUPPORTED",
            "Dockline carries HTTP/1.1 and TLS to this registry, and this was neither.",
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
