//! A temporary file that may become as large as an image, and leaves others their room: a few kilobytes may unpack to more
//! than any disk holds.

use std::{
    env,
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// How much is written between two looks at the room that is left.
const STEP: u64 = 16 << 20;
/// What stays free: a share of the disk, and no more than this.
const SHARE: u64 = 20;
const LARGEST_RESERVE: u64 = 1 << 30;

/// It has no name, so that nothing stays where this program is killed.
#[derive(Debug)]
pub(super) struct Scratch {
    file: File,
    folder: PathBuf,
    /// Written since the last look.
    unseen: u64,
}

/// The room on a disk, in bytes.
#[derive(Debug, Clone, Copy)]
struct Room {
    free: u64,
    all: u64,
}

impl Room {
    /// Whether there is enough left for `more` bytes and everybody else.
    fn has(self, more: u64) -> bool {
        // Some that are in memory or elsewhere tell nothing.
        self.all == 0 || self.free >= more.saturating_add((self.all / SHARE).min(LARGEST_RESERVE))
    }
}

impl Scratch {
    /// Not where the system has its temporary files, unless somebody chose that place: it is memory on many machines, and
    /// /var/tmp a disk (file-hierarchy(7)).
    pub(super) fn new() -> io::Result<Self> {
        let place = PathBuf::from("/var/tmp");
        if cfg!(unix)
            && env::var_os("TMPDIR").is_none()
            && let Ok(file) = tempfile::tempfile_in(&place)
        {
            return Ok(Self { file, folder: place, unseen: 0 });
        }
        let folder = env::temp_dir();
        Ok(Self { file: tempfile::tempfile_in(&folder)?, folder, unseen: 0 })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unseen += bytes.len() as u64;
        if self.unseen >= STEP {
            self.unseen = 0;
            // Where the system does not tell, the disk's end is the limit.
            if room(&self.folder).is_some_and(|room| !room.has(STEP)) {
                let what = format!("{} would be too full for anything else", self.folder.display());
                return Err(io::Error::new(io::ErrorKind::StorageFull, what));
            }
        }
        self.file.write_all(bytes)
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }
}

#[cfg(unix)]
fn room(folder: &Path) -> Option<Room> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks| u64::saturating_mul(blocks, disk.f_frsize);
    Some(Room { free: bytes(disk.f_bavail), all: bytes(disk.f_blocks) })
}

#[cfg(windows)]
#[expect(unsafe_code, reason = "the system's call")]
fn room(folder: &Path) -> Option<Room> {
    use std::{os::windows::ffi::OsStrExt as _, ptr};
    use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
    let name: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
    let (mut free, mut all) = (0_u64, 0_u64);
    // SAFETY: the name ends with a NUL, and outlives the call as the places for the numbers do.
    let is_told = unsafe { GetDiskFreeSpaceExW(name.as_ptr(), &mut free, &mut all, ptr::null_mut()) };
    (is_told != 0).then_some(Room { free, all })
}

#[cfg(not(any(unix, windows)))]
fn room(_: &Path) -> Option<Room> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Seek as _};

    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    #[test]
    fn others_keep_a_share_of_the_disk_and_a_gibibyte_at_most() {
        let has = |free, all| Room { free, all }.has(STEP);
        assert!(has(500 * GIB, 1000 * GIB));
        assert!(has(GIB + STEP, 1000 * GIB) && !has(GIB + STEP - 1, 1000 * GIB));
        // A small disk is used for as much as a large one.
        assert!(has(5 * MIB + STEP, 100 * MIB) && !has(5 * MIB, 100 * MIB));
        assert!(!has(0, 100 * MIB) && has(0, 0), "nothing told");
    }

    #[test]
    fn what_was_written_is_there_and_has_no_name() {
        let mut scratch = Scratch::new().unwrap();
        scratch.write(b"one ").unwrap();
        scratch.write(b"two").unwrap();
        assert!(room(&scratch.folder).unwrap().all > 0);
        let mut file = scratch.into_file();
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::nlink(&file.metadata().unwrap()), 0);
        let mut written = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut written).unwrap();
        assert_eq!(written, "one two");
    }
}
