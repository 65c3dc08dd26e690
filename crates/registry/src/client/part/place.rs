//! The unfinished file's place on the disk, and how it gets to its target.

use super::own;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Windows' `MAX_PATH`, with its NUL.
const LONGEST: usize = 260;

/// Renames `from` to `to`, if nothing is there; otherwise `from` stays. Blocks.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let whole = tempfile::TempPath::try_from_path(of_any_length(from, cfg!(windows)))?;
    whole.persist_noclobber(of_any_length(to, cfg!(windows))).map_err(|failed| {
        let mut stays = failed.path;
        stays.disable_cleanup(true);
        failed.error
    })
}

/// Windows takes paths of more than 260 characters only in the form `\\?\…`, which resolving gives. `std` gives them so by
/// itself, and `tempfile` does not.
fn of_any_length(path: &Path, is_windows: bool) -> PathBuf {
    if is_windows
        && let (Ok(folder), Some(name)) = (own::folder(path).canonicalize(), path.file_name())
        && folder.as_os_str().len() + 1 + name.len() >= LONGEST
    {
        return folder.join(name);
    }
    path.to_owned()
}

/// Has bytes that nobody has written take no room. Elsewhere that is so; NTFS would write zeros up to the first byte that
/// is written, and a pull begins in several places at once. A file system without such files does so still.
#[cfg(windows)]
#[expect(unsafe_code, reason = "the system's call")]
pub(super) fn make_sparse(file: &File) {
    use std::{os::windows::io::AsRawHandle as _, ptr};
    use windows_sys::Win32::System::{IO::DeviceIoControl, Ioctl::FSCTL_SET_SPARSE};
    let mut returned = 0_u32;
    // SAFETY: the handle is open for as long as `file` is borrowed. The call takes and gives no buffer; the place for the
    // count outlives it, as there is no overlapped structure.
    let is_done = unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            FSCTL_SET_SPARSE,
            ptr::null(),
            0,
            ptr::null_mut(),
            0,
            &mut returned,
            ptr::null_mut(),
        )
    };
    if is_done == 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "the unfinished file is not sparse");
    }
}

#[cfg(not(windows))]
pub(super) fn make_sparse(_: &File) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_length_is_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let short = folder.path().join("app.tar");
        assert_eq!(of_any_length(&short, true), short);
        let deep = real.join("d".repeat(120)).join("e".repeat(120));
        std::fs::create_dir_all(&deep).unwrap();
        let long = deep.join("..").join("e".repeat(120)).join("app.tar");
        assert_eq!(of_any_length(&long, true), deep.join("app.tar"));
        assert_eq!(of_any_length(&long, false), long);
        let nowhere = deep.join("nowhere").join("app.tar");
        assert_eq!(of_any_length(&nowhere, true), nowhere);
    }

    #[test]
    fn nothing_that_is_there_is_overwritten_and_what_is_not_renamed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::write(&from, "new").unwrap();
        std::fs::write(&to, "old").unwrap();
        assert_eq!(rename(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(
            (std::fs::read(&from).unwrap(), std::fs::read(&to).unwrap()),
            (b"new".into(), b"old".into())
        );
        std::fs::remove_file(&to).unwrap();
        rename(&from, &to).unwrap();
        assert!(!from.exists() && to.exists());
    }
}
