//! A layer's tar from its two halves: what tar-split kept, and the files, which come as a tar of another making.

use super::{
    flow::Outgoing,
    split::{Piece, Split},
};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Read, Seek as _, SeekFrom, Write},
};

/// What is written of a layer at once.
const PIECE: usize = 256 << 10;

/// Gives the layer to a reader ([`assemble`]), or what speaks against it. Blocks.
pub(super) fn pour<R: Read>(
    split: &Split,
    entries: io::Result<tar::Entries<'_, R>>,
    within: Option<&'static str>,
    out: &Outgoing,
) {
    let written = entries
        .and_then(|entries| assemble(split, entries, within, &mut BufWriter::with_capacity(PIECE, out)));
    if let Err(error) = written {
        out.fail(error);
    }
}

/// Writes the layer that `split` describes to `out`; `entries` are those of a tar of its folder, whose first component is the
/// same in every name, or of a tar that has this folder `within`. Blocks.
///
/// Nothing here makes sure that it is the right one: that is for the layer's digest to say.
pub(super) fn assemble<R: Read>(
    split: &Split,
    entries: tar::Entries<'_, R>,
    within: Option<&'static str>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut files = Files { entries, within, kept: Kept::default(), links: HashMap::new() };
    for piece in split.pieces() {
        match piece? {
            Piece::Bytes(bytes) => out.write_all(&bytes)?,
            Piece::File { name, size } => files.write(plain(&name), size, out)?,
        }
    }
    out.flush()
}

struct Files<'a, R: Read> {
    entries: tar::Entries<'a, R>,
    within: Option<&'static str>,
    /// Files that came before the layer's own order wanted them.
    kept: Kept,
    /// Further names of files, and the names under which these came.
    links: HashMap<Vec<u8>, Vec<u8>>,
}

impl<R: Read> Files<'_, R> {
    /// The content of the file `wanted`, which has `size` bytes.
    fn write(&mut self, wanted: &[u8], size: u64, out: &mut impl Write) -> io::Result<()> {
        let known = self.links.get(wanted).map_or(wanted, Vec::as_slice);
        if self.kept.write(known, size, out)? {
            return Ok(());
        }
        while let Some(entry) = self.entries.next() {
            let mut entry = entry?;
            let Some(name) = self.name(&entry.path_bytes()) else { continue };
            if entry.header().entry_type().is_hard_link() {
                let Some(target) = entry.link_name_bytes().and_then(|target| self.name(&target)) else {
                    continue;
                };
                if name == wanted && self.kept.write(&target, size, out)? {
                    return Ok(());
                }
                self.links.insert(name, target);
            } else if name == wanted {
                return match io::copy(&mut entry, out)? {
                    length if length == size => Ok(()),
                    _ => Err(changed(wanted)),
                };
            } else if entry.size() > 0 {
                self.kept.keep(name, &mut entry)?;
            }
        }
        Err(changed(wanted))
    }
}

impl<R: Read> Files<'_, R> {
    /// In the layer's folder; `None` of what is beside that.
    fn name(&self, path: &[u8]) -> Option<Vec<u8>> {
        let name = below(path);
        match self.within {
            None => Some(name.to_vec()),
            Some(folder) => Some(plain(name.strip_prefix(folder.as_bytes())?.strip_prefix(b"/")?).to_vec()),
        }
    }
}

fn changed(name: &[u8]) -> io::Error {
    let name = String::from_utf8_lossy(name);
    io::Error::other(format!("the engine's store has no such file as the layer had: {name}"))
}

/// `app/bin` of `./app/bin`, `/app/bin` and `app/bin/`.
fn plain(name: &[u8]) -> &[u8] {
    let mut name = name;
    while let Some(shorter) = name.strip_prefix(b"./").or_else(|| name.strip_prefix(b"/")) {
        name = shorter;
    }
    name.strip_suffix(b"/").unwrap_or(name)
}

/// The name below the first component.
pub(super) fn below(name: &[u8]) -> &[u8] {
    let rest = name.iter().position(|byte| *byte == b'/').map_or(&[][..], |at| &name[at + 1..]);
    plain(rest)
}

/// A file without a name that may become as large as a layer: not where the system has its temporary files, unless somebody
/// chose that place. It is memory on many machines, and /var/tmp a disk (file-hierarchy(7)).
fn scratch() -> io::Result<File> {
    if cfg!(unix) && std::env::var_os("TMPDIR").is_none() {
        return tempfile::tempfile_in("/var/tmp").or_else(|_| tempfile::tempfile());
    }
    tempfile::tempfile()
}

/// Contents for later, one after the other in a file without a name.
#[derive(Default)]
struct Kept {
    file: Option<File>,
    end: u64,
    /// Where each begins, and its length.
    places: HashMap<Vec<u8>, (u64, u64)>,
}

impl Kept {
    fn keep(&mut self, name: Vec<u8>, content: &mut impl Read) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(scratch()?),
        };
        file.seek(SeekFrom::Start(self.end))?;
        let length = io::copy(content, file)?;
        self.places.insert(name, (self.end, length));
        self.end += length;
        Ok(())
    }

    /// Whether it has it.
    fn write(&mut self, name: &[u8], size: u64, out: &mut impl Write) -> io::Result<bool> {
        let (Some(file), Some((begin, length))) = (&mut self.file, self.places.get(name)) else {
            return Ok(false);
        };
        if *length != size {
            return Err(changed(name));
        }
        file.seek(SeekFrom::Start(*begin))?;
        io::copy(&mut file.take(*length), out)?;
        Ok(true)
    }
}
