//! Long-running programs whose log is read as it is written: readiness is a line, not a pause.

use super::shell::describe;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// A program that runs until it is stopped or dropped. It is killed with this process, however that ends.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    pid: Pid,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    open_streams: u8,
    exit: Option<ExitStatus>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panicking test must not hide the log from the ones that clean up.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` says so; `false` after `patience`.
    fn wait(&self, patience: Duration, mut done: impl FnMut(&State) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if done(&state) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Daemon {
    /// Starts `command` as `name`.
    ///
    /// The command must *become* the program (`exec`, no fork in between): signals and the tie to this process's
    /// life go to the first process.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(name: &str, command: Command) -> Self {
        let mut tied = tied_to_us(&command);
        tied.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let line = describe(&command);
        let mut child =
            spawn_from_lasting_thread(tied).unwrap_or_else(|error| panic!("`{line}` did not start: {error}"));
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("process ids are positive i32"));

        let shared = Arc::new(Shared::default());
        shared.lock().open_streams = 2;
        read_lines(child.stdout.take().expect("stdout is piped"), Arc::clone(&shared));
        read_lines(child.stderr.take().expect("stderr is piped"), Arc::clone(&shared));
        let for_waiter = Arc::clone(&shared);
        thread::spawn(move || {
            let status = child.wait().expect("a child can be waited for once");
            for_waiter.lock().exit = Some(status);
            for_waiter.changed.notify_all();
        });
        Self { name: name.to_owned(), pid, shared }
    }

    /// Waits for a line that contains `text`, from the log's beginning on.
    ///
    /// # Panics
    /// When the program ends first, or after `patience`; the message holds the log.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str, patience: Duration) {
        self.wait_for_count(text, 1, patience);
    }

    /// Waits until at least `count` lines contain `text`.
    ///
    /// # Panics
    /// As [`Daemon::wait_for_line`].
    #[track_caller]
    pub fn wait_for_count(&self, text: &str, count: usize, patience: Duration) {
        let enough = |state: &State| matching(state, text) >= count;
        self.shared
            .wait(patience, |state| enough(state) || (state.exit.is_some() && state.open_streams == 0));
        let state = self.shared.lock();
        assert!(
            enough(&state),
            "{} {}, but its log has no “{text}” ({count} times)\n--- its log ---\n{}",
            self.name,
            state.exit.map_or_else(|| "runs".to_owned(), |exit| format!("ended with {exit}")),
            state.lines.join("\n")
        );
    }

    /// How many lines contain `text` so far.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        matching(&self.shared.lock(), text)
    }

    /// Everything it has written so far, both streams.
    #[must_use]
    pub fn log(&self) -> String {
        self.shared.lock().lines.join("\n")
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.lock().exit.is_none()
    }

    /// Sends a signal, unless it has ended.
    pub fn signal(&self, signal: Signal) {
        // The waiter holds no lock while it reaps; a signal to a process that has just ended is an error to ignore.
        if self.is_running() {
            kill(self.pid, signal).ok();
        }
    }

    /// Waits until it has ended; `None` after `patience`.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> Option<ExitStatus> {
        self.shared.wait(patience, |state| state.exit.is_some());
        self.shared.lock().exit
    }

    /// Asks it to end (SIGTERM), and makes it after `patience`.
    pub fn stop(&self, patience: Duration) {
        self.signal(Signal::SIGTERM);
        if self.wait(patience).is_none() {
            self.kill();
        }
    }

    /// Ends it without asking (SIGKILL).
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
        // Not even SIGKILL ends a process that hangs in the kernel; the test goes on without it.
        let _ended = self.wait(Duration::from_secs(10));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(10));
    }
}

fn matching(state: &State, text: &str) -> usize {
    state.lines.iter().filter(|line| line.contains(text)).count()
}

fn read_lines(stream: impl Read + Send + 'static, shared: Arc<Shared>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            shared.lock().lines.push(text);
            shared.changed.notify_all();
        }
        shared.lock().open_streams -= 1;
        shared.changed.notify_all();
    });
}

/// The same command, killed when the thread that starts it ends.
pub(super) fn tied_to_us(command: &Command) -> Command {
    let mut tied = Command::new("setpriv");
    tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(key, value),
            None => tied.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        tied.current_dir(folder);
    }
    tied
}

/// Linux sends the parent-death signal when the *thread* that forked ends (prctl(2), `PR_SET_PDEATHSIG`), and test
/// threads end before their process does. So one thread, which lives as long as the process, starts everything.
pub(super) fn spawn_from_lasting_thread(command: Command) -> std::io::Result<Child> {
    type Order = (Command, mpsc::Sender<std::io::Result<Child>>);
    static ORDERS: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in receiver {
                reply.send(command.spawn()).ok();
            }
        });
        Mutex::new(sender)
    });
    let (reply, answer) = mpsc::channel();
    orders
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, reply))
        .expect("the starting thread lives as long as the process");
    answer.recv().expect("the starting thread answers every order")
}
