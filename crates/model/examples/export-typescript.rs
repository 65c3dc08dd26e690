//! Writes the window's TypeScript types into the folder given; `cargo xtask bindings` runs it.

fn main() -> Result<(), ts_rs::ExportError> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "ui/src/generated".into());
    dockline_model::typescript::export(folder.as_ref())
}
