//! The icon's pictures, in the sizes that bars have.

use super::{IconState, tone::Tone};
use std::io;

/// Width, height, and four bytes a pixel: alpha, red, green, blue (StatusNotifierItem, `IconPixmap`).
pub type Pixmap = (i32, i32, Vec<u8>);

macro_rules! sizes {
    ($name:literal) => {
        [
            include_bytes!(concat!("../../../icons/tray/", $name, "-16.png")).as_slice(),
            include_bytes!(concat!("../../../icons/tray/", $name, "-22.png")).as_slice(),
            include_bytes!(concat!("../../../icons/tray/", $name, "-24.png")).as_slice(),
            include_bytes!(concat!("../../../icons/tray/", $name, "-32.png")).as_slice(),
            include_bytes!(concat!("../../../icons/tray/", $name, "-48.png")).as_slice(),
        ]
    };
}

/// The picture for that state on that bar, in every size.
pub fn pixmaps(state: IconState, tone: Tone) -> Vec<Pixmap> {
    files(state, tone)
        .into_iter()
        .filter_map(|file| {
            read(file)
                .inspect_err(|error| tracing::error!(%error, "a picture of our own cannot be read"))
                .ok()
        })
        .collect()
}

fn files(state: IconState, tone: Tone) -> [&'static [u8]; 5] {
    match (state, tone) {
        (IconState::Idle, Tone::DarkBar) => sizes!("idle-on-dark"),
        (IconState::Idle, Tone::LightBar) => sizes!("idle-on-light"),
        (IconState::Connecting, Tone::DarkBar) => sizes!("connecting-on-dark"),
        (IconState::Connecting, Tone::LightBar) => sizes!("connecting-on-light"),
        (IconState::Up, Tone::DarkBar) => sizes!("up-on-dark"),
        (IconState::Up, Tone::LightBar) => sizes!("up-on-light"),
        (IconState::Busy, Tone::DarkBar) => sizes!("busy-on-dark"),
        (IconState::Busy, Tone::LightBar) => sizes!("busy-on-light"),
        (IconState::Error, Tone::DarkBar) => sizes!("error-on-dark"),
        (IconState::Error, Tone::LightBar) => sizes!("error-on-light"),
    }
}

fn read(file: &[u8]) -> io::Result<Pixmap> {
    let (frame, mut pixels) = decoded(file)?;
    for pixel in pixels.chunks_exact_mut(4) {
        pixel.rotate_right(1);
    }
    let size = |pixels: u32| i32::try_from(pixels).map_err(|_| io::Error::from(io::ErrorKind::InvalidData));
    Ok((size(frame.width)?, size(frame.height)?, pixels))
}

/// Four bytes a pixel, alpha last.
fn decoded(file: &[u8]) -> io::Result<(png::OutputInfo, Vec<u8>)> {
    let mut decoder = png::Decoder::new(io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(io::ErrorKind::InvalidData)?];
    let frame = reader.next_frame(&mut pixels)?;
    if frame.color_type != png::ColorType::Rgba {
        return Err(io::ErrorKind::InvalidData.into());
    }
    pixels.truncate(frame.buffer_size());
    Ok((frame, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_picture_of_its_own_in_every_size() {
        let mut seen: Vec<Vec<Pixmap>> = Vec::new();
        for state in
            [IconState::Idle, IconState::Connecting, IconState::Up, IconState::Busy, IconState::Error]
        {
            for tone in [Tone::DarkBar, Tone::LightBar] {
                let pictures = pixmaps(state, tone);
                let sizes: Vec<i32> = pictures.iter().map(|(width, _, _)| *width).collect();
                assert_eq!(sizes, [16, 22, 24, 32, 48], "{state:?}");
                for (width, height, bytes) in &pictures {
                    assert_eq!(bytes.len(), usize::try_from(width * height * 4).unwrap());
                    assert_eq!(bytes[0], 0, "the corner is clear: alpha comes first");
                }
                assert!(!seen.contains(&pictures), "{state:?} {tone:?}");
                seen.push(pictures);
            }
        }
    }
}
