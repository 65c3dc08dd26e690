//! Whether the bar that the tray sits in is dark or light.

/// The bar's brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Wants a light glyph.
    DarkBar,
    /// Wants a dark glyph.
    LightBar,
}
