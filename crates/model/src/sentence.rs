//! An error's words as a person reads them.

use std::fmt::Display;

/// As a sentence: with a capital and a stop. A name at the beginning (of a host, a registry, an image, a file) keeps its
/// letters. One that looks like any other word is the caller's to know.
#[must_use]
pub fn sentence(words: &impl Display) -> String {
    let text = words.to_string();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !begins_with_name(&text) => {
            format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
        }
        Some(_) | None => text + stop,
    }
}

fn begins_with_name(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default().trim_end_matches([',', ':', ';', '.']);
    word == "localhost"
        || word.contains(|letter: char| !letter.is_alphabetic() && !matches!(letter, '-' | '\'' | '’'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_a_capital_and_one_stop() {
        for (words, expected) in [
            ("the registry is full", "The registry is full."),
            ("no registry's name", "No registry's name."),
            ("password-less login is off.", "Password-less login is off."),
            ("no: it is not there!", "No: it is not there!"),
            ("élan is gone", "Élan is gone."),
            ("“App” has capital letters", "“App” has capital letters."),
        ] {
            assert_eq!(sentence(&words), expected);
        }
    }

    #[test]
    fn a_name_keeps_its_letters() {
        for words in [
            "cr.boss.org listens at 127.0.0.1:5000 already",
            "nexus:8443 does not answer",
            "localhost does not answer",
            "team/app has no image for linux/arm64",
            "host2 is taken",
            "daemon.json: it is not ours",
        ] {
            assert_eq!(sentence(&words), format!("{words}."));
        }
    }
}
