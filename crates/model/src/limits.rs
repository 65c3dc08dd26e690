//! How fast a registry's tunnel may carry bytes.

use serde::{Deserialize, Serialize};

/// The most that a registry's tunnel may carry each way, all connections together, in bytes a second. Without a
/// figure it carries what the path can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TrafficLimits {
    /// To the registry.
    #[serde(default)]
    pub up: Option<u64>,
    /// From the registry.
    #[serde(default)]
    pub down: Option<u64>,
}

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a rate; write it as 500k, 2M or 1.5 MB/s (10k at least)")]
pub struct InvalidRate(pub String);

impl TrafficLimits {
    /// No slower than this: SSH packets and the registries' own patience need some room.
    pub const LEAST: u64 = 10_000;

    /// Whether there is none.
    #[must_use]
    pub const fn is_unlimited(&self) -> bool {
        self.up.is_none() && self.down.is_none()
    }

    /// Reads a rate: `500k`, `2M`, `1.5 MB/s`, `2 MiB`. Units are bytes; `k`, `M` and `G` are powers of 1000, `Ki`, `Mi`
    /// and `Gi` of 1024 (IEC 80000-13).
    ///
    /// # Errors
    /// If it is none, or below [`Self::LEAST`].
    pub fn parse_rate(text: &str) -> Result<u64, InvalidRate> {
        let invalid = || InvalidRate(text.to_owned());
        let plain = text.trim();
        let plain = plain.strip_suffix("/s").unwrap_or(plain);
        let digits = plain.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(plain.len());
        let (number, unit) = plain.split_at(digits);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let unit = unit.trim_start();
        let unit = unit.strip_suffix('B').unwrap_or(unit);
        let factor = match unit {
            "" => 1.0,
            "k" | "K" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "Ki" | "ki" => 1024.0,
            "Mi" => 1024.0 * 1024.0,
            "Gi" => 1024.0 * 1024.0 * 1024.0,
            _ => return Err(invalid()),
        };
        let rate = (number * factor).round();
        // Past 2^53 a float is no exact number of bytes any more, and no line is that fast.
        if rate < Self::LEAST as f64 || rate > 9e15 {
            return Err(invalid());
        }
        Ok(rate as u64)
    }

    /// A rate as [`Self::parse_rate`] reads it back: `2M`, `1500k`, `12345`.
    #[must_use]
    pub fn show_rate(rate: u64) -> String {
        for (factor, unit) in [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")] {
            if rate != 0 && rate.is_multiple_of(factor) {
                return format!("{}{unit}", rate / factor);
            }
        }
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::TrafficLimits;

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, rate) in [
            ("500k", 500_000),
            ("2M", 2_000_000),
            ("1.5 MB/s", 1_500_000),
            (" 2 MiB ", 2 << 20),
            ("1GiB/s", 1 << 30),
            ("12345", 12_345),
            ("64KB", 64_000),
        ] {
            assert_eq!(TrafficLimits::parse_rate(text).unwrap(), rate, "{text}");
        }
        for bad in ["", "fast", "M", "-1M", "1.2.3M", "5", "9k", "1 T", "2 Mbit/s", "1e9", "99999999G"] {
            assert!(TrafficLimits::parse_rate(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn rates_read_back_as_shown() {
        for rate in [10_000, 12_345, 1_500_000, 2 << 20, 1_000_000_000] {
            assert_eq!(TrafficLimits::parse_rate(&TrafficLimits::show_rate(rate)).unwrap(), rate);
        }
        assert_eq!(TrafficLimits::show_rate(1_500_000), "1500k");
    }
}
