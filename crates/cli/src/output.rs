//! What goes to standard output and standard error, as text or as JSON.

use crate::printable::{escaped, for_terminal, printable, style};
use console::Term;
use dockline_model::{Code, UiError};
use serde::Serialize;
use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

/// Whoever read standard output has gone. There is one standard output for all of the program, and so this is one, too.
static READER_HAS_GONE: AtomicBool = AtomicBool::new(false);
/// The status of a program that SIGPIPE ended, as shells tell it: `dockline ls … | head`.
const BROKEN_PIPE: u8 = 128 + 13;

/// Results go to standard output; progress, remarks and errors to standard error. With `--json` results and errors
/// are JSON, one value a line, and there are no remarks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// As text, or as JSON.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON was asked for.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// A result: `value` as JSON, or the text that `text` makes of it.
    pub fn result<T: Serialize>(self, value: &T, text: impl FnOnce() -> String) -> Result<(), UiError> {
        if self.json { to_stdout(&to_json(value)?) } else { say_to_stdout(text().trim_end_matches('\n')) }
    }

    /// A remark for people.
    pub fn remark(self, text: impl AsRef<str>) {
        if !self.json {
            to_stderr(&(wrapped_for_stderr(text.as_ref()) + "\n"));
        }
    }

    /// A warning for people.
    pub fn warn(self, text: impl AsRef<str>) {
        if !self.json {
            let text = format!("{} {}", style("warning:").yellow().bold().for_stderr(), text.as_ref());
            to_stderr(&(wrapped_for_stderr(&text) + "\n"));
        }
    }

    /// Says what went wrong, and gives the status to exit with.
    pub fn fail(self, error: &UiError) -> ExitCode {
        if READER_HAS_GONE.load(Ordering::Relaxed) {
            // They have what they wanted, as `head` has, and do not want to know.
            return ExitCode::from(BROKEN_PIPE);
        }
        if self.json {
            match to_json(&serde_json::json!({ "error": error })) {
                // As above: nobody is there to be told.
                Ok(json) => drop(writeln!(io::stdout(), "{json}")),
                Err(error) => to_stderr(&format!("{error}\n")),
            }
        } else {
            to_stderr(&error_text(error));
        }
        ExitCode::from(error.code.exit_status())
    }
}

/// A line, or several, for people.
pub fn say_to_stdout(text: &str) -> Result<(), UiError> {
    to_stdout(&for_terminal(text))
}

/// A line, or several, for programs: as they are. `println` would panic when whoever reads has gone.
pub fn to_stdout(text: &str) -> Result<(), UiError> {
    writeln!(io::stdout().lock(), "{text}").map_err(|error| stdout_failed(&error))
}

/// For people. Whoever closed standard error (`dockline … 2>&1 | head`) does not want to know; `eprintln` would panic.
pub fn to_stderr(text: &str) {
    drop(io::stderr().write_all(for_terminal(text).as_bytes()));
}

/// `error[code]: message`, then the hint and the other side's own words, indented under them.
pub fn error_text(error: &UiError) -> String {
    let head = style(format!("error[{}]:", code_name(error.code))).red().bold().for_stderr();
    let mut text = wrapped_for_stderr(&format!("{head} {}", error.message)) + "\n";
    // Not wrapped: it may hold a command line to copy.
    if let Some(hint) = &error.hint {
        text += &format!("{} {hint}\n", style("hint:").cyan().bold().for_stderr());
    }
    if let Some(details) = &error.details {
        for line in details.trim().lines() {
            text += &format!("  {}\n", style(line).dim().for_stderr());
        }
    }
    text
}

/// Columns of the terminal that `term` is; without one there is no limit.
pub fn columns(term: &Term) -> usize {
    term.size_checked().map_or(usize::MAX, |(_, columns)| usize::from(columns))
}

/// Sentences for standard output, broken between words where that is a terminal.
pub fn wrapped_for_stdout(text: &str) -> String {
    wrapped(text, columns(&Term::stdout()), "")
}

/// Broken between words where standard error is a terminal.
pub fn wrapped_for_stderr(text: &str) -> String {
    wrapped(text, columns(&Term::stderr()), "")
}

/// Broken between words into lines of at most `width` columns, all but the first indented.
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let text = printable(text);
    if width == usize::MAX {
        return text.into_owned();
    }
    // Addresses, paths and references are copied: better a line too long than one that is broken.
    let options = textwrap::Options::new(width).subsequent_indent(indent).break_words(false);
    textwrap::fill(&text, options.word_splitter(textwrap::WordSplitter::NoHyphenation))
}

/// The code as it stands in JSON: `ssh-auth`.
fn code_name(code: Code) -> String {
    serde_json::to_value(code)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_else(|| format!("{code:?}"))
}

fn to_json<T: Serialize>(value: &T) -> Result<String, UiError> {
    serde_json::to_string(value)
        .map(escaped)
        .map_err(|error| UiError::new(Code::Internal, format!("The result is not JSON: {error}.")))
}

/// Standard output is closed or full.
pub fn stdout_failed(error: &io::Error) -> UiError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        READER_HAS_GONE.store(true, Ordering::Relaxed);
    }
    UiError::new(Code::FileIo, format!("Standard output could not be written: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_never_broken() {
        assert_eq!(
            wrapped("one two sha256:0123456789 three", 10, "  "),
            "one two\n  sha256:0123456789\n  three"
        );
        assert_eq!(wrapped("one two", usize::MAX, "  "), "one two");
    }

    #[test]
    fn an_error_is_a_code_a_sentence_and_a_remedy() {
        console::set_colors_enabled_stderr(false);
        let error = UiError::new(Code::SshAuth, "None of the keys was accepted.")
            .hint("Add one with --identity.")
            .details("publickey: denied\npassword: off");
        assert_eq!(
            error_text(&error),
            "error[ssh-auth]: None of the keys was accepted.\nhint: Add one with --identity.\n  \
             publickey: denied\n  password: off\n"
        );
    }
}
