//! colima.yaml and Rancher Desktop's override.yaml: one marked block in a file that is changed line by line.
//!
//! No library for YAML keeps comments and layout, so nothing is parsed and written anew. Instead the file has to look the
//! way these programs and their users write it (block style, keys in column 0); anything else is refused, never guessed.

use crate::{Authority, Refused, daemon_json, marked, plan::Plan};
use std::{collections::BTreeSet, ops::Range, path::Path};

/// The change that makes `docker: insecure-registries:` of a colima.yaml hold Dockline's entries in a marked block
/// (abiosoft/colima, `embedded/defaults/colima.yaml`: the key is a map that becomes the machine's daemon.json at each
/// start).
///
/// # Errors
/// [`Refused`].
pub fn colima(path: &Path, wanted: &BTreeSet<Authority>, current: Option<&[u8]>) -> Result<Plan, Refused> {
    wanted.iter().try_for_each(daemon_json::may_be_insecure)?;
    let bytes = current.unwrap_or_default();
    let original = undone(bytes)?;
    let mut theirs = original.clone();
    let keys = top_level(&original)?;
    let mut owned: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let docker = keys.iter().find(|key| key.name == b"docker");
    let (at, indent, inner) = match docker {
        None => {
            let items = items(&owned, "    ");
            (
                theirs.len(),
                String::new(),
                ["docker:".to_owned(), "  insecure-registries:".to_owned()]
                    .into_iter()
                    .chain(items)
                    .collect(),
            )
        }
        Some(key) => match place_below(&original, key)? {
            Place::Braces => {
                // `docker: {}` is the default; a map in block style takes its place.
                theirs.drain(key.value.clone());
                let end = line_end(&theirs, key.line_at.start);
                (end, "  ".to_owned(), with_key(&owned))
            }
            Place::Child { at, indent } => (at, indent, with_key(&owned)),
            Place::Item { at, indent, present } => {
                owned.retain(|entry| !present.contains(entry));
                (at, indent, items(&owned, ""))
            }
        },
    };
    let wanted = match (owned.is_empty(), current) {
        (true, None) => None,
        (true, Some(_)) => Some(original),
        (false, _) => Some(marked::insert(&theirs, at, &indent, &inner)),
    };
    let mut plan = Plan::new(path, current, wanted);
    plan.owned = owned;
    Ok(plan)
}

/// The change that gives Rancher Desktop's override.yaml a `provision:` script (docs.rancherdesktop.io, “Provisioning
/// Scripts”). One that has a `provision:` of its own is refused: YAML allows the key once.
///
/// # Errors
/// [`Refused`].
pub fn rancher(path: &Path, script: Option<&str>, current: Option<&[u8]>) -> Result<Plan, Refused> {
    let bytes = current.unwrap_or_default();
    let theirs = undone(bytes)?;
    let keys = top_level(&theirs)?;
    let wanted = match script {
        None if current.is_none() || (theirs.is_empty() && marked::find(bytes)?.is_some()) => None,
        None => Some(theirs),
        Some(script) => {
            if let Some(key) = keys.iter().find(|key| key.name == b"provision") {
                return Err(Refused::YamlForm { line: key.line, what: "it has a provision: of its own" });
            }
            let head = ["provision:", "- mode: system", "  script: |", "    #!/bin/sh"].map(str::to_owned);
            let body = script.lines().map(|line| format!("    {line}"));
            let inner: Vec<String> = head.into_iter().chain(body).collect();
            Some(marked::insert(&theirs, theirs.len(), "", &inner))
        }
    };
    Ok(Plan::new(path, current, wanted))
}

fn with_key(entries: &[String]) -> Vec<String> {
    ["insecure-registries:".to_owned()].into_iter().chain(items(entries, "  ")).collect()
}

fn items(entries: &[String], indent: &str) -> Vec<String> {
    entries.iter().map(|entry| format!("{indent}- {entry}")).collect()
}

/// The file without our block, and with the `{}` that it took the place of.
fn undone(bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let Some(block) = marked::find(bytes)? else { return Ok(bytes.to_vec()) };
    let mut theirs = marked::without_block(bytes, &block);
    // Only `docker: {}` leaves `docker: ` with a blank and nothing below it.
    let above = &bytes[..block.range.start];
    let line_start = above.trim_ascii_end().iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = above[line_start..].strip_suffix(b"\n").unwrap_or(&above[line_start..]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line == b"docker: " {
        let at = line_start + line.len();
        theirs.splice(at..at, *b"{}");
    }
    Ok(theirs)
}

/// A key in column 0.
struct Key<'a> {
    name: &'a [u8],
    line: usize,
    /// The whole line, line ending included.
    line_at: Range<usize>,
    /// What stands behind the colon, blanks around it excluded.
    value: Range<usize>,
}

/// The keys of the one map that the file is.
fn top_level(bytes: &[u8]) -> Result<Vec<Key<'_>>, Refused> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Refused::ByteOrderMark);
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err(Refused::NotUtf8);
    }
    let mut keys: Vec<Key<'_>> = Vec::new();
    let mut seen_content = false;
    for (line, line_at, text) in marked::lines(bytes) {
        let refused = |what| Err(Refused::YamlForm { line, what });
        if text.contains(&b'\t') && text.trim_ascii_start().first().is_some_and(|byte| *byte != b'#') {
            return refused("a tab");
        }
        if text.trim_ascii().is_empty() || text.starts_with(b"#") || text.starts_with(b" ") {
            continue;
        }
        let is_first = !std::mem::replace(&mut seen_content, true);
        if text.trim_ascii_end() == b"---" && is_first {
            continue;
        }
        if text.starts_with(b"- ") || text == b"-" {
            // A list in column 0 belongs to the key above it.
            match keys.last() {
                Some(key) if key.value.is_empty() => continue,
                Some(_) | None => return refused("a list where a key is expected"),
            }
        }
        let length =
            text.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        let rest = &text[length..];
        if length == 0 || !(rest == b":" || rest.starts_with(b": ")) {
            return refused("no plain key: in column 0");
        }
        let name = &text[..length];
        if keys.iter().any(|key| key.name == name) {
            return refused("a key for the second time");
        }
        let blanks = rest[1..].iter().take_while(|byte| **byte == b' ').count();
        let start = line_at.start + length + 1 + blanks;
        let value = start..line_at.start + text.trim_ascii_end().len().max(length + 1 + blanks);
        keys.push(Key { name, line, line_at, value });
    }
    Ok(keys)
}

/// Where the block goes below `docker:`.
enum Place {
    /// In place of `{}`.
    Braces,
    /// As a key of its own.
    Child { at: usize, indent: String },
    /// As items of a list that is there.
    Item { at: usize, indent: String, present: Vec<String> },
}

fn place_below(bytes: &[u8], key: &Key<'_>) -> Result<Place, Refused> {
    let refused = |line, what| Err(Refused::YamlForm { line, what });
    let value = &bytes[key.value.clone()];
    if value == b"{}" {
        // Byte for byte, so that undo can tell it: one blank, and nothing behind.
        let line = &bytes[key.line_at.clone()];
        return match line.trim_ascii_end() == b"docker: {}" && matches!(&line[10..], b"" | b"\n" | b"\r\n") {
            true => Ok(Place::Braces),
            false => refused(key.line, "blanks or a comment around {}"),
        };
    }
    if !value.is_empty() && !value.starts_with(b"#") {
        return refused(key.line, "a value on the line of docker:");
    }
    let after = key.line_at.end;
    let line = &bytes[key.line_at.clone()];
    if !line.ends_with(b"\n") || matches!(line, b"docker: \n" | b"docker: \r\n") {
        return refused(key.line, "an unfinished docker:");
    }
    let below = Below::read(&bytes[after..], key.line)?;
    let Some(indent) = below.first().map(|line| line.indent) else {
        return Ok(Place::Child { at: after, indent: "  ".to_owned() });
    };
    let Some(place) =
        below.iter().position(|line| line.indent == indent && line.text.starts_with(b"insecure-registries:"))
    else {
        return match below[0].text.starts_with(b"- ") {
            true => refused(below[0].line, "a list below docker:"),
            false => Ok(Place::Child { at: after, indent: " ".repeat(indent) }),
        };
    };
    if below[place].text != b"insecure-registries:" {
        return refused(below[place].line, "a list in brackets or a comment behind insecure-registries:");
    }
    let list: Vec<&Below<'_>> = below[place + 1..]
        .iter()
        .take_while(|line| line.indent > indent || (line.indent == indent && line.text.starts_with(b"- ")))
        .collect();
    let Some(first) = list.first() else {
        return refused(below[place].line, "an empty insecure-registries:");
    };
    let mut present = Vec::new();
    for line in &list {
        let item = line.text.strip_prefix(b"- ").filter(|_| line.indent == first.indent);
        let plain = item.map(|item| item.trim_ascii()).filter(|item| {
            !item.is_empty() && item.iter().all(|b| b.is_ascii_alphanumeric() || b".:-_/\"'".contains(b))
        });
        let Some(plain) = plain else { return refused(line.line, "no plain list item") };
        let unquoted = plain.iter().copied().filter(|b| !b"\"'".contains(b)).collect();
        present.push(String::from_utf8(unquoted).unwrap_or_default());
    }
    let at = after + list.last().map_or(0, |line| line.end);
    Ok(Place::Item { at, indent: " ".repeat(first.indent), present })
}

/// A line below a key, neither blank nor a comment.
struct Below<'a> {
    line: usize,
    indent: usize,
    text: &'a [u8],
    /// Where the line ends, line ending included.
    end: usize,
}

impl Below<'_> {
    /// Every line until the next key in column 0.
    fn read(bytes: &[u8], key_line: usize) -> Result<Vec<Below<'_>>, Refused> {
        let mut below = Vec::new();
        for (line, at, text) in marked::lines(bytes) {
            let indent = text.iter().take_while(|byte| **byte == b' ').count();
            let text = text[indent..].trim_ascii_end();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            if indent == 0 {
                break;
            }
            below.push(Below { line: key_line + line, indent, text, end: at.end });
        }
        Ok(below)
    }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at + 1)
}

#[cfg(test)]
mod tests;
