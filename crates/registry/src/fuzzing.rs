//! What has to hold for any bytes; run by `tests/fuzz`.

use crate::{
    Digest, Reference,
    archive::{self, Tarball, Wish},
    client::fuzzing as client,
};
use std::io::Write as _;

/// An image archive: whatever it holds, it is read or refused, and no layer reaches beyond the file.
///
/// # Panics
/// When that does not hold.
pub fn archive(data: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    file.write_all(data).expect("a temporary file can be written");
    if let Ok(tarball) = Tarball::open(file.path()) {
        for wish in [
            Wish::Like { repository: "app", tag: "v1" },
            Wish::Named(&"cr.boss.org/app:v1".parse().expect("a reference")),
        ] {
            for (all_platforms, referrers) in [(true, true), (false, true)] {
                let Ok(Some(whole)) = archive::gather(&tarball, &wish, all_platforms, referrers) else {
                    continue;
                };
                for blob in &whole.blobs {
                    let read = std::io::copy(&mut tarball.reader(blob.section), &mut std::io::sink());
                    assert!(read.is_ok_and(|read| read == blob.section.size), "{blob:?}");
                }
                let known: Vec<&Digest> = whole.manifests.iter().map(|part| &part.digest).collect();
                assert!(
                    known.iter().enumerate().all(|(at, digest)| !known[..at].contains(digest)),
                    "{known:?}"
                );
            }
            let Ok(selected) = archive::select(&tarball, &wish) else { continue };
            for layer in selected.layers {
                let read = std::io::copy(&mut tarball.reader(layer.section), &mut std::io::sink());
                let is_elsewhere = matches!(layer.kind, archive::LayerKind::Elsewhere { .. });
                assert!(is_elsewhere || read.is_ok_and(|read| read == layer.section.size), "{layer:?}");
            }
        }
    }
    client::export(data);
}

/// A manifest or an index from a registry.
pub fn manifest(data: &[u8]) {
    client::manifest(data);
}

/// What a registry says of the ways in that it offers (`WWW-Authenticate`): what is understood of it reads the same when
/// it is written down again.
///
/// # Panics
/// When that does not hold.
pub fn challenges(data: &[u8]) {
    let Ok(header) = str::from_utf8(data) else { return };
    client::challenges(header);
}

/// A reference reads back as it is written, and stays the same with a host in front and without.
///
/// # Panics
/// When that does not hold.
pub fn reference(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
    let Ok(reference) = text.parse::<Reference>() else { return };
    let written = reference.to_string();
    assert_eq!(written.parse::<Reference>().as_ref(), Ok(&reference), "{written}");
    let without = reference.without_host();
    assert!(without.host().is_none());
    if let Ok(moved) = reference.with_host("cr.boss.org:5000") {
        assert_eq!(moved.without_host(), without);
        assert_eq!(moved.to_string().parse::<Reference>().as_ref(), Ok(&moved));
    }
}
