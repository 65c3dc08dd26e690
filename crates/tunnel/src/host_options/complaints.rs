//! Whether `ssh -G` failed for what stands in the configuration, which no further try mends.

/// What OpenSSH says, in small letters, about a line that it does not understand, after `FILE line N:` or `FILE: line N:`.
/// Older ones end at the first such line, later ones count them.
const OF_A_LINE: [&str; 7] = [
    "bad ",
    "missing ",
    "invalid ",
    "unsupported ",
    "no argument after keyword",
    "garbage at end of line",
    "extra arguments at end of line",
];

/// Whether one of the lines that `ssh` wrote is a complaint about the configuration.
pub(super) fn is_about_the_configuration(words: &str) -> bool {
    words.lines().any(|line| {
        let line = line.trim().to_lowercase();
        let is_counted = line.contains(": terminating, ") && line.ends_with("bad configuration options");
        // Other than the rest, not counted: a file that others may write to, and tokens that there are not.
        is_counted
            || line.starts_with("bad owner or permissions on ")
            || line.contains("unknown key %")
            || of_a_line(&line).is_some_and(|said| OF_A_LINE.iter().any(|part| said.contains(part)))
    })
}

/// What is said about line N.
fn of_a_line(line: &str) -> Option<&str> {
    let (_, after) = line.split_once(" line ")?;
    let (number, said) = after.split_once(':')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_the_configuration_is_told_from_a_failure() {
        for words in [
            "/h/.ssh/config: line 3: Bad configuration option: hostnam\r\n\
             /h/.ssh/config: terminating, 1 bad configuration options\r\n",
            "/h/.ssh/config: line 3: Bad configuration option: hostnam",
            "/h/.ssh/config line 2: Missing argument.",
            "/h/.ssh/config line 2: missing argument.",
            "/h/.ssh/config line 2: no argument after keyword \"port\"",
            "/h/.ssh/config line 2: keyword port extra arguments at end of line",
            "/h/.ssh/config line 1: unsupported log level 'foo'",
            "/h/.ssh/config: terminating, 2 bad configuration options",
            "Bad owner or permissions on /h/.ssh/config",
            "vdollar_percent_expand: unknown key %z\npercent_expand: failed",
        ] {
            assert!(is_about_the_configuration(words), "{words}");
        }
        for words in [
            "",
            "ssh: Could not resolve hostname box: Temporary failure in name resolution",
            "/h/.ssh/config line 4: match exec 'up %h' error",
            "fork failed: Resource temporarily unavailable",
            "invalid line 4",
        ] {
            assert!(!is_about_the_configuration(words), "{words}");
        }
    }
}
