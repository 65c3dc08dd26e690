//! A program in a pseudo-terminal, and a person who reads and types there.
//!
//! script(1) makes the terminal. Nobody types ahead here: a question first switches the terminal to a mode of its own
//! (no echo, or single keys), which throws away what was typed before.

use super::daemon::{spawn_from_lasting_thread, tied_to_us};
use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How long anything on a terminal may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a terminal's mode, which nothing announces.
const POLL: Duration = Duration::from_millis(20);

/// See the module. What runs in it is hung up on when it is dropped.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Screen>,
    device: String,
    pid: u32,
    read: usize,
}

#[derive(Debug, Default)]
struct Screen {
    shown: Mutex<(String, bool)>,
    changed: Condvar,
}

impl Screen {
    fn lock(&self) -> MutexGuard<'_, (String, bool)> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Terminal {
    /// Starts `command` in a terminal of its own.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &Command) -> Self {
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")))
            .collect();
        let line = format!("echo \"$$ $(tty)\" && exec {}", words.join(" "));
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--flush", "--return", "--echo", "always", "--command", &line, "/dev/null"])
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm");
        for (name, _) in command.get_envs().filter(|(_, value)| value.is_none()) {
            script.env_remove(name);
        }
        let mut script = tied_to_us(&script);
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = spawn_from_lasting_thread(script).expect("script(1) starts");
        let screen = Arc::new(Screen::default());
        let mut output = child.stdout.take().expect("stdout is piped");
        let painted = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                painted.lock().0.push_str(&String::from_utf8_lossy(&bytes[..length]));
                painted.changed.notify_all();
            }
            painted.lock().1 = true;
            painted.changed.notify_all();
        });
        let keyboard = child.stdin.take().expect("stdin is piped");
        let mut terminal = Self { child, keyboard, screen, device: String::new(), pid: 0, read: 0 };
        let first = terminal.wait_for("\n");
        let (pid, device) = first.trim().split_once(' ').expect("the shell printed two words");
        terminal.pid = pid.parse().expect("the shell printed its process id");
        device.clone_into(&mut terminal.device);
        terminal
    }

    /// Waits for `text` after what was waited for before, and returns everything up to its end.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.screen.lock();
        loop {
            if let Some(at) = shown.0[self.read..].find(text) {
                let end = self.read + at + text.len();
                let passed = shown.0[self.read..end].to_owned();
                self.read = end;
                return passed;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!shown.1 && !left.is_zero(), "the terminal never showed “{text}”:\n{}", shown.0);
            shown = self.screen.changed.wait_timeout(shown, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Types a line where what is typed is not shown.
    ///
    /// # Panics
    /// When the terminal goes on showing it.
    #[track_caller]
    pub fn type_secret(&mut self, secret: &str) {
        self.wait_for_mode("-echo");
        self.keys(&format!("{secret}\n"));
    }

    /// Presses one key where one key is the answer.
    ///
    /// # Panics
    /// When the terminal waits for a line instead.
    #[track_caller]
    pub fn press(&mut self, key: char) {
        self.wait_for_mode("-icanon");
        self.keys(&key.to_string());
    }

    /// Ctrl-C.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn interrupt(&mut self) {
        self.keys("\x03");
    }

    /// Waits until the program has ended.
    ///
    /// # Panics
    /// When it goes on.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let shown = self.screen.lock();
        let (shown, _) = self
            .screen
            .changed
            .wait_timeout_while(shown, PATIENCE, |(_, ended)| !*ended)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(shown.1, "the program goes on:\n{}", shown.0);
        drop(shown);
        self.child.wait().expect("a child can be waited for")
    }

    /// Everything it has shown.
    #[must_use]
    pub fn shown(&self) -> String {
        self.screen.lock().0.clone()
    }

    /// The program's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is there");
        self.keyboard.flush().expect("the terminal is there");
    }

    #[track_caller]
    fn wait_for_mode(&self, mode: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let modes = super::shell::run("stty", &["-F", &self.device, "-a"]);
            if modes.split_ascii_whitespace().any(|word| word == mode) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the terminal is not in mode {mode}: {modes}\n{}",
                self.shown()
            );
            thread::park_timeout(POLL);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The master goes with it, and the kernel hangs up on the program.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
