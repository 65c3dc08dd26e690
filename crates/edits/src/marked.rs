//! One marked block of lines among other people's bytes: finding it, writing it, taking it out.
//!
//! A file is bytes cut at `\n`; nothing here needs it to be UTF-8, and nothing outside the block is decoded, so
//! nothing outside can be changed by decoding it. `#` begins a comment in every format this is used for (hosts(5),
//! TOML, YAML).

use crate::Refused;
use std::ops::Range;

/// First line of the block.
pub const BEGIN: &str = "# BEGIN dockline";
/// Last line of the block.
pub const END: &str = "# END dockline";
/// First line of a block before which a line ending had to be added. Undo takes that away too, so that a file
/// whose last line had none gets back exactly the bytes it had.
const BEGIN_AFTER_ADDED_LINE_ENDING: &str = "# BEGIN dockline (and the line ending above)";
const NOTE: &str = "# Written by Dockline, which replaces everything between these two markers.";

/// Where the block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its bytes, from the first marker's first to the last marker's line ending.
    pub range: Range<usize>,
    /// Whether the line ending before it is ours.
    pub line_ending_added: bool,
    /// How its lines end.
    pub line_ending: &'static str,
    /// What stands before the first marker on its line.
    pub indent: String,
}

/// The lines of `bytes`, each with its number (from 1), its place, and its bytes without the line ending.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, Range<usize>, &[u8])> {
    let mut start = 0;
    bytes.split_inclusive(|byte| *byte == b'\n').enumerate().map(move |(index, line)| {
        let range = start..start + line.len();
        start = range.end;
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        (index + 1, range, text.strip_suffix(b"\r").unwrap_or(text))
    })
}

/// The block, if there is one.
pub fn find(bytes: &[u8]) -> Result<Option<Block>, Refused> {
    let mut open: Option<(usize, Block)> = None;
    let mut found: Option<Block> = None;
    for (line, range, text) in lines(bytes) {
        let trimmed = text.trim_ascii();
        let added = trimmed == BEGIN_AFTER_ADDED_LINE_ENDING.as_bytes();
        if added || trimmed == BEGIN.as_bytes() {
            if let Some((line, _)) = open {
                return Err(Refused::HalfMarker { line });
            }
            if found.is_some() {
                return Err(Refused::SecondBlock { line });
            }
            let line_ending = if bytes[range.clone()].ends_with(b"\r\n") { "\r\n" } else { "\n" };
            let indent = " ".repeat(text.iter().take_while(|byte| **byte == b' ').count());
            open = Some((line, Block { range, line_ending_added: added, line_ending, indent }));
        } else if trimmed == END.as_bytes() {
            let (_, mut block) = open.take().ok_or(Refused::HalfMarker { line })?;
            block.range.end = range.end;
            found = Some(block);
        }
    }
    match open {
        Some((line, _)) => Err(Refused::HalfMarker { line }),
        None => Ok(found),
    }
}

/// How most lines end; `\n` where there are none to tell by.
pub fn prevailing_line_ending(bytes: &[u8]) -> &'static str {
    let all = bytes.iter().filter(|byte| **byte == b'\n').count();
    let with_carriage_return = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    if with_carriage_return * 2 > all { "\r\n" } else { "\n" }
}

fn render(block: &Block, inner: &[String]) -> Vec<u8> {
    let begin = if block.line_ending_added { BEGIN_AFTER_ADDED_LINE_ENDING } else { BEGIN };
    [begin, NOTE]
        .into_iter()
        .chain(inner.iter().map(String::as_str))
        .chain([END])
        .flat_map(|line| [&block.indent, line, block.line_ending])
        .collect::<String>()
        .into_bytes()
}

/// `bytes` with the block holding `inner`: in its old place if there is one, at the end otherwise.
pub fn with_block(bytes: &[u8], old: Option<&Block>, inner: &[String]) -> Vec<u8> {
    match old {
        Some(old) => [&bytes[..old.range.start], &render(old, inner), &bytes[old.range.end..]].concat(),
        None => insert(bytes, bytes.len(), "", inner),
    }
}

/// `bytes` with a new block at the beginning of a line, or at the end. Each of its lines stands behind `indent`.
pub fn insert(bytes: &[u8], at: usize, indent: &str, inner: &[String]) -> Vec<u8> {
    let line_ending = prevailing_line_ending(bytes);
    let (above, below) = bytes.split_at(at);
    let line_ending_added = !above.is_empty() && !above.ends_with(b"\n");
    let block = Block { range: at..at, line_ending_added, line_ending, indent: indent.to_owned() };
    let joint: &[u8] = if line_ending_added { line_ending.as_bytes() } else { b"" };
    [above, joint, &render(&block, inner), below].concat()
}

/// `bytes` without the block. The line ending that came with it goes too, unless lines were added after the
/// block since: it keeps those apart from the line above now.
pub fn without_block(bytes: &[u8], block: &Block) -> Vec<u8> {
    let (above, below) = (&bytes[..block.range.start], &bytes[block.range.end..]);
    let above = match block.line_ending_added && below.is_empty() {
        true => above.strip_suffix(block.line_ending.as_bytes()).unwrap_or(above),
        false => above,
    };
    [above, below].concat()
}
