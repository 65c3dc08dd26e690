//! Embeds the window's page and lists the commands it may call.

use std::path::Path;

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
    let commands = tauri_build::AppManifest::new().commands(&[
        "announce",
        "dispatch",
        "demo_sample",
        "choose_file",
        "choose_save",
        "save_team_file",
        "take_wish",
    ]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands)) {
        println!("cargo:error=tauri-build: {error:#}");
        std::process::exit(1);
    }
}
