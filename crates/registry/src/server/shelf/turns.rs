//! Which layers go first. A host unpacks an image from the bottom up, one layer after the other, and asks for several at once:
//! the sooner the lowest is there, the sooner it begins, and unpacks while the others arrive.

use futures::{Stream, StreamExt as _};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// How long a piece waits at most: nobody is to think that an answer has died.
const PATIENCE: Duration = Duration::from_millis(100);

/// The layers on their way: how many answers there are to each, by its place in the image.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<watch::Sender<BTreeMap<usize, usize>>>);

/// One answer, until it is dropped.
struct Turn {
    turns: Turns,
    rank: usize,
}

impl Turns {
    /// `pieces` of the layer at `rank`, 0 being the bottom: each waits while pieces of lower layers are on their way.
    pub(super) fn in_turn<S: Stream>(&self, rank: usize, pieces: S) -> impl Stream<Item = S::Item> + use<S> {
        self.0.send_modify(|under_way| *under_way.entry(rank).or_default() += 1);
        let turn = Arc::new(Turn { turns: self.clone(), rank });
        pieces.then(move |piece| {
            let turn = turn.clone();
            async move {
                turn.come().await;
                piece
            }
        })
    }
}

impl Turn {
    async fn come(&self) {
        let mut under_way = self.turns.0.subscribe();
        let is_ours = |under_way: &BTreeMap<usize, usize>| {
            under_way.first_key_value().is_none_or(|(lowest, _)| *lowest >= self.rank)
        };
        // Too late is a turn as well.
        let _ = timeout(PATIENCE, under_way.wait_for(is_ours)).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.send_modify(|under_way| {
            if let Some(count) = under_way.get_mut(&self.rank) {
                *count -= 1;
                if *count == 0 {
                    under_way.remove(&self.rank);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{poll, stream};
    use std::{pin::pin, time::Instant};

    #[tokio::test]
    async fn the_lowest_layer_goes_first_and_the_others_never_stand_still() {
        let turns = Turns::default();
        let mut upper = pin!(turns.in_turn(2, stream::iter(1..=4)));
        assert_eq!(upper.next().await, Some(1), "nobody else is there");
        {
            let mut lower = pin!(turns.in_turn(0, stream::iter(1..=2)));
            assert_eq!(lower.next().await, Some(1));
            let begin = Instant::now();
            assert_eq!(upper.next().await, Some(2));
            assert!(begin.elapsed() >= PATIENCE, "it did not wait");
            let mut next = pin!(upper.next());
            assert!(poll!(&mut next).is_pending());
            assert_eq!(lower.next().await, Some(2));
            assert!(poll!(&mut next).is_pending());
        }
    }

    #[tokio::test]
    async fn an_answer_that_ends_lets_the_next_layer_come() {
        let turns = Turns::default();
        let lower = turns.in_turn(0, stream::iter(1..=1));
        let mut upper = pin!(turns.in_turn(1, stream::iter(1..=2)));
        let mut next = pin!(upper.next());
        assert!(poll!(&mut next).is_pending());
        drop(lower);
        assert!(poll!(&mut next).is_ready());
    }
}
