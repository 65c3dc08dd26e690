//! The layers of a transfer as they are now, told to one listener after every change.

use dockline_model::{LayerState, LayerView};
use std::sync::{Mutex, PoisonError};

/// Shared by the layers that move at once.
pub(crate) struct Board<F>(Mutex<Inner<F>>);

struct Inner<F> {
    layers: Vec<LayerView>,
    /// The overall figure never runs backwards, even where a layer begins again.
    current: u64,
    /// Bytes in all, at least, while layers are still being found.
    expected: u64,
    report: F,
}

impl<F: FnMut(&[LayerView], u64, u64) + Send> Board<F> {
    /// `layers`: each one's name and length in bytes.
    pub(crate) fn new(layers: impl IntoIterator<Item = (String, u64)>, report: F) -> Self {
        let layers = layers
            .into_iter()
            .map(|(id, total)| LayerView { id, state: LayerState::Waiting, current: 0, total: Some(total) })
            .collect();
        let board = Self(Mutex::new(Inner { layers, current: 0, expected: 0, report }));
        board.change(|_| ());
        board
    }

    /// Of layers that are yet to be found, with this many bytes or more.
    pub(crate) fn expecting(bytes: u64, report: F) -> Self {
        Self(Mutex::new(Inner { layers: Vec::new(), current: 0, expected: bytes, report }))
    }

    /// One more layer, and the number it goes by.
    pub(crate) fn add(&self, id: String, total: u64) -> usize {
        let mut number = 0;
        self.change(|layers| {
            number = layers.len();
            layers.push(LayerView { id, state: LayerState::Waiting, current: 0, total: Some(total) });
        });
        number
    }

    /// Bytes of one layer so far.
    pub(crate) fn advance(&self, layer: usize, current: u64) {
        self.change(|layers| {
            layers[layer].state = LayerState::Transferring;
            layers[layer].current = current.min(layers[layer].total.unwrap_or(u64::MAX));
        });
    }

    /// What a layer does now.
    pub(crate) fn state(&self, layer: usize, state: LayerState) {
        self.change(|layers| {
            match state {
                LayerState::Done | LayerState::Exists | LayerState::Mounted { .. } => {
                    layers[layer].current = layers[layer].total.unwrap_or_default();
                }
                LayerState::Retrying { .. } => layers[layer].current = 0,
                LayerState::Waiting | LayerState::Transferring | LayerState::Extracting => {}
            }
            layers[layer].state = state;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Vec<LayerView>)) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { layers, current, expected, report } = &mut *inner;
        change(layers);
        *current = (*current).max(layers.iter().map(|layer| layer.current).sum());
        report(layers, *current, layers.iter().filter_map(|layer| layer.total).sum::<u64>().max(*expected));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overall_figure_never_runs_backwards() {
        let mut seen = Vec::new();
        let board = Board::new([("a".to_owned(), 10), ("b".to_owned(), 5)], |_: &[LayerView], c, t| {
            seen.push((c, t))
        });
        board.advance(0, 8);
        board.state(0, LayerState::Retrying { seconds: 1 });
        board.advance(0, 4);
        board.state(1, LayerState::Exists);
        board.advance(0, 99);
        board.state(0, LayerState::Done);
        drop(board);
        assert_eq!(seen, [(0, 15), (8, 15), (8, 15), (8, 15), (9, 15), (15, 15), (15, 15)]);
    }
}
