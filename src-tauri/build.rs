//! Embeds the window's page, lists the commands it may call, and has the linker make the programs small.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

/// Has functions that are the same code stand in a program once.
const SMALLER: &str = "-Wl,--icf=all";

fn main() {
    let page = Path::new("../ui/dist/index.html");
    println!("cargo:rerun-if-changed=../ui/dist");
    println!("cargo:rerun-if-changed=../icons");
    if !page.exists() {
        println!(
            "cargo:error=The window's page is not built: ui/dist/index.html is missing. \
             Run `npm ci && npm run build` in ui/, then build again."
        );
        std::process::exit(1);
    }
    link_small();
    let commands = tauri_build::AppManifest::new().commands(&[
        "announce",
        "dispatch",
        "demo_sample",
        "choose_file",
        "choose_save",
        "keep_wishes",
        "open_release",
        "save_team_file",
        "take_wish",
    ]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands)) {
        println!("cargo:error=tauri-build: {error:#}");
        std::process::exit(1);
    }
}

/// Asks for [`SMALLER`] where a program is built to be given away and this machine's linker knows it. Rust brings one that
/// does, for some systems and in some distributions. (It knows packed relocations, too, for 0.6 MiB less; but glibc before
/// 2.36 cannot load those.)
fn link_small() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if !is("PROFILE", "release") || !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu")
    {
        return;
    }
    if links_with(SMALLER) {
        println!("cargo:rustc-link-arg-bins={SMALLER}");
    }
}

/// Whether a program that does nothing can be linked with it, as cargo would have it linked.
fn links_with(argument: &str) -> bool {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let program = Path::new(&variable("OUT_DIR")).join("nothing");
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--edition", "2024", "--target", &variable("TARGET"), "-C", &format!("link-arg={argument}")]);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.args(["-C", &format!("linker={linker}")]);
    }
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    rustc.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    let source = program.with_extension("rs");
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    rustc.arg("-o").arg(&program).arg(&source).stdout(Stdio::null()).stderr(Stdio::null());
    rustc.status().is_ok_and(|status| status.success())
}
