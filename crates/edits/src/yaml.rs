//! colima.yaml and Rancher Desktop's override.yaml: one marked block in a file that is changed line by line.
//!
//! No library for YAML keeps comments and layout, so nothing is parsed and written anew. Instead the file has to look the
//! way these programs and their users write it (block style, keys in column 0); anything else is refused, never guessed.

use crate::{Authority, Refused, daemon_json, marked, plan::Plan};
use std::{collections::BTreeSet, ops::Range, path::Path};

/// The change that makes `docker: insecure-registries:` of a colima.yaml hold Dockline's entries in a marked block
/// (abiosoft/colima, `embedded/defaults/colima.yaml`: the key is a map that becomes the machine's daemon.json at each
/// start). `owned` is what Dockline's record says it added before: at its start colima may write the file anew
/// (`cmd/start.go`), and then the entries are still there and the markers are not.
///
/// # Errors
/// [`Refused`]; also where there is no file, since a folder of ours would win over the one that colima uses.
pub fn colima(
    path: &Path,
    wanted: &BTreeSet<Authority>,
    owned: &[String],
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    wanted.iter().try_for_each(daemon_json::may_be_insecure)?;
    let Some(bytes) = current else {
        return if wanted.is_empty() { Ok(Plan::new(path, None, None)) } else { Err(Refused::NoColima) };
    };
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let block = marked::find(bytes)?.map_or(&[][..], |block| &bytes[block.range]);
    let unmarked: Vec<&String> = owned.iter().filter(|entry| !has_item(block, entry)).collect();
    let mut original = undone(bytes)?;
    for entry in unmarked.iter().filter(|entry| !wanted.contains(entry)) {
        original = without(original, entry)?;
    }
    let mut added = wanted.clone();
    let contents = if added.is_empty() { original } else { with(original, &mut added)? };
    let mut plan = Plan::new(path, current, Some(contents));
    plan.owned =
        wanted.into_iter().filter(|entry| added.contains(entry) || unmarked.contains(&entry)).collect();
    Ok(plan)
}

/// The file with a block of these entries; without those that are there already, which are taken out of `entries`.
fn with(original: Vec<u8>, entries: &mut Vec<String>) -> Result<Vec<u8>, Refused> {
    let mut theirs = original.clone();
    let keys = top_level(&original)?;
    let (at, indent, inner) = match keys.iter().find(|key| key.name == b"docker") {
        None => {
            let head = ["docker:".to_owned(), "  insecure-registries:".to_owned()];
            (theirs.len(), String::new(), head.into_iter().chain(items(entries, "    ")).collect())
        }
        Some(key) => match place_below(&original, key)? {
            Place::Braces => {
                // `docker: {}` is the default; a map in block style takes its place.
                theirs.drain(key.value.clone());
                let end = line_end(&theirs, key.line_at.start);
                (end, "  ".to_owned(), with_key(entries))
            }
            Place::Child { at, indent } => (at, indent, with_key(entries)),
            Place::List(list) => {
                entries.retain(|entry| list.items.iter().all(|(present, _)| present != entry));
                (list.end, list.indent, items(entries, ""))
            }
        },
    };
    Ok(if entries.is_empty() { original } else { marked::insert(&theirs, at, &indent, &inner) })
}

/// The file without an item of the list. With the last one the list goes, and with the list a map that has nothing else:
/// as colima writes it when there are none.
fn without(mut bytes: Vec<u8>, entry: &str) -> Result<Vec<u8>, Refused> {
    if !has_item(&bytes, entry) {
        return Ok(bytes);
    }
    let keys = top_level(&bytes)?;
    let Some(key) = keys.iter().find(|key| key.name == b"docker") else { return Ok(bytes) };
    let Place::List(list) = place_below(&bytes, key)? else { return Ok(bytes) };
    let Some((_, item)) = list.items.iter().find(|(present, _)| present == entry) else { return Ok(bytes) };
    let is_last = list.items.len() == 1;
    let braces = (is_last && list.is_only_key && key.value.is_empty()).then(|| {
        let line = &bytes[key.line_at.clone()];
        key.line_at.start + line.trim_ascii_end().len()
    });
    bytes.drain(item.clone());
    if is_last {
        bytes.drain(list.key);
    }
    if let Some(at) = braces {
        bytes.splice(at..at, *b" {}");
    }
    Ok(bytes)
}

/// Whether some line is that item, quoted or not.
fn has_item(bytes: &[u8], entry: &str) -> bool {
    marked::lines(bytes).any(|(_, _, text)| {
        let item = text.trim_ascii().strip_prefix(b"- ");
        item.is_some_and(|item| unquoted(item.trim_ascii()) == entry)
    })
}

fn unquoted(item: &[u8]) -> String {
    let plain = item.iter().copied().filter(|byte| !b"\"'".contains(byte)).collect();
    String::from_utf8(plain).unwrap_or_default()
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
    List(List),
}

/// `insecure-registries:` as it is.
struct List {
    /// The line of its key.
    key: Range<usize>,
    /// Whether `docker:` has no other key.
    is_only_key: bool,
    indent: String,
    /// Each without its quotes, and its line.
    items: Vec<(String, Range<usize>)>,
    /// Where the last one's line ends.
    end: usize,
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
    let placed = |line: &Below<'_>| after + line.at.start..after + line.at.end;
    let mut items = Vec::new();
    for line in &list {
        let item = line.text.strip_prefix(b"- ").filter(|_| line.indent == first.indent);
        let plain = item.map(|item| item.trim_ascii()).filter(|item| {
            !item.is_empty() && item.iter().all(|b| b.is_ascii_alphanumeric() || b".:-_/\"'".contains(b))
        });
        let Some(plain) = plain else { return refused(line.line, "no plain list item") };
        items.push((unquoted(plain), placed(line)));
    }
    Ok(Place::List(List {
        key: placed(&below[place]),
        is_only_key: below.len() == 1 + list.len(),
        indent: " ".repeat(first.indent),
        end: list.last().map_or(after, |line| placed(line).end),
        items,
    }))
}

/// A line below a key, neither blank nor a comment.
struct Below<'a> {
    line: usize,
    indent: usize,
    text: &'a [u8],
    /// The whole line, line ending included.
    at: Range<usize>,
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
            below.push(Below { line: key_line + line, indent, text, at });
        }
        Ok(below)
    }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at + 1)
}

#[cfg(test)]
mod tests;
