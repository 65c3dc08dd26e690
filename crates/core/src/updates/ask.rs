//! The question, and reading its answer.

use super::{Address, UpdateError};
use reqwest::{StatusCode, header};
use semver::Version;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long all of it may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How much of an answer is read, in KiB: a document has a few lines.
const LONGEST_KIB: usize = 64;
/// How many times we are sent on.
const ONWARD: usize = 3;
/// Letters of the notes that are kept.
const LONGEST_NOTES: usize = 4_000;

/// A document that was read: whatever it says can be shown, and its page opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) version: Version,
    pub(crate) url: String,
    pub(crate) notes: Option<String>,
}

/// The same as it comes. What else it holds is for later versions.
#[derive(Deserialize)]
struct Raw {
    version: String,
    url: String,
    #[serde(default)]
    notes: Option<String>,
}

/// Asks once.
pub(crate) async fn ask(address: &Address, patience: Duration) -> Result<Document, UpdateError> {
    tokio::time::timeout(patience, follow(address)).await.unwrap_or_else(|_| {
        Err(UpdateError::TimedOut { place: address.place(), seconds: patience.as_secs() })
    })
}

async fn follow(address: &Address) -> Result<Document, UpdateError> {
    let mut at = address.clone();
    for _ in 0..=ONWARD {
        let place = at.place();
        let unreachable = |source| UpdateError::Unreachable { place: place.clone(), source };
        let request = client(&at)?.get(at.url().clone()).header(header::ACCEPT, "application/json");
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status == StatusCode::OK {
            return read(&body(response, &place).await?, &at);
        }
        let location = response.headers().get(header::LOCATION).filter(|_| status.is_redirection());
        let Some(location) = location else {
            return Err(UpdateError::Status { place, status: status.as_u16() });
        };
        let to = String::from_utf8_lossy(location.as_bytes()).into_owned();
        at = at.onward(&to).ok_or(UpdateError::Onward { place, to })?;
    }
    Err(UpdateError::Circle { place: address.place() })
}

fn client(address: &Address) -> Result<reqwest::Client, UpdateError> {
    dockline_registry::choose_cryptography();
    // Without a version: whoever is asked learns nothing of who asks.
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).user_agent("dockline");
    let client = match (address.is_here(), address.url().scheme()) {
        // A proxy cannot know this machine's loopback; and without TLS no authorities need be read.
        (true, "http") => client.no_proxy().tls_certs_only([]),
        (true, _) => client.no_proxy(),
        (false, _) => client.https_only(true),
    };
    client.build().map_err(|source| UpdateError::Setup { source })
}

async fn body(mut response: reqwest::Response, place: &str) -> Result<Vec<u8>, UpdateError> {
    let mut body = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|source| UpdateError::Unreachable { place: place.to_owned(), source })?
    {
        if body.len() + piece.len() > LONGEST_KIB << 10 {
            return Err(UpdateError::TooLarge { place: place.to_owned(), kib: LONGEST_KIB });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// `from` has the document.
fn read(body: &[u8], from: &Address) -> Result<Document, UpdateError> {
    let place = || from.place();
    let raw: Raw =
        serde_json::from_slice(body).map_err(|source| UpdateError::Document { place: place(), source })?;
    let text = raw.version.trim();
    // Tags are called `v1.2.0` as a rule.
    let version = Version::parse(text.strip_prefix('v').unwrap_or(text))
        .map_err(|source| UpdateError::Version { place: place(), text: raw.version.clone(), source })?;
    // A person's browser opens it: no file of theirs, no script, no other program's scheme.
    let page = raw.url.parse::<Address>().ok().filter(|page| from.is_here() || !page.is_here());
    let url = page.ok_or_else(|| UpdateError::Page { place: place(), url: raw.url })?.to_string();
    Ok(Document { version, url, notes: raw.notes.as_deref().and_then(cleaned) })
}

/// Lines of plain text: what moves a terminal's cursor or turns the writing round is left out.
fn cleaned(notes: &str) -> Option<String> {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept = notes.chars().filter(|letter| *letter == '\n' || !(letter.is_control() || turns(*letter)));
    let text: String = kept.take(LONGEST_NOTES).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
