//! Figures beside another tool's: pairs measured in turns, so that whatever else the machine does hits both sides.

mod byte_server;

pub use byte_server::{download, round_trip, serve, upload};

use serde::Serialize;
use std::{fs, path::Path};

/// What a figure counts, and which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Throughput.
    Higher,
    /// Time, memory.
    Lower,
}

/// One line of `target/bench/NAME.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Stable name.
    pub id: String,
    /// Median of our side.
    pub ours: f64,
    /// Median of the other's.
    pub peer: f64,
    /// How much better we are: over 1 is better, whichever way the unit goes.
    pub ratio: f64,
    /// What `ours` and `peer` count.
    pub unit: String,
    /// How many pairs were measured.
    pub pairs: usize,
    /// Smallest and largest of our side.
    pub ours_spread: [f64; 2],
    /// Smallest and largest of the other's.
    pub peer_spread: [f64; 2],
}

impl Figure {
    /// Measures `pairs` times each side in turns; who begins changes from pair to pair.
    ///
    /// # Panics
    /// When `pairs` is 0.
    pub fn measure(
        id: &str,
        unit: &str,
        better: Better,
        pairs: usize,
        mut ours: impl FnMut() -> f64,
        mut peer: impl FnMut() -> f64,
    ) -> Self {
        let (mut our_values, mut peer_values) = (Vec::new(), Vec::new());
        for pair in 0..pairs {
            if pair % 2 == 0 {
                our_values.push(ours());
                peer_values.push(peer());
            } else {
                peer_values.push(peer());
                our_values.push(ours());
            }
        }
        let (ours, ours_spread) = median_and_spread(our_values);
        let (peer, peer_spread) = median_and_spread(peer_values);
        let ratio = match better {
            Better::Higher => ours / peer,
            Better::Lower => peer / ours,
        };
        Self { id: id.to_owned(), ours, peer, ratio, unit: unit.to_owned(), pairs, ours_spread, peer_spread }
    }
}

fn median_and_spread(mut values: Vec<f64>) -> (f64, [f64; 2]) {
    values.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        panic!("a figure needs at least one measurement");
    };
    let middle = values.len() / 2;
    let median =
        if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
    (median, [*first, *last])
}

/// Prints a table for people and writes the list for programs.
///
/// # Panics
/// When the file cannot be written.
pub fn report(figures: &[Figure], peer: &str, path: &Path) {
    println!(
        "{:<22} {:>9} {:>9} {:>7}  {:<6} {:>17} {:>17}  pairs",
        "", "Dockline", peer, "ratio", "", "Dockline from-to", "peer from-to"
    );
    for figure in figures {
        let spread = |[low, high]: [f64; 2]| format!("{low:.1}-{high:.1}");
        println!(
            "{:<22} {:>9.1} {:>9.1} {:>7.2}  {:<6} {:>17} {:>17}  {}",
            figure.id,
            figure.ours,
            figure.peer,
            figure.ratio,
            figure.unit,
            spread(figure.ours_spread),
            spread(figure.peer_spread),
            figure.pairs
        );
    }
    let text = serde_json::to_string_pretty(figures).expect("figures are plain numbers");
    fs::write(path, text + "\n")
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
    println!("\nMedians; a ratio over 1 is better than {peer}. Written to {}.", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_over_one_when_we_are_better() {
        let figure = Figure::measure("up", "MiB/s", Better::Higher, 3, || 20.0, || 10.0);
        assert!((figure.ratio - 2.0).abs() < 1e-9);
        let figure = Figure::measure("connect", "ms", Better::Lower, 2, || 50.0, || 100.0);
        assert!((figure.ratio - 2.0).abs() < 1e-9);
    }

    #[test]
    fn medians_ignore_one_outlier() {
        assert_eq!(median_and_spread(vec![9.0, 1.0, 2.0]), (2.0, [1.0, 9.0]));
        assert_eq!(median_and_spread(vec![4.0, 2.0]), (3.0, [2.0, 4.0]));
    }
}
