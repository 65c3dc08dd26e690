//! A session that is lost here and that the host has not missed. Its sshd goes on for hours, and so does the pull that was
//! begun over it: a Docker fetches each layer once at a time, so that a pull over the next session would wait for that one's
//! layers. Ending the session there ends its programs, and with the connection to the Docker's API the pull.

use super::{Ship, crew::in_shell};
use dockline_model::{Code, UiError};
use dockline_tunnel::{Offer, Program};
use std::time::Duration;
use tokio::time::timeout;

/// What begins the line in which a program tells who started it: start-up files of the shell there may say something, too.
const MARK: &str = "dockline-session";
/// How much of what such a program says counts.
const WORDS: u64 = 4 << 10;
/// How long the end of a program may take to be told, when its session has ended here.
const TOLD: Duration = Duration::from_secs(5);
/// How long it may take to end the session there.
const ENDED: Duration = Duration::from_secs(30);

/// What a program has to begin with, so that [`of`] knows its session: OpenSSH starts every program of a session from one
/// process, which has the same user.
pub(super) fn tells() -> String {
    // Apart: where nobody reads it any more only that ends.
    format!("(echo {MARK} $PPID)")
}

/// The process on the host that `program` was started from, if it said so before its session was lost.
pub(super) async fn of(program: Program) -> Option<u32> {
    let (output, _) = timeout(TOLD, program.output(WORDS)).await.ok()?.ok()?;
    told(&String::from_utf8_lossy(&output))
}

fn told(output: &str) -> Option<u32> {
    let (_, rest) = output.split_once(MARK)?;
    rest.lines().next()?.trim().parse().ok()
}

impl Ship {
    /// Ends the sessions of those processes, unless they have ended by themselves. Those are left whose turn has not come when
    /// the present session is lost as well.
    pub(super) async fn end_former(
        &self,
        offer: &Offer,
        sessions: &mut Vec<Option<u32>>,
    ) -> Result<(), UiError> {
        while let Some(session) = sessions.last() {
            let Some(session) = *session else { return Err(self.still_held()) };
            let asked = async {
                let program = offer.run(&in_shell(&ending(session))).await.ok()?;
                program.output(WORDS).await.ok()?.1.status
            };
            match timeout(ENDED, asked).await {
                Ok(Some(0)) => {
                    tracing::info!(session, "what the lost session has left on the host is gone");
                    sessions.pop();
                }
                Ok(Some(_)) | Err(_) => return Err(self.still_held()),
                Ok(None) => return Ok(()),
            }
        }
        Ok(())
    }

    fn still_held(&self) -> UiError {
        let message = format!(
            "{} has not noticed that the connection was lost, and its Docker still waits for the image there.",
            self.host()
        );
        UiError::new(Code::SshLost, message).hint(
            "End that SSH session on the host, or wait until it ends, and ship again; layers that arrived are kept.",
        )
    }
}

/// The program that ends `session`. Servers of another make may have one process for everybody: that is left alone.
fn ending(session: u32) -> String {
    let name = format!(
        r"name() {{ cat /proc/{session}/comm 2>/dev/null || ps -o comm= -p {session} 2>/dev/null; }}"
    );
    let judge = r#"case "$(name)" in "") exit 0;; *sshd*) ;; *) exit 1;; esac"#;
    let end =
        format!(r#"kill {session}; sleep 1; [ -z "$(name)" ] && exit 0; kill -KILL {session}; sleep 1"#);
    format!(r#"{name}; [ "$PPID" = {session} ] && exit 1; {judge}; {end}; [ -z "$(name)" ]"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_tells_its_session_whatever_the_shell_says_before() {
        assert_eq!(told("dockline-session 4711\n"), Some(4711));
        assert_eq!(told("3 updates\nWelcome dockline-session 4711\nmore"), Some(4711));
        for nothing in ["", "4711\n", "dockline-session\n", "dockline-session x\n", "dockline-session -1\n"] {
            assert_eq!(told(nothing), None, "{nothing:?}");
        }
    }

    /// Runs it as the host would.
    #[cfg(target_os = "linux")]
    fn end(session: u32) -> Option<i32> {
        std::process::Command::new("sh").args(["-c", &in_shell(&ending(session))]).status().unwrap().code()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_session_of_sshd_is_ended() {
        use std::process::{Command, Stdio};
        let folder = tempfile::tempdir().unwrap();
        let begin = |name: &str| {
            let program = folder.path().join(name);
            std::fs::copy("/bin/sleep", &program).unwrap();
            Command::new(program).arg("60").stdout(Stdio::null()).spawn().unwrap()
        };
        let mut other = begin("other");
        assert_eq!(end(other.id()), Some(1));
        assert!(other.try_wait().unwrap().is_none(), "it was ended");
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(end(other.id()), Some(0), "it has ended by itself");

        let mut session = begin("sshd-session");
        // Its parent has to take note of the end, as sshd's listener does.
        let (id, ended) = (session.id(), std::thread::spawn(move || session.wait().unwrap()));
        assert_eq!(end(id), Some(0));
        assert!(!ended.join().unwrap().success());
        assert_eq!(end(std::process::id()), Some(1), "the test's own process");
    }
}
