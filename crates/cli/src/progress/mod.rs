//! Showing a transfer while it runs: bars on a terminal, lines elsewhere, JSON where it was asked for.

mod render;

use crate::{
    output::{Output, to_stderr, wrapped_for_stderr},
    printable::{for_terminal, one_line},
};
use dockline_model::{LayerState, TransferView, UiError};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
pub use render::summary;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// So many bytes are worth a line.
const FIRST_CROSSED: u64 = 10_000_000;

/// Standard error as a place to draw on, shared with whoever asks questions there.
#[derive(Debug, Clone)]
pub struct Screen {
    bars: MultiProgress,
    is_asking: Arc<AtomicBool>,
    output: Output,
}

/// While this lives nothing is drawn.
pub struct Quiet {
    is_asking: Arc<AtomicBool>,
    is_answered: bool,
}

impl Quiet {
    /// The question has been answered, and its line ended.
    pub fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if !self.is_answered {
            // Ctrl-C in the middle of a question: what comes next begins on a line of its own.
            to_stderr("\n");
        }
        self.is_asking.store(false, Ordering::Relaxed);
    }
}

impl Screen {
    /// Standard error.
    pub fn new(output: Output) -> Self {
        let target =
            if output.is_json() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self { bars: MultiProgress::with_draw_target(target), is_asking: Arc::default(), output }
    }

    /// Takes the bars away and keeps them away, so that a question can be read and answered.
    pub fn quiet(&self) -> Quiet {
        self.is_asking.store(true, Ordering::Relaxed);
        // Cannot fail but for a terminal that is gone.
        let _ = self.bars.clear();
        Quiet { is_asking: Arc::clone(&self.is_asking), is_answered: false }
    }

    /// A remark above the bars.
    pub fn say(&self, text: &str) {
        if self.bars.is_hidden() || self.bars.println(for_terminal(&wrapped_for_stderr(text))).is_err() {
            self.output.remark(text);
        }
    }
}

/// Follows one transfer.
pub struct Progress {
    screen: Screen,
    bar: Option<ProgressBar>,
    told: Told,
    /// What each line begins with, where several transfers tell theirs on the same screen.
    label: String,
}

/// What was said already, where only changes are said.
#[derive(Default)]
struct Told {
    layers: BTreeMap<String, LayerState>,
    done: BTreeSet<String>,
    tenths: u64,
    /// Bytes that crossed the line, where that is all there is to tell.
    crossed: u64,
    /// Why this road.
    why: Option<String>,
    json: Option<TransferView>,
}

impl Progress {
    /// Draws on `screen`.
    pub fn new(screen: &Screen) -> Self {
        Self { screen: screen.clone(), bar: None, told: Told::default(), label: String::new() }
    }

    /// [`Progress::new`], of one transfer among several: each line says which.
    pub fn of(screen: &Screen, place: &str) -> Self {
        Self { label: format!("{place}: "), ..Self::new(screen) }
    }

    /// Shows the transfer as it is now.
    pub fn show(&mut self, view: &TransferView) -> Result<(), UiError> {
        if self.screen.output.is_json() {
            if self.told.json.as_ref() == Some(view) {
                return Ok(());
            }
            self.told.json = Some(view.clone());
            return self.screen.output.result(view, String::new);
        }
        if let Some(why) = view.why.as_ref().filter(|why| self.told.why.as_ref() != Some(*why)) {
            // What is found out later stands behind what was said before.
            let said = self.told.why.as_deref().unwrap_or_default();
            let news = why.strip_prefix(said).unwrap_or(why).trim_start();
            self.screen.say(&format!("{}{news}", self.label));
            self.told.why = Some(why.clone());
        }
        if self.screen.bars.is_hidden() {
            self.tell(view);
        } else if !self.screen.is_asking.load(Ordering::Relaxed) {
            self.draw(view);
        }
        Ok(())
    }

    /// Takes the bars away; what remains is said by the summary.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            self.screen.bars.remove(&bar);
        }
    }

    /// All lines are one message of one bar: indicatif limits how often each is drawn, and lines of different
    /// moments would contradict one another.
    fn draw(&mut self, view: &TransferView) {
        if view.state.is_final() {
            // What remains of it is the summary.
            return;
        }
        let (rows, columns) = console::Term::stderr().size();
        let lines = render::lines(view, usize::from(columns), usize::from(rows).saturating_sub(2));
        let bar = self.bar.get_or_insert_with(|| {
            let bar = self.screen.bars.add(ProgressBar::no_length());
            bar.set_style(text_only());
            bar
        });
        bar.set_message(for_terminal(&lines.join("\n")));
    }

    /// A line for each layer that ends, and for each tenth of the whole; where there is no whole, each time that twice as
    /// much has moved.
    fn tell(&mut self, view: &TransferView) {
        for layer in &view.layers {
            let before = self.told.layers.insert(layer.id.clone(), layer.state.clone());
            if before.as_ref() == Some(&layer.state) || render::is_countdown(before.as_ref(), &layer.state) {
                continue;
            }
            // A layer that was fetched and is unpacked is done twice.
            if layer.state == LayerState::Done && !self.told.done.insert(layer.id.clone()) {
                continue;
            }
            match layer.state {
                LayerState::Waiting | LayerState::Transferring | LayerState::Extracting => {}
                LayerState::Retrying { .. }
                | LayerState::Done
                | LayerState::Exists
                | LayerState::Mounted { .. } => {
                    let line = format!("{}{}: {}", self.label, layer.id, render::layer_words(layer));
                    to_stderr(&(one_line(&line) + "\n"));
                }
            }
        }
        let tenths = render::percent(view) / 10;
        if tenths > self.told.tenths && tenths < 10 {
            self.told.tenths = tenths;
            to_stderr(&format!("{}{}\n", self.label, render::overall(view, usize::MAX)));
        }
        if let Some(crossed) = render::crossed(view)
            && view.sent >= FIRST_CROSSED.max(self.told.crossed.saturating_mul(2))
        {
            self.told.crossed = view.sent;
            to_stderr(&format!("{}{crossed}\n", self.label));
        }
    }
}

/// The bars are drawn as text by [`render`], which can be tested; indicatif does the terminal.
fn text_only() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}
