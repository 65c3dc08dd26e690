//! Bytes of an engine's answer to events.
//!
//! One JSON object per line, ended by CRLF (dockerd) or LF (Podman). What is not such an object is passed
//! over: a stream with one spoilt line still tells how the transfer went.

use serde_json::Value;

/// Longest line that is kept, in bytes. dockerd's longest are errors of a few hundred; a line beyond this is
/// not an event, and must not become memory.
pub const MAX_LINE: usize = 256 * 1024;

/// One thing that an engine said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// About one layer, by the engine's short id.
    Layer {
        /// The first 12 digits of the layer's digest (of its uncompressed or compressed form: the store's choice).
        id: String,
        /// What became of it.
        event: LayerEvent,
    },
    /// The manifest's digest, `sha256:…`.
    Digest(String),
    /// A push sends one platform's image instead of the index that it belongs to, since the engine lacks the others (Docker
    /// 28 and later, containerd's store): `linux/amd64`; empty where the engine does not tell.
    OnePlatform(String),
    /// The transfer failed, in the engine's own words; HTTP's status was 200 all the same.
    Error(String),
    /// Anything else, such as `Pulling from app` or `Status: Image is up to date for …`.
    Remark(String),
}

/// What became of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerEvent {
    /// A push has found it; the classic store lists the top layer first.
    Prepared,
    /// A pull has found it, bottom first.
    Found,
    /// It waits for its turn.
    Waiting,
    /// Bytes moved. Pushes of the classic store count uncompressed tar bytes against a sum of file sizes, so
    /// `current` may pass `total`.
    Transferring {
        /// Bytes so far; left out by the engine while zero.
        current: u64,
        /// Bytes in all.
        total: Option<u64>,
    },
    /// A pull has all its bytes; they wait to be unpacked.
    Downloaded,
    /// A pull unpacks it. The containerd store counts seconds here, not bytes: then `bytes` is `None`.
    Extracting {
        /// Compressed bytes unpacked, and in all.
        bytes: Option<(u64, u64)>,
    },
    /// It failed and begins again in so many seconds.
    Retrying {
        /// Until then.
        seconds: u32,
    },
    /// It is there now.
    Done,
    /// It was there already (or is foreign and is never sent).
    Exists,
    /// The registry took it from another of its repositories.
    Mounted {
        /// Which one.
        from: String,
    },
}

/// Cuts chunks of any size into events.
#[derive(Debug, Default)]
pub struct EventDecoder {
    line: Vec<u8>,
    overlong: bool,
}

impl EventDecoder {
    /// Takes the next bytes of the answer and gives the events that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            self.extend(piece);
            if pieces.peek().is_some() {
                self.end_line(&mut events);
            }
        }
        events
    }

    /// The answer ended: gives the events of a last line without an end (error bodies have none).
    pub fn finish(&mut self) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        self.end_line(&mut events);
        events
    }

    fn extend(&mut self, piece: &[u8]) {
        if self.overlong || self.line.len() + piece.len() > MAX_LINE {
            self.overlong = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(piece);
        }
    }

    fn end_line(&mut self, events: &mut Vec<StreamEvent>) {
        if !self.overlong {
            // Objects may share a line where a proxy has dropped the ends; whatever follows a spoilt one is lost.
            let objects = serde_json::Deserializer::from_slice(&self.line).into_iter::<Value>();
            for object in objects.map_while(Result::ok) {
                events.extend(event_of(&object));
            }
        }
        self.overlong = false;
        self.line.clear();
    }
}

fn event_of(object: &Value) -> Option<StreamEvent> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    // `errorDetail` and the older `error` say the same; Podman may send only the latter. `message` alone is
    // the body of an HTTP error.
    let detail = object.get("errorDetail").and_then(|detail| detail.get("message")).and_then(Value::as_str);
    if let Some(words) = detail.filter(|words| !words.is_empty()).or_else(|| text("error")) {
        return Some(StreamEvent::Error(words.to_owned()));
    }
    if let Some(digest) = object.get("aux").and_then(|aux| aux.get("Digest")).and_then(Value::as_str) {
        return is_digest(digest).then(|| StreamEvent::Digest(digest.to_owned()));
    }
    if let Some(aux) = object.get("aux")
        && aux.get("manifestPushedInsteadOfIndex") == Some(&Value::Bool(true))
    {
        let selected = aux.pointer("/selectedManifest/platform").and_then(platform);
        return Some(StreamEvent::OnePlatform(selected.unwrap_or_default()));
    }
    let Some(status) = text("status") else {
        return text("message").map(|words| StreamEvent::Error(words.to_owned()));
    };
    if let Some(id) = text("id")
        && let Some(event) = layer_event(status, object.get("progressDetail"))
    {
        return Some(StreamEvent::Layer { id: id.to_owned(), event });
    }
    Some(digest_in(status).map_or_else(
        || StreamEvent::Remark(status.to_owned()),
        |digest| StreamEvent::Digest(digest.to_owned()),
    ))
}

/// `linux/arm64` of a descriptor's platform (image-spec, image-index.md).
fn platform(platform: &Value) -> Option<String> {
    let part = |key: &str| platform.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let parts = [Some(part("os")?), Some(part("architecture")?), part("variant")];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join("/"))
}

fn layer_event(status: &str, detail: Option<&Value>) -> Option<LayerEvent> {
    let number = |key: &str| detail.and_then(|detail| detail.get(key)).and_then(Value::as_u64);
    let counts_bytes = detail.and_then(|detail| detail.get("units")).is_none();
    match status {
        "Preparing" => Some(LayerEvent::Prepared),
        "Pulling fs layer" => Some(LayerEvent::Found),
        "Waiting" => Some(LayerEvent::Waiting),
        "Pushing" | "Downloading" => Some(LayerEvent::Transferring {
            current: number("current").unwrap_or(0),
            total: number("total").filter(|total| *total > 0),
        }),
        "Verifying Checksum" | "Download complete" => Some(LayerEvent::Downloaded),
        "Extracting" => Some(LayerEvent::Extracting {
            bytes: number("current").zip(number("total")).filter(|(_, total)| counts_bytes && *total > 0),
        }),
        "Pushed" | "Pull complete" => Some(LayerEvent::Done),
        "Layer already exists" | "Already exists" | "Skipped foreign layer" => Some(LayerEvent::Exists),
        other => retry_in(other).map(|seconds| LayerEvent::Retrying { seconds }).or_else(|| {
            other.strip_prefix("Mounted from ").map(|from| LayerEvent::Mounted { from: from.into() })
        }),
    }
}

/// `Retrying in 5 seconds`, `Retrying in 1 second`.
fn retry_in(status: &str) -> Option<u32> {
    let (seconds, unit) = status.strip_prefix("Retrying in ")?.split_once(' ')?;
    unit.starts_with("second").then(|| seconds.parse().ok())?
}

/// The digest in `v1: digest: sha256:… size: 2636` (push) or `Digest: sha256:…` (pull).
fn digest_in(status: &str) -> Option<&str> {
    let digest = match status.strip_prefix("Digest: ") {
        Some(digest) => digest.trim(),
        None => status.split_once(": digest: ")?.1.split(' ').next()?,
    };
    is_digest(digest).then_some(digest)
}

/// `algorithm:hex` as the OCI image specification has it, as far as registries use it.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return false,
        };
        hex.len() == length && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<StreamEvent> {
        let mut decoder = EventDecoder::default();
        let mut events = decoder.feed(bytes);
        events.extend(decoder.finish());
        events
    }

    #[test]
    fn a_spoilt_line_costs_only_itself() {
        let events =
            all(b"\xff\xfe{\r\n{\"status\":\"Pushed\",\"id\":\"a\"}\r\n[1,2]\n\"x\"\nnull\n{\"status\":7}\n\
            {\"status\":\"Pushing\",\"id\":\"a\",\"progressDetail\":{\"current\":-3,\"total\":\"many\"}}\n");
        assert_eq!(
            events,
            [
                StreamEvent::Layer { id: "a".into(), event: LayerEvent::Done },
                StreamEvent::Layer {
                    id: "a".into(),
                    event: LayerEvent::Transferring { current: 0, total: None }
                },
            ]
        );
    }

    #[test]
    fn an_endless_line_does_not_become_memory() {
        let mut decoder = EventDecoder::default();
        for _ in 0..64 {
            assert!(decoder.feed(&[b'x'; 64 * 1024]).is_empty());
            assert!(decoder.line.capacity() <= MAX_LINE);
        }
        let events = decoder.feed(b"\n{\"status\":\"Pulling from app\",\"id\":\"v1\"}\n");
        assert_eq!(events, [StreamEvent::Remark("Pulling from app".into())]);
    }

    #[test]
    fn an_error_is_found_in_each_of_its_forms() {
        for line in [
            r#"{"errorDetail":{"code":401,"message":"no"},"error":"older"}"#,
            r#"{"error":"no"}"#,
            r#"{"message":"no"}"#,
            r#"{"status":"Pushing","id":"a","error":"no"}"#,
            r#"{"status":"","error":"no"}"#,
        ] {
            assert_eq!(all(line.as_bytes()), [StreamEvent::Error("no".into())], "{line}");
        }
    }

    #[test]
    fn only_a_digest_is_taken_for_one() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for line in [
            format!(r#"{{"status":"v1: digest: {digest} size: 524"}}"#),
            format!(r#"{{"status":"Digest: {digest}"}}"#),
            format!(r#"{{"progressDetail":{{}},"aux":{{"Tag":"v1","Digest":"{digest}","Size":524}}}}"#),
        ] {
            assert_eq!(all(line.as_bytes()), [StreamEvent::Digest(digest.clone())], "{line}");
        }
        assert_eq!(
            all(br#"{"status":"Digest: sha256:short"}"#),
            [StreamEvent::Remark("Digest: sha256:short".into())]
        );
    }

    #[test]
    fn one_platform_instead_of_all_is_noticed() {
        for (more, told) in [
            ("", ""),
            (r#","selectedManifest":{"platform":{"architecture":"amd64","os":"linux"}}"#, "linux/amd64"),
            (
                r#","selectedManifest":{"platform":{"architecture":"arm","os":"linux","variant":"v7"}}"#,
                "linux/arm/v7",
            ),
        ] {
            let line = format!(r#"{{"aux":{{"manifestPushedInsteadOfIndex":true{more}}}}}"#);
            assert_eq!(all(line.as_bytes()), [StreamEvent::OnePlatform(told.to_owned())], "{line}");
        }
        assert_eq!(all(br#"{"aux":{"manifestPushedInsteadOfIndex":false}}"#), []);
    }
}
