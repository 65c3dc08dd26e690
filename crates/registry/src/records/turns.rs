//! Layers under way: the same one is sent to a registry by one push at a time.

use super::Records;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

/// What is being sent at present.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    names: Mutex<BTreeSet<String>>,
    ended: Notify,
}

/// Leave to send some layers, which no other push of this account sends to the same registry while this lives.
#[derive(Debug)]
pub struct Turns {
    names: Vec<String>,
    all: Arc<UnderWay>,
    /// Whether another push had one of them: the registry may have it by now.
    pub had_to_wait: bool,
}

impl Drop for Turns {
    fn drop(&mut self) {
        let mut under_way = self.all.names.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            under_way.remove(name);
        }
        drop(under_way);
        self.all.ended.notify_waiters();
    }
}

impl Records {
    /// Waits until no other push sends any of these layers to `registry`: the same layer need not go there twice at
    /// once. Whatever the caller calls a layer, the others have to call it, too.
    pub async fn turns(&self, registry: &str, layers: impl IntoIterator<Item = String>) -> Turns {
        // In one order for everybody, so that no two wait for each other.
        let wanted: BTreeSet<String> =
            layers.into_iter().map(|layer| format!("{registry} {layer}")).collect();
        let mut turns = Turns { names: Vec::new(), all: self.turns.clone(), had_to_wait: false };
        for name in wanted {
            loop {
                let mut ended = std::pin::pin!(self.turns.ended.notified());
                // From here on no end is missed.
                ended.as_mut().enable();
                let is_free =
                    self.turns.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
                if is_free {
                    break;
                }
                turns.had_to_wait = true;
                ended.await;
            }
            turns.names.push(name);
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_layer_is_sent_by_one_push_at_a_time() {
        let records = Arc::new(Records::nowhere());
        let layers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let first = records.turns("a:1", layers(&["x", "y"])).await;
        assert!(!first.had_to_wait);
        assert!(
            !records.turns("b:1", layers(&["x"])).await.had_to_wait,
            "another registry is another matter"
        );
        assert!(!records.turns("a:1", layers(&["z", "z"])).await.had_to_wait, "the same twice is once");
        // Two that want each other's: both come to an end.
        let waiting: Vec<_> = [["y", "z"], ["z", "y"], ["x", "y"]]
            .into_iter()
            .map(|names| {
                let (records, names) = (records.clone(), layers(&names));
                tokio::spawn(async move { records.turns("a:1", names).await.had_to_wait })
            })
            .collect();
        // One thread runs all of them: each has come as far as it can.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(waiting.iter().all(|task| !task.is_finished()));
        drop(first);
        for task in waiting {
            assert!(task.await.unwrap());
        }
        // Who stops waiting lets go of what it has.
        let held = records.turns("a:1", layers(&["b"])).await;
        let waits =
            tokio::time::timeout(Duration::from_millis(50), records.turns("a:1", layers(&["a", "b"])));
        assert!(waits.await.is_err());
        assert!(!records.turns("a:1", layers(&["a"])).await.had_to_wait);
        drop(held);
    }
}
