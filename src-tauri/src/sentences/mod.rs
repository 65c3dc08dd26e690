//! What the owner says, in the person's language. It speaks English to every face alike; the window has a pattern for each
//! of its sentences, with the Dutch (ui/src/sentences). The tray has the same tables, in files that `cargo xtask bindings`
//! writes, and finds a sentence in them as the window does: `ui/test/sentences.cases.json` holds both to it.
//!
//! Nothing is compiled or kept: the tables are read where they lie in the program, and only when there is something to
//! be said in Dutch.

mod pattern;

use crate::strings::Tongue;
use dockline_model::{Code, UiError};
use std::{borrow::Cow, collections::HashMap};

/// Written by `cargo xtask bindings`: a line each, what the owner says and what is said instead, with a tab between. Those
/// with the most words of their own come first, and are tried first.
#[derive(Debug, Clone, Copy)]
struct Table(&'static str);

/// Whole sentences.
const SENTENCES: Table = Table(include_str!("../../data/sentences/sentences.txt"));
/// What stands within a sentence or, with a capital and a stop, as one.
const CLAUSES: Table = Table(include_str!("../../data/sentences/clauses.txt"));
/// What means nothing by itself.
const PHRASES: Table = Table(include_str!("../../data/sentences/phrases.txt"));
/// What an error of each code means, in Dutch.
const CODES: Table = Table(include_str!("../../data/sentences/codes.txt"));
/// English with commands in it, and English without.
const WINDOW: Table = Table(include_str!("../../data/sentences/window.txt"));

/// The owner says a few sentences at a time; what has more of them is somebody else's, and is not tried in every way.
const MOST_ENDS: usize = 20;

impl Table {
    fn lines(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.lines().filter_map(|line| line.split_once('\t'))
    }
}

/// An error on its own: what happened. It begins with what its code means where its own words have no Dutch.
#[must_use]
pub fn message(error: &UiError, tongue: Tongue) -> String {
    match tongue {
        Tongue::English => for_window(&error.message),
        Tongue::Dutch => match in_dutch(&error.message) {
            Some(dutch) => dutch,
            None => format!("{} {}", meaning(error.code), error.message),
        },
    }
}

/// What to do about an error.
#[must_use]
pub fn hint(error: &UiError, tongue: Tongue) -> Option<String> {
    let hint = error.hint.as_deref()?;
    Some(match tongue {
        Tongue::English => for_window(hint),
        Tongue::Dutch => in_dutch(hint).unwrap_or_else(|| hint.to_owned()),
    })
}

/// The sentence or sentences in Dutch; `None` where a part of them has no pattern.
fn in_dutch(text: &str) -> Option<String> {
    Lookup::default().sentences(text)
}

/// What an error of that kind means.
fn meaning(code: Code) -> &'static str {
    let name = serde_json::to_value(code).unwrap_or_default();
    let known = CODES.lines().find(|(known, _)| name.as_str() == Some(known));
    known.map_or("Er ging iets mis.", |(_, dutch)| dutch)
}

/// English with no command for a terminal where the window has something to click: that is what a notification shows.
fn for_window(text: &str) -> String {
    let mut text = text.to_owned();
    if text.contains("dockline ") || text.contains("--") {
        for (owner, window) in WINDOW.lines() {
            if let Some(said) = pattern::replaced(&text, owner, window) {
                text = said;
            }
        }
    }
    text
}

/// One look at the tables. What was found is remembered: several sentences in a row are tried in every way to part them.
#[derive(Default)]
struct Lookup {
    known: HashMap<String, Option<String>>,
}

impl Lookup {
    /// One sentence, or several in a row.
    fn sentences(&mut self, text: &str) -> Option<String> {
        if let Some(found) = self.known.get(text) {
            return found.clone();
        }
        let found = self.whole(text).or_else(|| self.in_parts(text));
        self.known.insert(text.to_owned(), found.clone());
        found
    }

    fn whole(&mut self, text: &str) -> Option<String> {
        self.matching(text, SENTENCES).or_else(|| self.clause_alone(text))
    }

    /// A clause that the owner gave a capital and a stop.
    fn clause_alone(&mut self, text: &str) -> Option<String> {
        let bare = text.strip_suffix('.')?;
        let dutch = match self.matching(bare, CLAUSES) {
            Some(dutch) => dutch,
            None => self.matching(&with_first(bare, char::to_lowercase), CLAUSES)?,
        };
        Some(with_first(&dutch, char::to_uppercase) + ".")
    }

    /// A part of a sentence that is no sentence.
    fn phrase(&mut self, text: &str) -> Option<String> {
        self.matching(text, CLAUSES).or_else(|| self.matching(text, PHRASES))
    }

    /// Words of the owner's in a sentence: a phrase, sentences, or lines of either, as of a file with several errors.
    fn part(&mut self, text: &str) -> Option<String> {
        if !text.contains('\n') {
            return self.phrase(text).or_else(|| self.sentences(text));
        }
        let said = text.split('\n').map(|line| {
            let words = line.trim();
            let dutch = if words.is_empty() { None } else { self.part(words) };
            dutch.map_or_else(|| line.to_owned(), |dutch| line.replacen(words, &dutch, 1))
        });
        Some(said.collect::<Vec<_>>().join("\n"))
    }

    fn matching(&mut self, text: &str, table: Table) -> Option<String> {
        let begins = text.chars().next()?;
        let has_lines = text.contains('\n');
        for (english, dutch) in table.lines() {
            // A thousand patterns are passed over for each sentence: most of them by this.
            if !english.starts_with(begins) && !english.starts_with('{') {
                continue;
            }
            let english = if has_lines { unfolded(english) } else { english.into() };
            let Some(values) = pattern::values(&english, text) else { continue };
            return Some(pattern::filled(&unfolded(dutch), |slot| {
                let value = values.iter().find(|(of, _)| *of == slot).map_or("", |(_, value)| *value);
                let said = if slot.is_nested { self.part(value) } else { self.phrase(value) };
                // Words without a pattern are somebody else's: they are quoted as they are.
                said.unwrap_or_else(|| value.to_owned())
            }));
        }
        None
    }

    /// Several sentences in a row, the longest known beginning first.
    fn in_parts(&mut self, text: &str) -> Option<String> {
        let ends = text.match_indices(['.', '!', '?']);
        let ends: Vec<usize> =
            ends.map(|(at, _)| at + 1).filter(|end| text[*end..].starts_with(' ')).collect();
        if ends.len() > MOST_ENDS {
            return None;
        }
        ends.into_iter().rev().find_map(|end| {
            let first = self.whole(&text[..end])?;
            let rest = self.sentences(&text[end + 1..])?;
            Some(format!("{first} {rest}"))
        })
    }
}

/// A pattern of several lines has them on one in the file.
fn unfolded(text: &str) -> Cow<'_, str> {
    if text.contains('\\') { text.replace("\\n", "\n").into() } else { text.into() }
}

fn with_first<C: Iterator<Item = char>>(text: &str, change: impl Fn(char) -> C) -> String {
    let mut rest = text.chars();
    rest.next().into_iter().flat_map(change).chain(rest).collect()
}

#[cfg(test)]
mod tests;
