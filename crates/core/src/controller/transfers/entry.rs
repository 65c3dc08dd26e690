//! One transfer of the list, with the figures that it shows.

use super::{Entry, unix_now};
use crate::controller::{
    FaceId,
    meter::{Course, Meter, seconds_left},
    run::Job,
    share::Share,
};
use dockline_model::{Command, Gauge, LayerState, LayerView, TransferKind, TransferState, TransferView};
use dockline_registry::remove_parts;
use std::{mem, sync::Arc};
use tokio::{task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;

impl Entry {
    pub(super) fn new(
        view: TransferView,
        job: Option<Job>,
        command: Command,
        bound_to: Option<FaceId>,
    ) -> Self {
        Self {
            view,
            job,
            command,
            bound_to,
            cancel: CancellationToken::new(),
            is_halted: Arc::default(),
            may_have_left: false,
            replaces: None,
            figures: Arc::default(),
            meter: Meter::default(),
            gauge: Gauge::default(),
            share: Share::default(),
            has_task: false,
            is_halting: false,
        }
    }

    /// Takes over the newest figures. Progress never runs backwards: a second try starts from nothing, and its
    /// bar stands still until it has passed the first's.
    pub(super) fn read_figures(&mut self, now: Instant) {
        let (sent, current, total) = self.take_figures();
        self.view.sent = self.view.sent.max(sent.unwrap_or_default());
        let skipped = || self.view.layers.iter().filter(|layer| is_skipped(layer));
        let moved_by_nobody = skipped().map(|layer| layer.current).sum();
        self.view.skipped = skipped().filter_map(|layer| layer.total).sum();
        self.view.current = self.view.current.max(current);
        self.view.total = self.view.total.max(total).max(self.view.current);
        self.view.measure(&mut self.gauge, (current, total));
        self.view.rate = match self.view.state {
            TransferState::Running => self.meter.sample(now, sent.unwrap_or(self.view.current)),
            TransferState::Waiting
            | TransferState::Paused
            | TransferState::Verifying
            | TransferState::Done { .. }
            | TransferState::Failed { .. }
            | TransferState::Cancelled => None,
        };
        self.view.seconds_left = seconds_left(Course {
            current: self.view.current,
            total: self.view.total,
            skipped: moved_by_nobody,
            is_known: !self.view.layers.iter().any(LayerView::is_unsized),
            sent,
            rate: self.view.rate,
        });
    }

    /// Takes over the newest layers; bytes that crossed the way where those are counted, bytes so far, and in all.
    pub(super) fn take_figures(&mut self) -> (Option<u64>, u64, u64) {
        let mut latest = self.figures.latest();
        // Taken, since they need no second telling; the numbers stay.
        let layers = mem::take(&mut latest.layers);
        if !layers.is_empty() {
            self.view.layers = layers;
        }
        fill_in(&mut self.view.layers, &latest.stored);
        let sent = match (latest.sent, &latest.tunnel) {
            (Some(sent), _) => Some(sent),
            // As the tunnel has it, until the end; then as it was answered for.
            (None, Some(_)) if self.view.state.is_final() => Some(self.share.sum_at_the_end(self.own())),
            (None, Some(_)) => Some(self.share.sum()),
            (None, None) if latest.is_engines => None,
            (None, None) => Some(self.own()),
        };
        (sent, latest.current, latest.total)
    }

    /// Bytes that our own client has moved for it, the way that it goes.
    pub(super) fn own(&self) -> u64 {
        match self.view.kind {
            TransferKind::Pull => self.figures.crossed.down(),
            TransferKind::Push | TransferKind::Ship | TransferKind::Copy => self.figures.crossed.up(),
        }
    }

    /// Removes what an earlier halt has left, once nobody goes on with it.
    pub(super) fn forget_parts(&mut self) {
        if self.has_task || self.view.state != TransferState::Cancelled || !mem::take(&mut self.may_have_left)
        {
            return;
        }
        if let Some(Job::PullArchive { path, .. }) = &self.job {
            let path = path.clone();
            drop(spawn_blocking(move || remove_parts(&path)));
        }
    }

    /// Whether nothing is done for it any more.
    pub(super) fn is_over(&self) -> bool {
        self.view.state.is_final() && !self.has_task
    }

    pub(super) fn end(&mut self, state: TransferState) {
        self.view.state = state;
        self.read_figures(Instant::now());
        self.view.rate = None;
        self.view.seconds_left = None;
        self.view.finished = Some(unix_now());
        self.cancel.cancel();
    }
}

/// Whether nothing had to be sent of it.
fn is_skipped(layer: &LayerView) -> bool {
    match layer.state {
        LayerState::Exists | LayerState::Mounted { .. } => true,
        LayerState::Waiting
        | LayerState::Transferring
        | LayerState::Extracting
        | LayerState::Retrying { .. }
        | LayerState::Done => false,
    }
}

/// Gives layers of whose size an engine has said nothing the bytes that the registry has of them: by their digests, or by
/// their places where the engine calls those that were there otherwise (Docker's own store by the digests of what is
/// unpacked).
fn fill_in(layers: &mut [LayerView], stored: &[(String, u64)]) {
    let is_as_long = layers.len() == stored.len();
    for (place, layer) in layers.iter_mut().enumerate() {
        let is_done = layer.state == LayerState::Done;
        if layer.total.is_some() || !(is_done || is_skipped(layer)) {
            continue;
        }
        let by_digest = stored.iter().find(|(digest, _)| *digest == layer.id);
        if let Some((_, size)) = by_digest.or_else(|| stored.get(place).filter(|_| is_as_long && !is_done)) {
            (layer.total, layer.current) = (Some(*size), *size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{Code, Road, TransferId, UiError, UnixMillis, Verified};

    fn entry() -> Entry {
        let view = TransferView {
            id: TransferId(1),
            kind: TransferKind::Push,
            road: Road::Engine,
            why: None,
            registry: "cr.boss.org".parse().unwrap(),
            host: None,
            source: "app:v1".to_owned(),
            reference: "cr.boss.org:5000/app:v1".to_owned(),
            state: TransferState::Running,
            layers: Vec::new(),
            current: 0,
            total: 0,
            share: None,
            sent: 0,
            skipped: 0,
            rate: None,
            seconds_left: None,
            started: UnixMillis(0),
            finished: None,
        };
        let reference = view.reference.clone();
        Entry::new(view, None, Command::Pull { reference, platform: None, road: None }, None)
    }

    #[test]
    fn the_share_never_falls_and_is_whole_only_at_the_end() {
        let layer = |current, total| LayerView {
            id: "x".to_owned(),
            state: LayerState::Transferring,
            current,
            total,
        };
        let mut entry = entry();
        let mut seen = Vec::new();
        let mut read = |entry: &mut Entry, layers: &[LayerView], current, total| {
            entry.figures.write(layers, current, total);
            entry.read_figures(Instant::now());
            seen.push(entry.view.share);
        };
        read(&mut entry, &[layer(0, None), layer(0, None)], 0, 0);
        read(&mut entry, &[layer(10, Some(10)), layer(0, None)], 10, 10);
        read(&mut entry, &[layer(10, Some(10)), layer(0, Some(990))], 10, 1000);
        read(&mut entry, &[layer(10, Some(10)), layer(495, Some(990))], 505, 1000);
        // A second try, of which nothing is known at first.
        entry.figures.begin();
        read(&mut entry, &[layer(0, None), layer(0, None)], 0, 0);
        read(&mut entry, &[layer(10, Some(10)), layer(990, Some(990))], 1000, 1000);
        assert!(seen.is_sorted() && seen[0].is_none() && seen[1] == Some(500), "{seen:?}");
        assert!(seen[3] > seen[2], "it goes on: {seen:?}");
        assert_eq!(seen.last(), Some(&Some(995)));
        let verified = Verified { digest: "sha256:0".to_owned(), at_registry: true };
        entry.end(TransferState::Done { verified });
        assert_eq!(entry.view.share, Some(TransferView::WHOLE));
    }

    #[test]
    fn what_failed_keeps_the_share_that_it_had() {
        let mut entry = entry();
        entry.figures.write(&[], 50, 100);
        entry.end(TransferState::Failed { error: UiError::new(Code::Internal, "It failed.") });
        assert_eq!(entry.view.share, Some(500));
    }

    #[test]
    fn layers_that_were_there_get_the_registrys_sizes() {
        let layer = |id: &str, state| LayerView { id: id.to_owned(), state, current: 0, total: None };
        let stored = [("aaa".to_owned(), 10), ("bbb".to_owned(), 20), ("ccc".to_owned(), 30)];
        // Docker's own store: other digests, in the same order.
        let mut layers = vec![
            layer("x", LayerState::Exists),
            layer("y", LayerState::Done),
            layer("z", LayerState::Mounted { from: "app".to_owned() }),
        ];
        fill_in(&mut layers, &stored);
        assert_eq!(layers.iter().map(|layer| layer.total).collect::<Vec<_>>(), [Some(10), None, Some(30)]);
        // containerd's: the registry's own, in whatever order, with the configuration among them.
        let mut layers = vec![layer("ccc", LayerState::Exists), layer("config", LayerState::Exists)];
        fill_in(&mut layers, &stored);
        assert_eq!(layers.iter().map(|layer| layer.total).collect::<Vec<_>>(), [Some(30), None]);
        // One that has moved so fast that its end is all that was told.
        let mut layers = vec![layer("ccc", LayerState::Done), layer("w", LayerState::Done)];
        fill_in(&mut layers, &stored[1..]);
        assert_eq!(layers.iter().map(|layer| layer.total).collect::<Vec<_>>(), [Some(30), None]);
        // The same layer twice has one bar: which it is cannot be told by its place.
        let mut layers = vec![layer("x", LayerState::Exists), layer("y", LayerState::Exists)];
        fill_in(&mut layers, &stored);
        assert!(layers.iter().all(|layer| layer.total.is_none()));
    }
}
