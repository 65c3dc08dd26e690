//! A unified diff on the terminal.

use crate::printable::style;

/// Coloured where standard output is a terminal; the signs say the same without.
pub fn coloured(diff: &str) -> String {
    let line = |line: &str| match line.as_bytes().first() {
        _ if line.starts_with("+++") || line.starts_with("---") => style(line).bold().to_string(),
        Some(b'+') => style(line).green().to_string(),
        Some(b'-') => style(line).red().to_string(),
        Some(b'@') => style(line).cyan().to_string(),
        Some(_) | None => line.to_owned(),
    };
    diff.lines().map(line).collect::<Vec<_>>().join("\n")
}
