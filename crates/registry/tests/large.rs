//! An image larger than memory. In a program of its own, since what it asserts is the most memory that this one ever had.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    time::Instant,
};
use support::{Registry, line::Line, tar_of};

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_sparse_layer_of_ten_gigabytes_is_sent_as_the_little_it_is() {
    const SIZE: u64 = 10_000_000_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    let mut hash = Sha256::new();
    let zeros = vec![0; 10_000_000];
    (0..SIZE / 10_000_000).for_each(|_| hash.update(&zeros));
    let diff_id: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#);
    let manifest = r#"[{"Config":"config.json","RepoTags":["app:v1"],"Layers":["layer.tar"]}]"#;
    let mut tar = tar_of([("config.json", config.into_bytes()), ("manifest.json", manifest.into())]);
    // Its end: two blocks of zeros, which the layer goes before.
    tar.truncate(tar.len() - 1024);
    let mut header = tar::Header::new_gnu();
    header.set_path("layer.tar").unwrap();
    header.set_size(SIZE);
    header.set_mode(0o644);
    header.set_cksum();
    let mut file = File::create(&path).unwrap();
    file.write_all(&tar).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.seek(SeekFrom::Current(i64::try_from(SIZE.next_multiple_of(512) + 1024).unwrap() - 1)).unwrap();
    file.write_all(&[0]).unwrap();

    let registry = Registry::built_in().await;
    let line = Line::to(registry.address).await;
    let begin = Instant::now();
    line.client().push_archive(&path, "sparse", "v1", |_, _, _| ()).await.unwrap();
    let sent = line.take();
    let peak = fs::read_to_string("/proc/self/status").unwrap();
    let peak =
        peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default().trim().to_owned();
    eprintln!("10 GB of zeros: {:?}, {} KiB sent, at most {peak} of memory", begin.elapsed(), sent >> 10);
    assert!(sent < 60 * MIB, "{sent}");
    let kib: u64 = peak.split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
    assert!(kib < 200 << 10, "{peak}");
}
