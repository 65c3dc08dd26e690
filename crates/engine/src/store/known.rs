//! What dockerd knows of an image and its layers, in one tar, which the files of a layer may follow.

use super::{
    assemble::{below, pour},
    flow::Outgoing,
    is_name,
    split::Split,
};
use std::{
    collections::HashMap,
    io::{self, Read},
};
use tokio::sync::oneshot;

/// In that tar: the image's configuration, and of each layer what its folder is called and its tar-split.
pub(super) const CONFIG: &str = "config";
const CACHE_ID: &str = "cache-id";
const TAR_SPLIT: &str = "tar-split.json.gz";
/// The folder of the files that follow: dockerd sorts by name.
pub(super) const FOLLOWING: &str = "files";
/// What may be kept in memory of an image's layers; of a large one it is a few MiB.
const MOST: u64 = 128 << 20;

#[derive(Default)]
pub(super) struct Known {
    pub(super) config: Option<Vec<u8>>,
    /// The name of the folder of a layer's files.
    folders: HashMap<usize, String>,
    splits: HashMap<usize, Split>,
}

/// Tells what is known of so many layers, and then puts together the one whose files follow, if that is asked for. Blocks.
pub(super) fn read(
    tar: impl Read,
    layers: usize,
    tell: oneshot::Sender<io::Result<Known>>,
    asked: oneshot::Receiver<(Split, Outgoing)>,
) {
    let mut archive = tar::Archive::new(tar);
    let read = archive.entries().and_then(|mut entries| {
        let known = Known::read(&mut entries, layers)?;
        Ok((known, entries))
    });
    let entries = match read {
        Ok((known, entries)) => tell.send(Ok(known)).is_ok().then_some(entries),
        Err(error) => {
            // Nobody waits for it any more, and nobody misses it.
            let _ = tell.send(Err(error));
            None
        }
    };
    if let Some(entries) = entries
        && let Ok((split, outgoing)) = asked.blocking_recv()
    {
        pour(&split, Ok(entries), Some(FOLLOWING), &outgoing);
    }
}

impl Known {
    /// As far as there is something to be known.
    fn read<R: Read>(entries: &mut tar::Entries<'_, R>, layers: usize) -> io::Result<Self> {
        let (mut found, mut left) = (Self::default(), MOST);
        while !found.is_whole(layers) {
            let Some(entry) = entries.next() else { break };
            let mut entry = entry?;
            let path = String::from_utf8_lossy(below(&entry.path_bytes())).into_owned();
            let layer =
                path.split_once('/').and_then(|(layer, file)| Some((layer.parse::<usize>().ok()?, file)));
            let is_wanted = match layer {
                Some((_, file)) => matches!(file, CACHE_ID | TAR_SPLIT),
                None => path == CONFIG,
            };
            if !is_wanted {
                continue;
            }
            left = left.checked_sub(entry.size()).ok_or(io::ErrorKind::FileTooLarge)?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            match layer {
                None => found.config = Some(bytes),
                Some((layer, TAR_SPLIT)) => drop(found.splits.insert(layer, Split::new(bytes.into()))),
                Some((layer, _)) => {
                    let name = String::from_utf8(bytes).map_err(io::Error::other)?;
                    if !is_name(&name) {
                        return Err(io::Error::other("the name of a layer's folder"));
                    }
                    found.folders.insert(layer, name);
                }
            }
        }
        Ok(found)
    }

    fn is_whole(&self, layers: usize) -> bool {
        self.config.is_some() && self.folders.len() == layers && self.splits.len() == layers
    }

    pub(super) fn layer(&mut self, at: usize) -> io::Result<(String, Split)> {
        let found = self.folders.remove(&at).zip(self.splits.remove(&at));
        found.ok_or_else(|| io::Error::other("a layer of which the engine's store knows nothing"))
    }
}
