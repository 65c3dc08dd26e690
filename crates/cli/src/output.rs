//! What goes to standard output and standard error, as text or as JSON.

use console::style;
use dockline_model::{Code, UiError};
use serde::Serialize;
use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// Results go to standard output; progress, remarks and errors to standard error. With `--json` results and errors
/// are JSON, one object a line, and there are no remarks.
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
        let text = if self.json { to_json(value)? } else { text() };
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", text.trim_end_matches('\n')).map_err(|error| stdout_failed(&error))
    }

    /// A remark for people.
    pub fn remark(self, text: impl AsRef<str>) {
        if !self.json {
            eprintln!("{}", text.as_ref());
        }
    }

    /// A warning for people.
    pub fn warn(self, text: impl AsRef<str>) {
        if !self.json {
            eprintln!("{} {}", style("warning:").yellow().bold().for_stderr(), text.as_ref());
        }
    }

    /// Says what went wrong, and gives the status to exit with.
    pub fn fail(self, error: &UiError) -> ExitCode {
        if self.json {
            match to_json(&serde_json::json!({ "error": error })) {
                // Whoever closed standard output does not want to know.
                Ok(json) => drop(writeln!(io::stdout(), "{json}")),
                Err(error) => eprintln!("{error}"),
            }
        } else {
            eprint!("{}", error_text(error));
        }
        ExitCode::from(error.code.exit_status())
    }
}

/// `error[code]: message`, then the hint and the other side's own words, indented under them.
pub fn error_text(error: &UiError) -> String {
    let head = style(format!("error[{}]:", code_name(error.code))).red().bold().for_stderr();
    let mut text = format!("{head} {}\n", error.message);
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

/// The code as it stands in JSON: `ssh-auth`.
fn code_name(code: Code) -> String {
    serde_json::to_value(code)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_else(|| format!("{code:?}"))
}

fn to_json<T: Serialize>(value: &T) -> Result<String, UiError> {
    serde_json::to_string(value)
        .map_err(|error| UiError::new(Code::Internal, format!("The result is not JSON: {error}.")))
}

/// Standard output is closed or full.
pub fn stdout_failed(error: &io::Error) -> UiError {
    UiError::new(Code::FileIo, format!("Standard output could not be written: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

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
