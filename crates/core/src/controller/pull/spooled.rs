//! Where an image is kept until the engine has it. The folder is the same for every pull of the same, so that the next
//! one finds what one that was killed, paused or cut off had got; it is kept for a day.

use dockline_registry::Digest;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// Folders that may be found again begin so.
const NAMED: &str = "pull-";
/// Those of a pull while another one of the same goes on.
const ALONE: &str = "alone-";
const LOCK: &str = "lock";
const IMAGE: &str = "image.tar";
/// Of which digest the image is, once all of it is there.
const WHOLE: &str = "digest";
const LASTS: Duration = Duration::from_secs(24 * 3600);

/// A pull's folder, which no other pull uses while this lives.
#[derive(Debug)]
pub(super) enum Spooled {
    Named { folder: PathBuf, lock: Option<File> },
    Alone(TempDir),
}

impl Spooled {
    /// The folder in `spool` for `what`, which says all that decides what is fetched. Those of pulls that nobody has gone
    /// on with go. Blocks.
    pub(super) fn of(spool: &Path, what: &str) -> io::Result<Self> {
        fs::create_dir_all(spool)?;
        remove_old(spool);
        let folder = spool.join(format!("{NAMED}{}", Digest::of(what.as_bytes()).hex()));
        if let Some(lock) = taken(&folder)? {
            return Ok(Self::Named { folder, lock: Some(lock) });
        }
        Ok(Self::Alone(tempfile::Builder::new().prefix(ALONE).tempdir_in(spool)?))
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Named { folder, .. } => folder,
            Self::Alone(folder) => folder.path(),
        }
    }

    /// Where the image is, or is to be.
    pub(super) fn image(&self) -> PathBuf {
        self.folder().join(IMAGE)
    }

    /// The digest of the image that is there already. What is there of one that may not be whole goes. Blocks.
    pub(super) fn whole(&self) -> io::Result<Option<String>> {
        if !self.image().try_exists()? {
            return Ok(None);
        }
        match fs::read_to_string(self.folder().join(WHOLE)) {
            Ok(digest) => Ok(Some(digest)),
            Err(_) => fs::remove_file(self.image()).map(|()| None),
        }
    }

    /// Notes that all of the image is there. Blocks.
    pub(super) fn note_whole(&self, digest: &str) {
        if let Err(error) = fs::write(self.folder().join(WHOLE), digest) {
            tracing::debug!(%error, "an image that the engine does not take now will be fetched again");
        }
    }

    /// What is there is of no use. Blocks.
    pub(super) fn empty(&self) -> io::Result<()> {
        // First: without it the image counts for nothing.
        for name in [WHOLE, IMAGE] {
            match fs::remove_file(self.folder().join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// The engine has the image. Blocks.
    pub(super) fn remove(self) {
        // The lock is held until all of it is gone.
        if let Err(error) = fs::remove_dir_all(self.folder()) {
            tracing::warn!(%error, "what was pulled stays: {}", self.folder().display());
        }
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        if let Self::Named { folder, lock } = self {
            // Who has opened this lock meanwhile sees that it is gone. Where nothing was fetched, the folder goes as well.
            let _ = fs::remove_file(folder.join(LOCK));
            let _ = fs::remove_dir(&*folder);
            drop(lock.take());
        }
    }
}

/// Takes the folder for this pull alone; `None` while another has it.
fn taken(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(LOCK);
    loop {
        fs::create_dir_all(folder)?;
        let lock = match File::create(&path) {
            // The folder has just been removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            lock => lock?,
        };
        match lock.try_lock() {
            // Whoever had it has removed it, and the folder perhaps.
            Ok(()) if !path.exists() => {}
            Ok(()) => return Ok(Some(lock)),
            // Without locks nobody can tell who else uses it.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return Ok(None),
        }
    }
}

/// What an owner that was killed had in `spool` goes, but for what a pull may go on with. For an owner's start. Blocks.
pub(in crate::controller) fn clean(spool: &Path) {
    for entry in entries(spool) {
        if !is_named(&entry) {
            remove(&entry);
        }
    }
    remove_old(spool);
}

fn remove_old(spool: &Path) {
    for entry in entries(spool).into_iter().filter(|entry| is_named(entry) && is_old(entry)) {
        // Not under a pull that goes on.
        if let Ok(Some(_lock)) = taken(&entry) {
            remove(&entry);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn is_named(entry: &Path) -> bool {
    entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with(NAMED))
}

/// Whether nothing in it has changed for a day.
fn is_old(folder: &Path) -> bool {
    let changed = |path: &PathBuf| fs::symlink_metadata(path).and_then(|seen| seen.modified()).ok();
    let newest = entries(folder).iter().filter_map(changed).chain(changed(&folder.to_owned())).max();
    newest.is_none_or(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > LASTS))
}

fn remove(entry: &Path) {
    let is_folder = fs::symlink_metadata(entry).is_ok_and(|seen| seen.is_dir());
    let removed = if is_folder { fs::remove_dir_all(entry) } else { fs::remove_file(entry) };
    if let Err(error) = removed {
        tracing::warn!(%error, "what an earlier transfer kept stays: {}", entry.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(path: &Path, by: Duration) {
        let at = SystemTime::now() - by;
        File::open(path).unwrap().set_times(fs::FileTimes::new().set_modified(at)).unwrap();
    }

    #[test]
    fn the_next_pull_of_the_same_finds_what_there_is() {
        let spool = tempfile::tempdir().unwrap();
        let first = Spooled::of(spool.path(), "app:v1").unwrap();
        let part = first.image().with_extension("part");
        fs::write(&part, "half").unwrap();
        let other = Spooled::of(spool.path(), "app:v2").unwrap();
        assert_ne!(other.image(), first.image());
        // Two at once do not share it.
        let beside = Spooled::of(spool.path(), "app:v1").unwrap();
        assert!(matches!(beside, Spooled::Alone(_)) && beside.image() != first.image());
        let (gone, kept) = (beside.image(), first.image());
        drop((first, other, beside));
        assert!(!gone.parent().unwrap().exists());
        clean(spool.path());
        let again = Spooled::of(spool.path(), "app:v1").unwrap();
        assert_eq!((again.image(), fs::read_to_string(&part).unwrap()), (kept, "half".to_owned()));
        again.remove();
        assert_eq!(entries(spool.path()).len(), 0, "something stays");
    }

    #[test]
    fn an_image_counts_once_its_digest_is_noted() {
        let spool = tempfile::tempdir().unwrap();
        let spooled = Spooled::of(spool.path(), "app:v1").unwrap();
        assert_eq!(spooled.whole().unwrap(), None);
        fs::write(spooled.image(), "all").unwrap();
        assert_eq!(spooled.whole().unwrap(), None);
        assert!(!spooled.image().exists(), "the next pull would find its place taken");
        fs::write(spooled.image(), "all").unwrap();
        spooled.note_whole("sha256:1");
        drop(spooled);
        let again = Spooled::of(spool.path(), "app:v1").unwrap();
        assert_eq!(again.whole().unwrap().as_deref(), Some("sha256:1"));
        again.empty().unwrap();
        assert_eq!(again.whole().unwrap(), None);
    }

    #[test]
    fn what_nobody_goes_on_with_goes_after_a_day() {
        let spool = tempfile::tempdir().unwrap();
        let left = |what: &str, hours: u64| {
            let spooled = Spooled::of(spool.path(), what).unwrap();
            let (image, folder) = (spooled.image(), spooled.folder().to_owned());
            fs::write(&image, "half").unwrap();
            drop(spooled);
            for path in [&image, &folder] {
                age(path, Duration::from_secs(hours * 3600));
            }
            folder
        };
        let (recent, old) = (left("recent", 23), left("old", 25));
        let busy = Spooled::of(spool.path(), "busy").unwrap();
        for path in [busy.folder().join(LOCK), busy.folder().to_owned()] {
            age(&path, LASTS * 2);
        }
        let export = spool.path().join("export-1.tar");
        fs::write(&export, "of a push that was killed").unwrap();
        fs::create_dir(spool.path().join("alone-1")).unwrap();
        remove_old(spool.path());
        assert!(recent.exists() && !old.exists() && busy.folder().exists() && export.exists());
        clean(spool.path());
        assert!(recent.exists() && busy.folder().exists());
        assert_eq!(entries(spool.path()).len(), 2);
    }
}
