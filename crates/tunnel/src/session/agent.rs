//! The SSH agent: where it is found, which keys it holds, and how it signs.
//!
//! Its keys are listed by our own reader, since the library's gives all of them up for one of a kind that it does not
//! know. The agent is told which server it signs for first (`session-bind@openssh.com`), without which it hides keys
//! that are bound to hosts (`ssh-add -h`).

use crate::config::WINDOWS_AGENT_PIPE;
use russh::keys::{
    Certificate, PublicKey,
    agent::{
        AgentIdentity, AgentSessionBinding,
        client::{AgentClient, AgentStream},
    },
};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A stream to an agent, of whatever kind the platform has.
pub(super) type Stream = Box<dyn AgentStream + Send + Unpin + 'static>;
/// An agent that is connected to.
pub(super) type Agent = AgentClient<Stream>;

/// Listing keys asks nobody, so an agent that takes longer is stuck.
const LIST_TIMEOUT: Duration = Duration::from_secs(3);
/// The agent's messages (draft-miller-ssh-agent).
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
/// OpenSSH's agent answers with 256 KiB at most.
const LONGEST_ANSWER: u32 = 256 * 1024;

/// A kind of agent.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A UNIX socket.
    Socket(PathBuf),
    /// A named pipe.
    Pipe(PathBuf),
    /// PuTTY's, by its window's messages.
    Pageant,
}

/// Where to look, in order.
fn places(configured: &Path, is_windows: bool) -> Vec<Place> {
    if !is_windows {
        return vec![Place::Socket(configured.to_owned())];
    }
    let pipe = Place::Pipe(configured.to_owned());
    if configured == Path::new(WINDOWS_AGENT_PIPE) { vec![pipe, Place::Pageant] } else { vec![pipe] }
}

/// Connects, and lists the keys. `None` where there is no agent, or none that answers.
pub(super) async fn open(
    configured: &Path,
    binding: Option<&AgentSessionBinding>,
) -> Option<(Agent, Vec<AgentIdentity>)> {
    for place in places(configured, cfg!(windows)) {
        // An agent that hangs up at a request that it does not know gets none of those.
        let ways = if binding.is_some() { vec![binding, None] } else { vec![None] };
        for binding in ways {
            match tokio::time::timeout(LIST_TIMEOUT, open_at(&place, binding)).await {
                Ok(Ok(opened)) => return Some(opened),
                Ok(Err(error)) if hung_up(&error) => tracing::debug!("the SSH agent hung up"),
                Ok(Err(error)) => {
                    tracing::debug!(kind = ?error.kind(), "the SSH agent does not answer");
                    break;
                }
                Err(_) => {
                    tracing::debug!("the SSH agent did not answer in time");
                    break;
                }
            }
        }
    }
    None
}

fn hung_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

async fn open_at(
    place: &Place,
    binding: Option<&AgentSessionBinding>,
) -> io::Result<(Agent, Vec<AgentIdentity>)> {
    let mut stream = connect(place).await?;
    if let Some(binding) = binding {
        // An agent that does not know the request says so; its keys are bound to nothing then.
        if let Err(error) = AgentClient::connect(&mut stream).bind_session(binding, false).await {
            tracing::debug!(%error, "the SSH agent does not bind sessions");
        }
    }
    let identities = list(&mut stream).await?;
    Ok((AgentClient::connect(stream), identities))
}

#[cfg(unix)]
async fn connect(place: &Place) -> io::Result<Stream> {
    match place {
        Place::Socket(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        Place::Pipe(_) | Place::Pageant => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(windows)]
async fn connect(place: &Place) -> io::Result<Stream> {
    match place {
        Place::Pipe(path) => {
            let agent = AgentClient::connect_named_pipe(path.as_os_str()).await.map_err(io::Error::other)?;
            Ok(agent.into_inner())
        }
        Place::Pageant => {
            let agent = AgentClient::connect_pageant().await.map_err(io::Error::other)?;
            Ok(agent.into_inner())
        }
        Place::Socket(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

async fn list(stream: &mut Stream) -> io::Result<Vec<AgentIdentity>> {
    stream.write_all(&[0, 0, 0, 1, REQUEST_IDENTITIES]).await?;
    stream.flush().await?;
    let length = stream.read_u32().await?;
    if length > LONGEST_ANSWER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer).await?;
    identities(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads the agent's answer. Keys of a kind that the library does not know are passed over.
fn identities(answer: &[u8]) -> Option<Vec<AgentIdentity>> {
    let mut rest = answer.strip_prefix(&[IDENTITIES_ANSWER])?;
    let (count, after) = rest.split_first_chunk::<4>()?;
    rest = after;
    let mut identities = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (blob, comment) = (string(&mut rest)?, string(&mut rest)?);
        let comment = String::from_utf8_lossy(comment).into_owned();
        if let Some(identity) = identity(blob, comment) {
            identities.push(identity);
        }
    }
    Some(identities)
}

fn identity(blob: &[u8], comment: String) -> Option<AgentIdentity> {
    // The library's reader of certificates has no limit of depth; one in another is none of OpenSSH's.
    let marker = b"-cert-v01@openssh.com";
    match blob.windows(marker.len()).filter(|window| window == marker).count() {
        0 => Some(AgentIdentity::PublicKey { key: PublicKey::from_bytes(blob).ok()?, comment }),
        1 => Some(AgentIdentity::Certificate { certificate: Certificate::from_bytes(blob).ok()?, comment }),
        _ => None,
    }
}

/// RFC 4251 §5.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (string, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = after;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use russh::keys::{Algorithm, PrivateKey};

    #[test]
    fn pageant_is_looked_for_where_windows_own_agent_would_be() {
        let (pipe, other) = (Path::new(WINDOWS_AGENT_PIPE), Path::new(r"\\.\pipe\another"));
        assert_eq!(places(pipe, true), [Place::Pipe(pipe.to_owned()), Place::Pageant]);
        assert_eq!(
            places(other, true),
            [Place::Pipe(other.to_owned())],
            "the one that was asked for, or none"
        );
        assert_eq!(places(Path::new("/run/a"), false), [Place::Socket("/run/a".into())]);
    }

    fn answer(keys: &[(&[u8], &str)]) -> Vec<u8> {
        let mut answer = vec![IDENTITIES_ANSWER];
        answer.extend((keys.len() as u32).to_be_bytes());
        for field in keys.iter().flat_map(|(blob, comment)| [*blob, comment.as_bytes()]) {
            answer.extend((field.len() as u32).to_be_bytes());
            answer.extend(field);
        }
        answer
    }

    #[test]
    fn a_key_of_an_unknown_kind_hides_no_other() {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let blob = key.public_key().to_bytes().unwrap();
        let odd = b"\x00\x00\x00\x07ssh-odd";
        let listed = identities(&answer(&[(odd, "odd"), (&[], "empty"), (&blob, "mine")])).unwrap();
        let mine = listed.iter().find(|identity| identity.comment() == "mine").unwrap();
        assert_eq!(mine.public_key().key_data(), key.public_key().key_data());
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = identities(&bytes);
            let _ = identities(&[&[IDENTITIES_ANSWER, 0, 0, 0, 2], &bytes[..]].concat());
        }
    }
}
