//! Image archives that no engine has made.

use super::shell::run;
use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

/// Writes docker's layout at `path`: an image for `architecture` of one layer, with a file of that many random bytes, which
/// nothing packs.
///
/// # Panics
/// When a file cannot be written.
pub fn write_image(path: &Path, architecture: &str, bytes: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let at = |name: &str| folder.path().join(name);
    let inside = folder.path().display().to_string();
    let mut noise = File::open("/dev/urandom").expect("the kernel has noise").take(bytes);
    let mut file = File::create(at("noise")).expect("the folder is ours");
    std::io::copy(&mut noise, &mut file).expect("the folder is ours");
    let layer = at("layer.tar").display().to_string();
    run("tar", &["-C", &inside, "-cf", &layer, "noise"]);
    let sum = run("sha256sum", &[&layer]);
    let diff_id = sum.split_whitespace().next().expect("a digest and a name");
    let config = format!(
        r#"{{"os":"linux","architecture":"{architecture}","rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#
    );
    let manifest = r#"[{"Config":"config.json","RepoTags":["noise:v1"],"Layers":["layer.tar"]}]"#;
    fs::write(at("config.json"), config).expect("the folder is ours");
    fs::write(at("manifest.json"), manifest).expect("the folder is ours");
    let archive = path.display().to_string();
    run("tar", &["-C", &inside, "-cf", &archive, "manifest.json", "config.json", "layer.tar"]);
}
