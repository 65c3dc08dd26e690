//! What a server says before its version (RFC 4253 §4.2). OpenSSH says there, and only there, that it turns somebody
//! away: “Exceeded MaxStartups”, and from 9.8 on “Not allowed at this time” (`PerSourcePenalties`).

use super::plain_text;
use std::sync::{Arc, Mutex, PoisonError};

/// More of it is not kept (RFC 4253 §4.2 allows a version of 255 bytes).
const LONGEST: usize = 255;

/// The beginning of what a server sent, until it is known to be a version.
#[derive(Debug, Clone, Default)]
pub(super) struct Greeting(Arc<Mutex<Vec<u8>>>);

impl Greeting {
    /// Takes in what arrived next. False once there is no more to be learnt.
    pub(super) fn hears(&self, bytes: &[u8]) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LONGEST - heard.len();
        heard.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let is_version = heard.starts_with(b"SSH-");
        if is_version {
            heard.clear();
        }
        !is_version && heard.len() < LONGEST
    }

    /// Its first line, where the server turned somebody away in it.
    pub(super) fn refusal(&self) -> Option<String> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = heard.split(|byte| *byte == b'\n').next()?;
        let line = plain_text(&String::from_utf8_lossy(line));
        let is_refusal = ["Exceeded MaxStartups", "Not allowed at this time"].contains(&line.as_str());
        is_refusal.then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::Greeting;

    #[test]
    fn only_what_sshd_says_is_a_refusal() {
        let refusal = |pieces: &[&str]| {
            let greeting = Greeting::default();
            let _ = pieces.iter().all(|piece| greeting.hears(piece.as_bytes()));
            greeting.refusal()
        };
        assert_eq!(refusal(&["Not allowed at", " this time\r\n"]).unwrap(), "Not allowed at this time");
        assert_eq!(refusal(&["Exceeded MaxStartups\r\n"]).unwrap(), "Exceeded MaxStartups");
        for other in
            ["SSH-2.0-OpenSSH_9.8\r\n", "Welcome\r\nNot allowed at this time\r\n", "", "HTTP/1.1 400\r\n"]
        {
            assert_eq!(refusal(&[other]), None, "{other:?}");
        }
    }
}
