//! The judgement on a connection's first bytes. Pure: bytes and names in, a verdict out.
//!
//! It has to read a head as the registry will (Go's `net/http`, mostly), or what is judged is not what is done. So a
//! shape that servers read differently is refused, even where a standard lets a server be lenient: none of the
//! programs that push and pull sends any of them.
//!
//! | shape | verdict |
//! |---|---|
//! | no `Host`, or two, or an empty one, or a list (RFC 9112, 3.2) | refused, in HTTP/1.0, too |
//! | `GET http://name/… HTTP/1.1` (absolute form; Go takes the host from there and ignores `Host`) | that name has to be ours, too |
//! | `CONNECT`, and other targets that are no path | refused: this is no proxy |
//! | a field on two lines (obs-fold), white space before a colon, a line without one | refused |
//! | a line that ends in LF alone, or has a CR or NUL inside | refused |
//! | HTTP/2's preface, HTTP/0.9, a PROXY line | refused: registries speak HTTP/2 only inside of TLS |
//! | empty lines before the request | ignored, as RFC 9112, 2.2 says |
//! | `Content-Length` beside `Transfer-Encoding`, `Expect: 100-continue` | not looked at: bodies are between the program and the registry |
//! | `Referer` | not looked at: Go's client sends it along a redirect; browsers are known by other fields |

use super::{FIELD_LIMIT, HEAD_LIMIT, RegistryProtocol};

/// What the beginning of a connection says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
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
    /// It wants to be led somewhere else.
    Proxy,
    /// TLS, which this registry does not speak. Engines try it first and come again without.
    Tls,
    /// Neither HTTP/1.x nor TLS.
    NotHttp,
    /// The head is longer than [`HEAD_LIMIT`], or has more than [`FIELD_LIMIT`] fields.
    TooLarge,
    /// The head did not arrive within [`super::HEAD_DEADLINE`].
    Slow,
}

/// The names that may stand in `Host`.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Host names, and addresses as they stand there: `[::1]`.
    pub hosts: Vec<String>,
    pub port: u16,
}

impl Names {
    /// Whether `NAME` or `NAME:PORT` is ours. Without a port it means ours.
    fn contain(&self, authority: &[u8]) -> bool {
        let Ok(authority) = str::from_utf8(authority) else { return false };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            Some(_) | None => (authority, None),
        };
        // As it is printed: `+5000` and `05000` would be numbers, too.
        port.is_none_or(|port| port == self.port.to_string())
            && self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }
}

/// Judges what has arrived so far, [`HEAD_LIMIT`] bytes at most. More of the same never turns a verdict into another.
pub(crate) fn judge(head: &[u8], names: &Names, speaks: RegistryProtocol) -> Verdict {
    // RFC 8446, 5.1: a record of type `handshake`, then the version, 3.something for ever.
    match *head {
        [] | [0x16] => return Verdict::Open,
        [0x16, 0x03, ..] => {
            return match speaks {
                RegistryProtocol::Plain => Verdict::Refuse(Refusal::Tls),
                RegistryProtocol::Tls | RegistryProtocol::Unknown => Verdict::Admit,
            };
        }
        _ => {}
    }
    let mut fields = [httparse::EMPTY_HEADER; FIELD_LIMIT];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(end)) if has_bare_line_feed(&head[..end]) => {
            Verdict::Refuse(Refusal::NotHttp)
        }
        Ok(httparse::Status::Complete(_)) => judge_request(&request, names),
        Ok(httparse::Status::Partial) if head.len() < HEAD_LIMIT => Verdict::Open,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            Verdict::Refuse(Refusal::TooLarge)
        }
        Err(_) => Verdict::Refuse(Refusal::NotHttp),
    }
}

/// Whether it is the beginning of TLS.
pub(crate) const fn is_client_hello(first: &[u8]) -> bool {
    matches!(first, [0x16, 0x03, ..])
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    let before = std::iter::once(&0).chain(head);
    before.zip(head).any(|(before, byte)| *byte == b'\n' && *before != b'\r')
}

fn judge_request(request: &httparse::Request<'_, '_>, names: &Names) -> Verdict {
    let fields = &*request.headers;
    if fields.iter().any(is_of_a_browser) {
        return Verdict::Refuse(Refusal::Browser);
    }
    let mut hosts = fields.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Verdict::Refuse(Refusal::OtherHost) };
    if !names.contain(host.value) {
        return Verdict::Refuse(Refusal::OtherHost);
    }
    let target = request.path.unwrap_or_default();
    let is_path = request.method != Some("CONNECT") && (target.starts_with('/') || target == "*");
    if is_path || authority_of(target).is_some_and(|authority| names.contain(authority.as_bytes())) {
        Verdict::Admit
    } else {
        Verdict::Refuse(Refusal::Proxy)
    }
}

/// The authority of a target in absolute form.
fn authority_of(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    scheme.eq_ignore_ascii_case("http").then(|| rest.split(['/', '?', '#']).next().unwrap_or(rest))
}

/// What only browsers send: see [`super`].
fn is_of_a_browser(field: &httparse::Header<'_>) -> bool {
    let begins = |text: &[u8], with: &[u8]| {
        text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let name = field.name.as_bytes();
    field.name.eq_ignore_ascii_case("origin")
        || field.name.eq_ignore_ascii_case("upgrade-insecure-requests")
        || begins(name, b"sec-")
        || begins(name, b"access-control-request-")
        || (field.name.eq_ignore_ascii_case("user-agent") && begins(field.value, b"mozilla/"))
}
