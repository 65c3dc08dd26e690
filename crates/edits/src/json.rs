//! Where things stand in a JSON text, so that a change touches nothing else: order, indentation and line endings of a
//! file that a person keeps are theirs.
//!
//! `serde_json` says whether the text is valid; what is here then only measures it. After a splice the text is read
//! again and compared (see `daemon_json`).

use crate::Refused;
use std::{collections::BTreeSet, ops::Range};

/// One `"key": value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key, decoded.
    pub key: String,
    /// Where the key stands, quotes included.
    pub key_at: Range<usize>,
    /// Where the value stands.
    pub value_at: Range<usize>,
}

/// The object that the text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where `{` stands.
    pub open: usize,
    /// Its members, in order.
    pub members: Vec<Member>,
}

/// Measures the object that `text` is.
///
/// # Errors
/// [`Refused::InvalidJson`], [`Refused::NotAnObject`], [`Refused::DuplicateKey`] (at any depth).
pub fn object(text: &str) -> Result<Object, Refused> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| Refused::InvalidJson { problem: error.to_string() })?;
    if !value.is_object() {
        return Err(Refused::NotAnObject);
    }
    let mut scan = Scan { text: text.as_bytes(), at: 0 };
    scan.blanks();
    let open = scan.at;
    Ok(Object { open, members: scan.object()? })
}

/// Where the elements of the array at `range` of a valid text stand.
pub fn elements(text: &str, range: &Range<usize>) -> Result<Vec<Range<usize>>, Refused> {
    Scan { text: text.as_bytes(), at: range.start }.array()
}

/// Walks over a text that is known to be valid. Nested at most as deep as `serde_json` reads (128).
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or_default()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// From `{` to behind `}`.
    fn object(&mut self) -> Result<Vec<Member>, Refused> {
        let mut members = Vec::new();
        let mut seen = BTreeSet::new();
        self.at += 1;
        self.blanks();
        while self.at < self.text.len() && self.peek() != b'}' {
            let key_at = self.string();
            let key: String = serde_json::from_slice(&self.text[key_at.clone()])
                .map_err(|error| Refused::InvalidJson { problem: error.to_string() })?;
            if !seen.insert(key.clone()) {
                return Err(Refused::DuplicateKey { key });
            }
            self.blanks();
            self.at += 1; // the colon
            self.blanks();
            let value_at = self.value()?;
            members.push(Member { key, key_at, value_at });
            self.comma();
        }
        self.at += 1;
        Ok(members)
    }

    /// From `[` to behind `]`.
    fn array(&mut self) -> Result<Vec<Range<usize>>, Refused> {
        let mut elements = Vec::new();
        self.at += 1;
        self.blanks();
        while self.at < self.text.len() && self.peek() != b']' {
            elements.push(self.value()?);
            self.comma();
        }
        self.at += 1;
        Ok(elements)
    }

    fn comma(&mut self) {
        self.blanks();
        if self.peek() == b',' {
            self.at += 1;
            self.blanks();
        }
    }

    fn value(&mut self) -> Result<Range<usize>, Refused> {
        let start = self.at;
        match self.peek() {
            b'{' => drop(self.object()?),
            b'[' => drop(self.array()?),
            b'"' => drop(self.string()),
            _ => {
                while self.at < self.text.len()
                    && !matches!(self.peek(), b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')
                {
                    self.at += 1;
                }
            }
        }
        Ok(start..self.at)
    }

    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.at += 1;
        while self.at < self.text.len() && self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        start..self.at
    }
}
