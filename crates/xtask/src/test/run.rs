//! Programs whose output is shown as it comes and read afterwards.

use anyhow::{Context, Result};
use duct::Expression;
use std::io::{BufRead, BufReader};

/// How a program ended, and what it said on both streams.
pub struct Finished {
    pub succeeded: bool,
    pub output: String,
}

/// Runs a program to its end.
pub fn watch(expression: Expression) -> Result<Finished> {
    let handle = expression
        .env("CARGO_TERM_COLOR", "never")
        .env("NO_COLOR", "1")
        .stderr_to_stdout()
        .unchecked()
        .reader()
        .with_context(|| format!("{expression:?} does not start"))?;
    let mut reader = BufReader::new(&handle);
    let (mut output, mut line) = (String::new(), Vec::new());
    while reader.read_until(b'\n', &mut line).context("a program's output cannot be read")? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        output.push_str(&text);
        line.clear();
    }
    let ended = handle.try_wait().context("a program could not be waited for")?;
    Ok(Finished { succeeded: ended.is_some_and(|ended| ended.status.success()), output })
}

/// Runs a program to its end, for its success alone.
pub fn succeeds(expression: Expression) -> Result<bool> {
    Ok(watch(expression)?.succeeded)
}
