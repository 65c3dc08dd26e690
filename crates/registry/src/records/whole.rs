//! Registries that take no layer in pieces, as they have shown.

use super::{MOST_REGISTRIES, Records, now};
use std::sync::PoisonError;

/// Seconds after which pieces are tried once more: a registry, or what stands before it, is replaced now and then.
const LASTS: u64 = 30 * 24 * 3600;

impl Records {
    /// Whether the registry has refused a layer in pieces lately.
    pub(crate) fn wants_layers_whole(&self, registry: &str) -> bool {
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        layers.whole.get(registry).is_some_and(|since| now().saturating_sub(*since) < LASTS)
    }

    /// The registry has refused a layer in pieces.
    pub(crate) fn note_whole(&self, registry: &str) {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        layers.whole.insert(registry.to_owned(), now());
        while layers.whole.len() > MOST_REGISTRIES {
            let Some(oldest) = layers.whole.iter().min_by_key(|(_, since)| **since) else { return };
            let oldest = oldest.0.clone();
            layers.whole.remove(&oldest);
        }
    }

    /// It has refused the same layer as a whole: that was not the reason.
    pub(crate) fn forget_whole(&self, registry: &str) {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner).whole.remove(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_took_no_pieces_is_tried_again_after_a_month() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::in_folder(folder.path());
        assert!(!records.wants_layers_whole("a:1"));
        records.note_whole("a:1");
        records.note_whole("b:1");
        records.forget_whole("b:1");
        records.save();

        let records = Records::in_folder(folder.path());
        assert!(records.wants_layers_whole("a:1") && !records.wants_layers_whole("b:1"));
        records.layers.lock().unwrap().whole.insert("a:1".to_owned(), now() - LASTS);
        assert!(!records.wants_layers_whole("a:1"));
    }

    #[test]
    fn there_is_no_end_of_registries_but_of_the_list() {
        let records = Records::nowhere();
        for n in 0..MOST_REGISTRIES + 3 {
            records.note_whole(&format!("cr{n}:5000"));
        }
        assert_eq!(records.layers.lock().unwrap().whole.len(), MOST_REGISTRIES);
    }
}
