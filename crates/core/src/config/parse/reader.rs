//! Values out of a TOML document; whatever is wrong with one is noted with its place, and reading goes on.

use dockline_model::OneOf;
use std::{
    fmt::{self, Display},
    ops::{Range, RangeInclusive},
    str::FromStr,
};
use toml::{Spanned, de::DeTable};

/// One thing wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right, without a full stop.
    pub message: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// A value that is none of those it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidValue {
    /// Not one of a few words.
    #[error("{key} must be one of these: {known}")]
    Word {
        /// Of what.
        key: String,
        /// The words.
        known: String,
    },
    /// Not an address that this machine has by itself.
    #[error("“{0}” is not an address of this machine; use one of 127.0.0.0/8, as in 127.77.1.1")]
    NoLoopback(String),
    /// Not an address that a container network has.
    #[error(
        "“{0}” is not an address of a container network; `docker network inspect bridge` shows it as “Gateway”, mostly \
         172.17.0.1"
    )]
    NoGateway(String),
}

/// A file's text, and what has been found wrong with it so far.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        let (line, column) = self.position(span.start);
        self.problems.push(Problem { line, column, message: message.into() });
    }

    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub(super) fn reject_unknown(&mut self, table: &DeTable<'_>, known: &[&str], what: &str) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let message = format!("“{}” is not {what}; these are: {}", key.get_ref(), known.join(", "));
            self.problem(key.span(), message);
        }
    }

    pub(super) fn required<T: FromStr<Err: fmt::Display>>(
        &mut self,
        span: Range<usize>,
        table: &DeTable<'_>,
        key: &str,
        example: &str,
    ) -> Option<T> {
        if !table.contains_key(key) {
            self.problem(
                span,
                format!("this registry has no {key}; add a line such as {key} = \"{example}\""),
            );
            return None;
        }
        self.parsed(table, key)
    }

    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
    ) -> Option<T> {
        self.parsed_with(table, key, str::parse)
    }

    pub(super) fn parsed_with<T, E: fmt::Display>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(table, key)?;
        parse(&text).map_err(|error| self.problem(span_of(table, key, 0..0), error.to_string())).ok()
    }

    /// One of a few words.
    pub(super) fn one_of<T: OneOf>(&mut self, table: &DeTable<'_>, key: &str) -> Option<T> {
        self.parsed_with(table, key, |text| {
            T::of(text).ok_or_else(|| {
                let known: Vec<&str> = T::words().collect();
                InvalidValue::Word { key: key.to_owned(), known: known.join(", ") }
            })
        })
    }

    pub(super) fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.problem(value.span(), format!("{key} must be a text in quotes"));
        }
        text
    }

    pub(super) fn truth(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.problem(value.span(), format!("{key} must be true or false, without quotes"));
        }
        truth
    }

    pub(super) fn whole<N: TryFrom<u64> + PartialOrd + Display>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        allowed: RangeInclusive<N>,
    ) -> Option<N> {
        let value = table.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok())
            .and_then(|number| N::try_from(number).ok())
            .filter(|number| allowed.contains(number));
        if number.is_none() {
            let message = format!(
                "{key} must be a whole number from {} to {}, without quotes",
                allowed.start(),
                allowed.end()
            );
            self.problem(value.span(), message);
        }
        number
    }
}

pub(super) fn span_of(table: &DeTable<'_>, key: &str, otherwise: Range<usize>) -> Range<usize> {
    table.get(key).map_or(otherwise, Spanned::span)
}
