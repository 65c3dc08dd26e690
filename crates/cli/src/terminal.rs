//! The terminal's state before we asked anything, to be put back at the end.

#[cfg(unix)]
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::IsTerminal as _;

/// What the terminal was like.
pub struct Remembered {
    #[cfg(unix)]
    attributes: Option<Termios>,
}

impl Remembered {
    /// As it is now; nothing where there is no terminal.
    pub fn now() -> Self {
        Self {
            #[cfg(unix)]
            attributes: tcgetattr(std::io::stdin()).ok(),
        }
    }

    /// Echo, line editing and cursor as they were.
    pub fn restore(&self) {
        #[cfg(unix)]
        if let Some(attributes) = &self.attributes {
            // If the terminal is gone there is nothing to restore.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Drain, attributes);
        }
        if std::io::stderr().is_terminal() {
            let _ = console::Term::stderr().show_cursor();
        }
    }
}

/// Whether a person can be asked something: they see standard error and type into standard input.
pub fn can_answer() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
