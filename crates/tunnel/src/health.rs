//! Whether a registry answers at the far end of a session: `GET /v2/`, as every registry has it (OCI distribution
//! specification, “Determining Support”).
//!
//! Asked only where a registry has several hosts. Whatever the answer says about logins, it comes from a registry that
//! lives; one that serves TLS refuses the plain request, which is an answer too.

use crate::{error::TunnelError, session::Channel};
use bytes::Bytes;
use russh::ChannelMsg;
use std::time::Duration;

/// How long the answer may take, from the request on.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than a status line is not read.
const LONGEST_STATUS_LINE: usize = 512;
/// Content types of TLS records (RFC 8446 §5.1): what a TLS server has to say to a plain request.
const TLS_RECORDS: std::ops::RangeInclusive<u8> = 20..=24;

/// What is wrong with a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Ailment {
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silent,
    #[error("it closed the connection without an answer")]
    NoAnswer,
    #[error("it answered with HTTP status {0}")]
    Status(u16),
    #[error("what answers there does not speak HTTP")]
    NotHttp,
}

/// Asks over a channel that leads to the registry. `authority` is what programs put into their `Host` header.
pub(crate) async fn ask(
    channel: Channel,
    authority: &str,
    host: &str,
    remote: String,
) -> Result<(), TunnelError> {
    let (mut from_far, to_far) = channel;
    let unhealthy = |ailment: Ailment| TunnelError::Unhealthy {
        host: host.to_owned(),
        remote,
        reason: ailment.to_string(),
    };
    let request = format!(
        "GET /v2/ HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: dockline\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let exchange = async {
        if to_far.data_bytes(Bytes::from(request)).await.is_err() {
            return Vec::new();
        }
        let mut answer = Vec::new();
        while !answer.contains(&b'\n') && answer.len() < LONGEST_STATUS_LINE {
            match from_far.wait().await {
                Some(ChannelMsg::Data { data }) => answer.extend_from_slice(&data),
                // Window adjustments and the like.
                Some(message) if !matches!(message, ChannelMsg::Eof | ChannelMsg::Close) => {}
                Some(_) | None => break,
            }
        }
        answer
    };
    let answered = tokio::time::timeout(PATIENCE, exchange).await;
    // The session carries on; nobody waits for this channel's end.
    let _ = tokio::time::timeout(Duration::from_secs(1), to_far.close()).await;
    match answered {
        Ok(answer) => verdict(&answer).map_err(unhealthy),
        Err(_) => Err(unhealthy(Ailment::Silent)),
    }
}

/// What an answer's beginning says, or why it is none.
fn verdict(answer: &[u8]) -> Result<(), Ailment> {
    match answer.first() {
        None => return Err(Ailment::NoAnswer),
        Some(first) if TLS_RECORDS.contains(first) => return Ok(()),
        Some(_) => {}
    }
    let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\n').next().unwrap_or(answer));
    let mut words = line.split_ascii_whitespace();
    let status = words
        .next()
        .filter(|version| version.starts_with("HTTP/1."))
        .and_then(|_| words.next()?.parse::<u16>().ok());
    match status {
        Some(status) if status < 500 => Ok(()),
        Some(status) => Err(Ailment::Status(status)),
        None => Err(Ailment::NotHttp),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ailment, verdict};

    #[test]
    fn whoever_answers_lives_unless_it_says_otherwise() {
        for alive in [
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 401 Unauthorized\r\n",
            "HTTP/1.0 400 Bad Request\r\n",
            "\x15\x03",
        ] {
            assert_eq!(verdict(alive.as_bytes()), Ok(()), "{alive:?}");
        }
        for (dead, why) in [
            ("", Ailment::NoAnswer),
            ("HTTP/1.1 503 Service Unavailable\r\n", Ailment::Status(503)),
            ("SSH-2.0-OpenSSH_9.2\r\n", Ailment::NotHttp),
            ("HTTP/1.1 many\r\n", Ailment::NotHttp),
        ] {
            assert_eq!(verdict(dead.as_bytes()), Err(why), "{dead:?}");
        }
    }
}
