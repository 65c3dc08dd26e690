//! Figures beside other tools': measured in turns within one run, so that whatever else the machine does hits all
//! sides.

mod byte_server;
mod report;

pub use byte_server::{download, round_trip, serve, upload};
pub use report::{Heading, json, markdown, table};

use serde::Serialize;

/// What a figure counts, and which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Throughput.
    Higher,
    /// Time, memory.
    Lower,
}

/// The values of one side, as they came.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// One more value.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// How many values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The median, and the smallest and the largest.
    ///
    /// # Panics
    /// When there is no value.
    #[must_use]
    pub fn median_and_spread(&self) -> (f64, [f64; 2]) {
        let mut values = self.0.clone();
        values.sort_by(f64::total_cmp);
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            panic!("a figure needs at least one measurement");
        };
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        (median, [*first, *last])
    }
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Target {
    /// The ratio, at least.
    pub ratio: Option<f64>,
    /// Our own median: at least, or at most, whichever way the unit goes.
    pub ours: Option<f64>,
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
    /// How many times each side was measured, in turns.
    pub pairs: usize,
    /// Smallest and largest of our side.
    pub ours_spread: [f64; 2],
    /// Smallest and largest of the other's.
    pub peer_spread: [f64; 2],
    /// What is wanted.
    pub target: Target,
    /// Whether that is so; `None` where nothing is.
    pub reached: Option<bool>,
}

impl Figure {
    /// Compares what was measured.
    ///
    /// # Panics
    /// When a side was not measured.
    #[must_use]
    pub fn of(id: &str, unit: &str, better: Better, ours: &Sample, peer: &Sample, target: Target) -> Self {
        let pairs = ours.len().min(peer.len());
        let (ours, ours_spread) = ours.median_and_spread();
        let (peer, peer_spread) = peer.median_and_spread();
        let (ratio, is_enough): (f64, fn(f64, f64) -> bool) = match better {
            Better::Higher => (ours / peer, |value, bound| value >= bound),
            Better::Lower => (peer / ours, |value, bound| value <= bound),
        };
        let of_ratio = target.ratio.map(|bound| ratio >= bound);
        let of_ours = target.ours.map(|bound| is_enough(ours, bound));
        let reached = match (of_ratio, of_ours) {
            (None, None) => None,
            (of_ratio, of_ours) => Some(of_ratio.unwrap_or(true) && of_ours.unwrap_or(true)),
        };
        Self {
            id: id.to_owned(),
            ours,
            peer,
            ratio,
            unit: unit.to_owned(),
            pairs,
            ours_spread,
            peer_spread,
            target,
            reached,
        }
    }
}

/// The value that 99 of 100 do not exceed.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * 99).div_ceil(100);
    values[rank.max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample(values.to_vec())
    }

    #[test]
    fn ratios_are_over_one_when_we_are_better() {
        let target = Target { ratio: Some(2.0), ours: None };
        let figure =
            Figure::of("up", "MiB/s", Better::Higher, &sample(&[20.0; 3]), &sample(&[10.0; 3]), target);
        assert!((figure.ratio - 2.0).abs() < 1e-9);
        assert_eq!((figure.pairs, figure.reached), (3, Some(true)));
        let target = Target { ratio: Some(1.0), ours: Some(40.0) };
        let figure = Figure::of("connect", "ms", Better::Lower, &sample(&[50.0]), &sample(&[100.0]), target);
        assert!((figure.ratio - 2.0).abs() < 1e-9);
        assert_eq!(figure.reached, Some(false));
    }

    #[test]
    fn medians_ignore_one_outlier() {
        assert_eq!(sample(&[9.0, 1.0, 2.0]).median_and_spread(), (2.0, [1.0, 9.0]));
        assert_eq!(sample(&[4.0, 2.0]).median_and_spread(), (3.0, [2.0, 4.0]));
    }

    #[test]
    fn the_99th_of_a_hundred() {
        assert_eq!(p99((1..=100).map(f64::from).collect()), 99.0);
        assert_eq!(p99(vec![7.0]), 7.0);
        assert_eq!(p99((1..=1000).map(f64::from).collect()), 990.0);
    }
}
