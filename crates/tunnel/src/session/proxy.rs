//! The program that carries a session (`ProxyCommand`), and what it says when it does not.

use super::plain_text;
use crate::{
    error::TunnelError,
    host_options::{self, HostOptions},
};
use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, Join},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

/// How long is waited for the end of a program that has closed its output, and for the last of what it says. Others
/// may hold its standard error open for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// More of a line is not kept.
const LONGEST_LINE: usize = 1024;

/// A running ProxyCommand; dropping it ends it.
pub(super) struct Proxy {
    child: Child,
    complaint: Arc<Mutex<Complaint>>,
    listening: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Proxy {
    /// Starts it. Its input and output are the way to the server.
    pub(super) fn start(
        command: &str,
        options: &HostOptions,
    ) -> Result<(Self, Join<ChildStdout, ChildStdin>), TunnelError> {
        let failed = |error: std::io::Error| TunnelError::ProxyCommand {
            host: options.host_name.clone(),
            source: Arc::new(error),
        };
        let mut child = spawn(command, options, failed)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
        };
        let complaint = Arc::<Mutex<Complaint>>::default();
        let listening = tokio::spawn(listen(stderr, complaint.clone()));
        Ok((Self { child, complaint, listening }, tokio::io::join(stdout, stdin)))
    }

    /// Why no session came up: where the stream was closed because the program failed, in its own words.
    pub(super) async fn explain(&mut self, error: TunnelError) -> TunnelError {
        let TunnelError::HandshakeClosed { host, .. } = &error else { return error };
        let Ok(Ok(status)) = tokio::time::timeout(LAST_WORDS, self.child.wait()).await else { return error };
        if status.success() {
            // It carried what there was, and the server closed it.
            return error;
        }
        let _ = tokio::time::timeout(LAST_WORDS, &mut self.listening).await;
        let said = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).last_line();
        TunnelError::ProxyEnded { host: host.clone(), status: status.code(), said }
    }
}

/// The last line of what a program says, of which there may be any amount.
#[derive(Debug, Default)]
struct Complaint {
    complete: Vec<u8>,
    begun: Vec<u8>,
}

impl Complaint {
    fn hears(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                if self.begun.len() < LONGEST_LINE {
                    self.begun.push(*byte);
                }
            } else if self.begun.trim_ascii().is_empty() {
                self.begun.clear();
            } else {
                self.complete = std::mem::take(&mut self.begun);
            }
        }
    }

    /// Empty if nothing was said.
    fn last_line(&self) -> String {
        let last = if self.begun.trim_ascii().is_empty() { &self.complete } else { &self.begun };
        plain_text(&String::from_utf8_lossy(last))
    }
}

/// Reads for as long as anybody writes: a full pipe would stop the program.
async fn listen(mut stderr: ChildStderr, complaint: Arc<Mutex<Complaint>>) {
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        complaint.lock().unwrap_or_else(PoisonError::into_inner).hears(&buffer[..read]);
    }
}

fn spawn(
    command: &str,
    options: &HostOptions,
    failed: impl FnOnce(std::io::Error) -> TunnelError,
) -> Result<Child, TunnelError> {
    // They become part of a shell's command line; `ssh -G` of before OpenSSH 9.6 lets anything through.
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "._:%@-+[]".contains(c));
    if ![&options.host_name, &options.user, &options.alias].into_iter().all(|text| plain(text)) {
        return Err(TunnelError::HostOptions {
            host: options.alias.clone(),
            reason: "the host's or user's name has characters in it that a ProxyCommand may not see"
                .to_owned(),
        });
    }
    let mut running = shell(&host_options::proxy_command(command, options));
    dockline_programs::prepare(running.as_std_mut());
    running
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {command}")]);
    shell
}

/// `cmd` knows no `\"` inside of quotes, which is how an argument would be handed over.
#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.raw_arg(arguments_of_cmd(command));
    shell
}

/// With `/S`, `cmd` takes off the outer quotes and nothing else.
#[cfg(any(windows, test))]
fn arguments_of_cmd(command: &str) -> String {
    format!("/S /C \"{command}\"")
}

#[cfg(test)]
mod tests;
