//! The way to a host: how fast it is, whether layers are worth packing on it, and what went there before.

use super::crew::in_shell;
use dockline_model::{SshTarget, UiError};
use dockline_registry::ShelfLayers;
use dockline_tunnel::{Offer, Program};
use sha2::{Digest as _, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// Faster than this, packing and unpacking cost more time than they save on the way; bytes a second.
const FAST: u64 = 40 << 20;
/// What is sent to find that out, and how long that may take.
const TRIAL: usize = 8 << 20;
const TRIAL_TIME: Duration = Duration::from_millis(1500);
/// The first bytes only fill the channel's window (OpenSSH's is 2 MiB); what comes then goes as fast as it is read there.
const TRIAL_WINDOW: usize = 3 << 20;
/// The fastest so many of those count: a machine that is busy for a moment makes a way look slow.
const TRIAL_PART: usize = 1 << 20;

/// Where it is kept what was found out about the way to `host`.
pub(super) fn note(folder: &Path, host: &SshTarget) -> PathBuf {
    folder.join(format!("{}.way", hex::encode(&Sha256::digest(host.to_string())[..16])))
}

/// A way whose packing is known, or is about to be found out.
pub(super) enum Way {
    Known(ShelfLayers),
    /// By a program on the host, which takes a tenth of a second to start.
    Tried(AbortOnDropHandle<Result<Program, UiError>>),
}

impl Way {
    pub(super) fn begin(known: Option<ShelfLayers>, offer: &Offer) -> Self {
        if let Some(packing) = known {
            return Self::Known(packing);
        }
        // It says when it begins and when all has arrived: a shell's beginning and a session's end take longer than the bytes.
        let script = in_shell(&format!("echo; head -c {TRIAL} >/dev/null; echo"));
        let offer = offer.clone();
        Self::Tried(AbortOnDropHandle::new(tokio::spawn(async move { offer.run(&script).await })))
    }

    /// Whether layers are worth packing on this way. What was found out once stays: a host knows a layer again only by
    /// the same bytes.
    pub(super) async fn packing(self, note: &Path) -> ShelfLayers {
        let program = match self {
            Self::Known(packing) => return packing,
            Self::Tried(program) => program,
        };
        // Where nothing was found out, nothing is remembered.
        let Some(speed) = speed(program).await else { return ShelfLayers::Gzip };
        let packing = if speed >= FAST { ShelfLayers::Plain } else { ShelfLayers::Gzip };
        let word = match packing {
            ShelfLayers::Plain => "plain",
            ShelfLayers::Gzip => "gzip",
        };
        if let Err(error) = write(note, word).await {
            tracing::debug!(%error, "how layers are packed for a host is not remembered");
        }
        packing
    }
}

async fn write(note: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = note.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    tokio::fs::write(note, text).await
}

/// What was found out about a way.
pub(super) async fn noted(note: &Path) -> Option<ShelfLayers> {
    match tokio::fs::read_to_string(note).await.as_deref() {
        Ok("plain") => Some(ShelfLayers::Plain),
        Ok("gzip") => Some(ShelfLayers::Gzip),
        Ok(_) | Err(_) => None,
    }
}

/// Images that are remembered of one host.
const SHIPPED: usize = 100;

/// Whether the image `id` was shipped on this way before; whether it is still there, only the host knows.
pub(super) async fn was_shipped(note: &Path, id: &str) -> bool {
    shipped(note).await.lines().any(|line| line == id)
}

/// Remembers that the host has the image `id` now.
pub(super) async fn note_shipped(note: &Path, id: &str) {
    let before = shipped(note).await;
    if before.lines().next_back() == Some(id) {
        return;
    }
    let mut ids: Vec<&str> = before.lines().filter(|line| *line != id).collect();
    ids.push(id);
    let text = ids[ids.len().saturating_sub(SHIPPED)..].join("\n");
    if let Err(error) = write(&note.with_extension("shipped"), &text).await {
        tracing::debug!(%error, "what a host has is not remembered");
    }
}

async fn shipped(note: &Path) -> String {
    tokio::fs::read_to_string(note.with_extension("shipped")).await.unwrap_or_default()
}

/// Bytes a second to the host, if that could be found out.
async fn speed(program: AbortOnDropHandle<Result<Program, UiError>>) -> Option<u64> {
    let mut program = program.await.ok()?.ok()?;
    program.read_u8().await.ok()?;
    let began = Instant::now();
    let (mut sent, mut marks) = (0, Vec::new());
    let all = async {
        let piece = vec![0; 64 << 10];
        while sent < TRIAL {
            program.write_all(&piece).await?;
            sent += piece.len();
            if sent >= TRIAL_WINDOW && sent.is_multiple_of(TRIAL_PART) {
                marks.push(Instant::now());
            }
        }
        program.read_u8().await
    };
    // What is still under way then tells enough; a session that was lost says nothing.
    if let Ok(Err(error)) = timeout(TRIAL_TIME, all).await {
        tracing::debug!(%error, "the way to the host was not measured");
        return None;
    }
    let in_all = bytes_a_second(sent, began.elapsed());
    let parts = marks.windows(2).map(|mark| bytes_a_second(TRIAL_PART, mark[1] - mark[0]));
    let speed = parts.max().unwrap_or(0).max(in_all);
    tracing::info!(speed, "bytes a second to the host");
    Some(speed)
}

fn bytes_a_second(bytes: usize, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    bytes as u64 * 1_000_000 / micros
}
