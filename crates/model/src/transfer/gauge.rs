//! How much of a transfer is done, as a figure that never runs backwards.

use super::{LayerView, TransferView};

/// What is counted in here: fine enough that many small steps are not lost.
const ALL: u64 = 1_000_000_000;
/// As far as a transfer comes before its end, in thousandths: full means finished.
const ALMOST: u64 = 995;

/// Makes one transfer's [`TransferView::share`] of its figures.
///
/// `total` grows while the sizes of layers are being told, so what is done becomes a smaller part of it: a figure that
/// followed would run backwards, which is a lie about work that was done, and one that waited until it was right again
/// would stand still for most of a push. So it goes on from where it is, more slowly: each step takes as much of what is
/// left of it as was done of what is left of the bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauge {
    /// What was told, in billionths.
    told: u64,
    /// What it would have been without the past; `None` before there was anything to measure.
    seen: Option<u64>,
}

impl Gauge {
    /// The share in thousandths, at these figures; `None` while there is nothing to measure. Less than
    /// [`TransferView::WHOLE`], since bytes that have moved are not yet a transfer that is done.
    pub fn read(&mut self, layers: &[LayerView], current: u64, total: u64) -> Option<u16> {
        if let Some(now) = measured(layers, current, total) {
            let before = self.seen.unwrap_or_default();
            let (gained, was_left) = (now.saturating_sub(before), (ALL - before).max(1));
            // Neither factor is above a billion.
            self.told += (ALL - self.told) * gained / was_left;
            self.seen = Some(now);
        }
        self.seen?;
        let share = (self.told * u64::from(TransferView::WHOLE) / ALL).min(ALMOST);
        u16::try_from(share).ok()
    }
}

/// The part of `total` that `current` is, in billionths. `total` is about the layers whose size is known: the others are
/// taken to be like them, so that two layers of sixty are not nearly everything.
fn measured(layers: &[LayerView], current: u64, total: u64) -> Option<u64> {
    let of_known = (u128::from(current.min(total)) * u128::from(ALL)).checked_div(u128::from(total))?;
    let known = layers.iter().filter(|layer| !layer.is_unsized()).count() as u128;
    let part = (of_known * known).checked_div(layers.len() as u128).unwrap_or(of_known);
    u64::try_from(part).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LayerState;

    fn layer(state: LayerState, total: Option<u64>) -> LayerView {
        LayerView { id: "a".to_owned(), state, current: 0, total }
    }

    fn once(layers: &[LayerView], current: u64, total: u64) -> Option<u16> {
        Gauge::default().read(layers, current, total)
    }

    #[test]
    fn two_layers_of_sixty_are_not_nearly_everything() {
        let mut layers = vec![layer(LayerState::Waiting, None); 60];
        assert_eq!(once(&layers, 0, 0), None, "nothing to measure");
        for known in &mut layers[..2] {
            *known = layer(LayerState::Done, Some(50));
        }
        assert_eq!(once(&layers, 100, 100), Some(33));
        // Those that are there already need no size.
        layers[2..].fill(layer(LayerState::Exists, None));
        assert_eq!(once(&layers, 50, 100), Some(500));
    }

    #[test]
    fn it_is_whole_only_at_the_end() {
        let layers = [layer(LayerState::Transferring, Some(10))];
        assert_eq!(once(&layers, 0, 10), Some(0));
        assert_eq!(once(&layers, 10, 10), Some(995));
        assert_eq!(once(&layers, u64::MAX, u64::MAX), Some(995));
        assert_eq!(once(&[], u64::MAX / 2, u64::MAX), Some(499));
    }

    #[test]
    fn a_layer_that_turns_out_large_neither_sets_it_back_nor_stops_it() {
        let small = layer(LayerState::Done, Some(10));
        let mut gauge = Gauge::default();
        let before = [small.clone(), layer(LayerState::Waiting, None)];
        assert_eq!(gauge.read(&before, 10, 10), Some(500));
        // Ten of a thousand, in truth.
        let layers = [small, layer(LayerState::Transferring, Some(990))];
        assert_eq!(gauge.read(&layers, 10, 1000), Some(500));
        assert_eq!(gauge.read(&layers, 505, 1000), Some(750), "half of the rest");
        assert_eq!(gauge.read(&[], 0, 0), Some(750), "a second try, of which nothing is known yet");
        assert_eq!(gauge.read(&layers, 505, 1000), Some(750));
        assert_eq!(gauge.read(&layers, 1000, 1000), Some(995));
    }

    #[test]
    fn many_small_steps_are_not_lost() {
        let layers = [layer(LayerState::Transferring, Some(100_000))];
        let mut gauge = Gauge::default();
        let last = (0..=50_000).filter_map(|moved| gauge.read(&layers, moved, 100_000)).last();
        assert!(matches!(last, Some(499 | 500)), "{last:?}");
    }
}
