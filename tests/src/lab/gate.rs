//! A socket in front of an engine's, where some questions wait until the test lets it through.

use std::{
    io::{self, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// See the module. Shut at first.
#[derive(Debug)]
pub struct Gate {
    folder: TempDir,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_reached: bool,
    is_open: bool,
}

impl Gate {
    /// In front of the engine at `endpoint` (`unix://…`); questions whose first line has one of `words` in it wait.
    ///
    /// # Panics
    /// When the endpoint is no UNIX socket, or nothing can listen.
    #[must_use]
    pub fn before(endpoint: &str, words: &'static [&'static str]) -> Self {
        let engine = PathBuf::from(endpoint.strip_prefix("unix://").expect("the engine has a UNIX socket"));
        let folder = tempfile::tempdir().expect("a folder for a socket");
        let listener = UnixListener::bind(socket(folder.path())).expect("the folder is ours");
        let shared = Arc::new(Shared::default());
        let gate = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(engine) = UnixStream::connect(&engine) else { continue };
                let (Ok(answers), Ok(answered)) = (engine.try_clone(), client.try_clone()) else { continue };
                let gate = Arc::clone(&gate);
                thread::spawn(move || gate.pass(client, engine, words));
                thread::spawn(move || pour(answers, answered));
            }
        });
        Self { folder, shared }
    }

    /// Where Dockline finds the engine behind it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", socket(self.folder.path()).display())
    }

    /// Waits until something waits.
    ///
    /// # Panics
    /// When nothing has come after `patience`.
    #[track_caller]
    pub fn wait_until_reached(&self, patience: Duration) {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, patience, |state| !state.is_reached);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(state.is_reached, "nothing has come to the gate");
    }

    /// Lets through what waits, and everything that comes.
    pub fn open(&self) {
        self.shared.lock().is_open = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands on what the client says, such a question only when the gate is open.
    fn pass(&self, mut client: UnixStream, mut engine: UnixStream, words: &[&str]) {
        let mut piece = vec![0; 64 << 10];
        while let Ok(length @ 1..) = client.read(&mut piece) {
            let piece = &piece[..length];
            let first = piece.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let first = String::from_utf8_lossy(first);
            if words.iter().any(|word| first.contains(word)) {
                let mut state = self.lock();
                state.is_reached = true;
                self.changed.notify_all();
                drop(self.changed.wait_while(state, |state| !state.is_open));
            }
            if engine.write_all(piece).is_err() {
                break;
            }
        }
        engine.shutdown(Shutdown::Write).ok();
    }
}

fn pour(mut answers: UnixStream, mut answered: UnixStream) {
    io::copy(&mut answers, &mut answered).ok();
    answered.shutdown(Shutdown::Both).ok();
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("engine.sock")
}
