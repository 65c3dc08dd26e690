//! A tar file as a table of contents: every file in it can be read at its own offset, by several readers at
//! once, without anything being unpacked (unless the whole tar is compressed; then it is, once, to a temporary
//! file). A folder with the same in it ([`folder`]) is read as one.

use super::{ArchiveError, folder, scratch::Scratch};
use flate2::read::MultiGzDecoder;
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Manifests and configurations are kilobytes; distribution refuses manifests above 4 MiB.
const LARGEST_JSON: u64 = 4 << 20;
/// Links to links to links: no writer makes more than one step.
const MOST_LINKS: usize = 8;

/// An opened archive.
#[derive(Debug)]
pub(crate) struct Tarball {
    /// As the person named it, for messages.
    shown: PathBuf,
    source: Source,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
enum Source {
    /// The uncompressed tar, where it has to be unpacked a copy without a name.
    Tar(Arc<File>),
    /// A folder's files, opened when they are read: there may be more than can be open at once.
    Files(Vec<PathBuf>),
}

#[derive(Debug)]
pub(super) enum Entry {
    File(Section),
    /// A symbolic link, with its target as written, relative to the entry's folder.
    Symlink(String),
    /// A hard link: a name relative to the archive's root.
    Hardlink(String),
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Section {
    /// Which of a folder's files; a tar is one.
    pub(crate) file: usize,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Tarball {
    /// Reads the table of contents. Blocks.
    pub(crate) fn open(path: &Path) -> Result<Self, ArchiveError> {
        let read = |source| ArchiveError::Read { path: path.to_owned(), source };
        if path.is_dir() {
            let (entries, files) = folder::contents(path)?;
            return Ok(Self { shown: path.to_owned(), source: Source::Files(files), entries });
        }
        let mut file = File::open(path).map_err(read)?;
        if !file.metadata().map_err(read)?.is_file() {
            return Err(ArchiveError::NotATar { path: path.to_owned() });
        }
        let mut magic = [0; 6];
        let known = read_up_to(&mut file, &mut magic).map_err(read)?;
        file.rewind().map_err(read)?;
        let tar = match Compression::of(&magic[..known]) {
            None => file,
            Some(Compression::Gzip) => {
                let file = io::BufReader::with_capacity(1 << 17, file);
                unpack(path, MultiGzDecoder::new(file))?
            }
            Some(Compression::Zstd) => {
                let damaged = |source| ArchiveError::Damaged { path: path.to_owned(), source };
                unpack(path, zstd::stream::read::Decoder::new(file).map_err(damaged)?)?
            }
            Some(other @ (Compression::Bzip2 | Compression::Xz)) => {
                return Err(ArchiveError::Compression { path: path.to_owned(), compression: other.name() });
            }
        };
        let entries = contents(path, &tar)?;
        Ok(Self { shown: path.to_owned(), source: Source::Tar(Arc::new(tar)), entries })
    }

    /// The path the person gave.
    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether any name starts with `prefix`.
    pub(crate) fn has_folder(&self, prefix: &str) -> bool {
        self.entries.keys().any(|name| name.starts_with(prefix))
    }

    /// Where the file called `name` is, through links.
    pub(crate) fn section(&self, name: &str) -> Result<Section, ArchiveError> {
        let missing = || ArchiveError::Missing { name: name.to_owned() };
        let mut current = normalise("", name)?;
        for _ in 0..MOST_LINKS {
            current = match self.entries.get(&current).ok_or_else(missing)? {
                Entry::File(section) => return Ok(*section),
                Entry::Symlink(target) => {
                    let folder = current.rsplit_once('/').map_or("", |(folder, _)| folder);
                    normalise(folder, target)?
                }
                Entry::Hardlink(target) => normalise("", target)?,
            };
        }
        Err(missing())
    }

    /// A reader of its own for one file.
    pub(crate) fn reader(&self, section: Section) -> SectionReader {
        let from = match &self.source {
            Source::Tar(tar) => Held::Open(tar.clone()),
            Source::Files(files) => Held::At(files.get(section.file).cloned().unwrap_or_default()),
        };
        SectionReader { from, at: section.offset, left: section.size }
    }

    /// The file that a section is in, for reads that name their place ([`read_at`]). Blocks for a moment.
    pub(crate) fn file(&self, section: Section) -> io::Result<Arc<File>> {
        self.reader(section).open()
    }

    /// A whole small file.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        let section = self.section(name)?;
        if section.size > LARGEST_JSON {
            return Err(ArchiveError::TooLarge { name: name.to_owned(), size: section.size });
        }
        let mut bytes = Vec::new();
        let read = self.reader(section).read_to_end(&mut bytes);
        read.map_err(|source| ArchiveError::Read { path: self.path_of(section).to_owned(), source })?;
        Ok(bytes)
    }

    fn path_of(&self, section: Section) -> &Path {
        match &self.source {
            Source::Tar(_) => &self.shown,
            Source::Files(files) => files.get(section.file).unwrap_or(&self.shown),
        }
    }
}

/// Reads exactly one section; a tar that got shorter meanwhile is an error, not an early end.
#[derive(Debug)]
pub(crate) struct SectionReader {
    from: Held,
    at: u64,
    left: u64,
}

#[derive(Debug)]
enum Held {
    Open(Arc<File>),
    /// Not before something is read.
    At(PathBuf),
}

impl SectionReader {
    fn open(&mut self) -> io::Result<Arc<File>> {
        let file = match &self.from {
            Held::Open(file) => return Ok(file.clone()),
            Held::At(path) => Arc::new(folder::open(path)?),
        };
        self.from = Held::Open(file.clone());
        Ok(file)
    }
}

impl Read for SectionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = read_at(&*self.open()?, &mut buffer[..most], self.at)?;
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file ends in the middle of a layer",
            ));
        }
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Reads at `at`, wherever others of the same file are.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// How a file is compressed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Compression {
    pub(crate) fn of(magic: &[u8]) -> Option<Self> {
        if magic.starts_with(&[0x1f, 0x8b]) {
            Some(Self::Gzip)
        } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Some(Self::Zstd)
        } else if magic.starts_with(b"BZh") {
            Some(Self::Bzip2)
        } else if magic.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
            Some(Self::Xz)
        } else {
            None
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }
}

/// Fills `buffer` as far as the file goes.
pub(crate) fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Unpacks a compressed tar to a temporary file: compressed files have no index, and layers must be read out of order.
fn unpack(path: &Path, mut decoder: impl Read) -> Result<File, ArchiveError> {
    let unpack = |source| ArchiveError::Unpack { path: path.to_owned(), source };
    let mut target = Scratch::new().map_err(unpack)?;
    let mut buffer = vec![0; 1 << 17];
    loop {
        let read = decoder
            .read(&mut buffer)
            .map_err(|source| ArchiveError::Damaged { path: path.to_owned(), source })?;
        if read == 0 {
            return Ok(target.into_file());
        }
        target.write(&buffer[..read]).map_err(unpack)?;
    }
}

fn contents(shown: &Path, tar: &File) -> Result<HashMap<String, Entry>, ArchiveError> {
    let read = |source| ArchiveError::Read { path: shown.to_owned(), source };
    let damaged = |source| ArchiveError::Damaged { path: shown.to_owned(), source };
    let length = tar.metadata().map_err(read)?.len();
    if length < 512 {
        return Err(ArchiveError::NotATar { path: shown.to_owned() });
    }
    (&*tar).rewind().map_err(read)?;
    let mut archive = tar::Archive::new(tar);
    let mut entries = HashMap::new();
    let mut is_first = true;
    for entry in archive.entries_with_seek().map_err(read)? {
        let entry = match entry {
            Ok(entry) => entry,
            // The first header decides whether this is a tar at all.
            Err(_) if is_first => return Err(ArchiveError::NotATar { path: shown.to_owned() }),
            Err(source) => return Err(damaged(source)),
        };
        is_first = false;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let raw = text(&entry.path_bytes());
        let kind = entry.header().entry_type();
        let target = entry.link_name_bytes().map(|target| text(&target)).unwrap_or_default();
        let found = if kind.is_file() || kind.is_contiguous() {
            let section = Section { file: 0, offset: entry.raw_file_position(), size: entry.size() };
            if section.offset.checked_add(section.size).is_none_or(|end| end > length) {
                return Err(damaged(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("{raw} is cut off"),
                )));
            }
            Entry::File(section)
        } else if kind.is_symlink() {
            Entry::Symlink(target)
        } else if kind.is_hard_link() {
            Entry::Hardlink(target)
        } else {
            // Folders, devices, sparse files: nothing an image archive refers to.
            continue;
        };
        entries.insert(normalise("", &raw)?, found);
    }
    Ok(entries)
}

/// `folder/name` without `.` and `..`; refuses what would leave the archive.
pub(crate) fn normalise(folder: &str, name: &str) -> Result<String, ArchiveError> {
    let unsafe_name = || ArchiveError::UnsafeName { name: name.to_owned() };
    if name.starts_with('/') || name.contains(['\\', '\0']) {
        return Err(unsafe_name());
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(unsafe_name)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_archive() {
        assert_eq!(normalise("", "./a/b").unwrap(), "a/b");
        assert_eq!(normalise("a", "../b/layer.tar").unwrap(), "b/layer.tar");
        for bad in ["/etc/passwd", "../x", "a/../../x", "a\\b", "a\0b"] {
            assert!(matches!(normalise("", bad), Err(ArchiveError::UnsafeName { .. })), "{bad:?}");
        }
        assert!(normalise("a", "../../x").is_err());
    }
}
