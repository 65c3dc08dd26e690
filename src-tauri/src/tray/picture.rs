//! The icon's pictures, in the sizes that bars have.

use super::{IconState, tone::Tone};
use std::io;

/// Width, height, and four bytes a pixel: alpha, red, green, blue (StatusNotifierItem, `IconPixmap`).
#[cfg(any(target_os = "linux", test))]
pub type Pixmap = (i32, i32, Vec<u8>);

/// A picture of one size.
#[cfg(any(target_os = "macos", windows, test))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its width and height.
    pub side: u32,
    /// Four bytes a pixel: red, green, blue, alpha.
    pub pixels: Vec<u8>,
}

/// The pictures' sizes, in the order of [`files`].
#[cfg(any(target_os = "macos", windows, test))]
const SIDES: [u32; 5] = [16, 22, 24, 32, 48];

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
#[cfg(any(target_os = "linux", test))]
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

/// The picture for that state on that bar whose pixels are the bar's own, or the next larger one.
///
/// # Errors
/// If a picture of our own cannot be read.
#[cfg(any(windows, test))]
pub fn fitting(state: IconState, tone: Tone, side: u32) -> io::Result<Picture> {
    let at = SIDES.iter().position(|known| *known >= side).unwrap_or(SIDES.len() - 1);
    let (frame, pixels) = decoded(files(state, tone)[at])?;
    Ok(Picture { side: frame.width, pixels })
}

/// The shape of that state for a bar that colours it by itself: the ink alone, in black. The halo is dark under light
/// ink, so what shines is ink, however thin it is where the two meet.
///
/// # Errors
/// If a picture of our own cannot be read.
#[cfg(any(target_os = "macos", test))]
pub fn template(state: IconState) -> io::Result<Picture> {
    let (frame, mut pixels) = decoded(files(state, Tone::DarkBar)[SIDES.len() - 1])?;
    for pixel in pixels.chunks_exact_mut(4) {
        let [red, _, _, alpha] = pixel else { continue };
        let ink = u16::from(*red) * u16::from(*alpha) / 255;
        pixel.copy_from_slice(&[0, 0, 0, u8::try_from(ink).unwrap_or(u8::MAX)]);
    }
    Ok(Picture { side: frame.width, pixels })
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

#[cfg(any(target_os = "linux", test))]
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

    #[test]
    fn a_bar_gets_the_picture_of_its_size_or_the_next_larger_one() {
        for (wanted, side) in [(1, 16), (16, 16), (20, 22), (24, 24), (25, 32), (40, 48), (64, 48)] {
            let picture = fitting(IconState::Busy, Tone::LightBar, wanted).unwrap();
            assert_eq!(picture.side, side, "{wanted}");
            assert_eq!(picture.pixels.len(), usize::try_from(side * side * 4).unwrap());
        }
        let (of_dark, of_light) = (Tone::DarkBar, Tone::LightBar);
        assert_ne!(
            fitting(IconState::Up, of_dark, 16).unwrap(),
            fitting(IconState::Up, of_light, 16).unwrap()
        );
    }

    #[test]
    fn a_template_is_black_ink_without_a_halo() {
        let mut seen = Vec::new();
        for state in
            [IconState::Idle, IconState::Connecting, IconState::Up, IconState::Busy, IconState::Error]
        {
            let template = template(state).unwrap();
            let haloed = fitting(state, Tone::DarkBar, 48).unwrap();
            assert_eq!(template.side, haloed.side);
            let (mut ink, mut cleared) = (0, 0);
            for (black, coloured) in template.pixels.chunks(4).zip(haloed.pixels.chunks(4)) {
                assert_eq!(black[..3], [0, 0, 0]);
                match (coloured, black[3]) {
                    ([255, 255, 255, 255], alpha) => {
                        assert_eq!(alpha, 255, "ink stays");
                        ink += 1;
                    }
                    ([0, 0, 0, 1..=255], alpha) => {
                        assert_eq!(alpha, 0, "the halo goes");
                        cleared += 1;
                    }
                    (_, alpha) => assert!(alpha <= coloured[3]),
                }
            }
            assert!(ink > 100 && cleared > 20, "{state:?}: {ink}, {cleared}");
            assert!(!seen.contains(&template), "{state:?}");
            seen.push(template);
        }
    }
}
