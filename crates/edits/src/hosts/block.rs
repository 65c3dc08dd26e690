//! Finding our block.

/// First line of the block.
pub const BEGIN: &str = "# BEGIN dockline";
/// Last line of the block.
pub const END: &str = "# END dockline";
