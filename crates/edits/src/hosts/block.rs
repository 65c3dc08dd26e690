//! Finding our block among other people's bytes, and writing it.
//!
//! A file is bytes cut at `\n`; nothing here needs it to be UTF-8, and nothing outside the block is decoded, so
//! nothing outside can be changed by decoding it.

use super::{Entry, Refused};
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
        let text = text.trim_ascii();
        let added = text == BEGIN_AFTER_ADDED_LINE_ENDING.as_bytes();
        if added || text == BEGIN.as_bytes() {
            if let Some((line, _)) = open {
                return Err(Refused::HalfMarker { line });
            }
            if found.is_some() {
                return Err(Refused::SecondBlock { line });
            }
            let line_ending = if bytes[range.clone()].ends_with(b"\r\n") { "\r\n" } else { "\n" };
            open = Some((line, Block { range, line_ending_added: added, line_ending }));
        } else if text == END.as_bytes() {
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
fn prevailing_line_ending(bytes: &[u8]) -> &'static str {
    let all = bytes.iter().filter(|byte| **byte == b'\n').count();
    let with_carriage_return = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    if with_carriage_return * 2 > all { "\r\n" } else { "\n" }
}

fn render(entries: &[Entry], line_ending_added: bool, line_ending: &str) -> Vec<u8> {
    let begin = if line_ending_added { BEGIN_AFTER_ADDED_LINE_ENDING } else { BEGIN };
    let names = entries.iter().map(|entry| format!("{}\t{}", entry.address, entry.name));
    [begin.to_owned(), NOTE.to_owned()]
        .into_iter()
        .chain(names)
        .chain([END.to_owned()])
        .flat_map(|line| [line, line_ending.to_owned()])
        .collect::<String>()
        .into_bytes()
}

/// `bytes` with the block holding `entries`, in its old place if it had one and at the end otherwise.
pub fn with_block(bytes: &[u8], old: Option<&Block>, entries: &[Entry]) -> Vec<u8> {
    if let Some(old) = old {
        let block = render(entries, old.line_ending_added, old.line_ending);
        return [&bytes[..old.range.start], &block, &bytes[old.range.end..]].concat();
    }
    let line_ending = prevailing_line_ending(bytes);
    let add_line_ending = !bytes.is_empty() && !bytes.ends_with(b"\n");
    let joint: &[u8] = if add_line_ending { line_ending.as_bytes() } else { b"" };
    [bytes, joint, &render(entries, add_line_ending, line_ending)].concat()
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
