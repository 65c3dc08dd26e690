//! Which road a push takes, and how hard layers are packed on the direct one. Pure, and told in a sentence.
//!
//! The figures behind it are in docs/benchmarks.md: an engine packs slowly, and sends only what is new to it; the direct road
//! packs on all cores and sends only what is new to the registry. It reads the layers one by one from Docker's own store;
//! where that cannot be, all of the image has to be exported.

use dockline_engine::ImageStore;
use dockline_model::{Compression, PushOptions, Road};
use dockline_registry::{OneOfSeveral, Packing};
use std::time::Duration;

/// Bytes a second below which it is the line that takes the time: 200 Mbit/s.
const SLOW: u64 = 25_000_000;
/// Bytes a second below which there is time for gzip's level 7 and zstd's 9 (47 MB/s of a layer on one core): 120 Mbit/s.
const VERY_SLOW: f64 = 15e6;
/// A line of which nothing else is known is taken for a slow one if an answer takes this long.
pub(super) const FAR: Duration = Duration::from_millis(15);
/// Layers that are sent at once on a long line.
pub(super) const AT_ONCE_FAR: usize = 4;
/// What such a line is taken to carry, in bytes a second.
const ASSUMED: f64 = 12_500_000.0;
/// What a layer shrinks to, about.
const PACKED: f64 = 0.4;
/// Seconds that a push through the engine takes beside its bytes: a name, questions, and the name away again.
const ENGINE_BEGINS: f64 = 0.3;
/// Bytes a second that dockerd packs on one core (Go's gzip); it works on five layers at once.
const ENGINE_PACKS: f64 = 17e6;
const ENGINE_LAYERS: f64 = 5.0;
/// The part of the line that an engine uses: it sends layer after layer, with questions in between.
const ENGINE_USES: f64 = 0.95;
/// Seconds until the engine's store can be read, and bytes a second then.
const READING_BEGINS: f64 = 0.25;
const READS: f64 = 300e6;
/// Bytes a second of an export, the writing to dockerd's own disk included, and which part that takes.
const EXPORTS: f64 = 80e6;
const EXPORT_BEGINS: f64 = 0.6;
/// Bytes a second that Dockline packs on one core: gzip 1, and the dense levels of gzip, about.
const PACKS_FAST: f64 = 150e6;
const PACKS_DENSE: f64 = 75e6;

/// What a choice is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) store: ImageStore,
    /// Unpacked, in bytes.
    pub(super) size: u64,
    pub(super) layers: usize,
    /// Layers that the registry lacks.
    pub(super) missing: usize,
    /// Layers that the engine would send: Docker's own store leaves out only those that it has pushed or pulled itself.
    pub(super) engine_sends: usize,
    /// Whether it has all of the image but the name.
    pub(super) has_everything: bool,
    pub(super) line: Line,
    /// Whether layers can be read one by one from the engine's store, so that nothing has to be exported.
    pub(super) reads_layers: bool,
    pub(super) cores: usize,
}

/// What is known of the line to the registry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// The time one answer takes.
    pub(super) answer_time: Duration,
    /// Bytes a second that it has carried.
    pub(super) rate: Option<u64>,
}

impl Line {
    fn is_slow(self) -> bool {
        match self.rate {
            Some(rate) => rate < SLOW,
            None => self.answer_time >= FAR,
        }
    }

    fn bytes_a_second(self) -> f64 {
        match self.rate {
            Some(rate) => rate as f64,
            None if self.is_slow() => ASSUMED,
            None => f64::INFINITY,
        }
    }

    /// Every layer begins and ends with questions, during which the others fill a long line; on a short one they cost
    /// sessions.
    fn at_once(self) -> usize {
        if self.answer_time >= FAR { AT_ONCE_FAR } else { 3 }
    }

    fn words(self) -> String {
        match self.rate {
            Some(rate) if rate < SLOW => format!("the line has carried {:.0} Mbit/s", rate as f64 * 8e-6),
            None if self.is_slow() => {
                format!("an answer takes {} ms, as on a long line", self.answer_time.as_millis())
            }
            Some(_) | None => "the line is fast".to_owned(),
        }
    }
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) road: Road,
    pub(super) packing: Packing,
    /// Whether the person asked for this packing, so that the registry's own copies will not do.
    pub(super) is_asked_for: bool,
    /// Whether they asked for its level, so that one of another day will not do.
    pub(super) has_own_level: bool,
    /// Layers that are sent at once.
    pub(super) at_once: usize,
    /// Whether the line takes the time, and not the packing.
    pub(super) slow_line: bool,
    /// A sentence.
    pub(super) why: String,
}

/// The road of an engine's image.
pub(super) fn choose(wishes: PushOptions, situation: &Situation) -> Choice {
    let packing = packing(wishes, situation.line);
    let is_asked_for = wishes.compression.is_some() || wishes.level.is_some();
    let at_once = situation.line.at_once();
    let slow_line = situation.line.is_slow();
    let has_own_level = wishes.level.is_some();
    let choice = |road, why| Choice { road, packing, is_asked_for, has_own_level, at_once, slow_line, why };
    match wishes.road {
        Some(Road::Engine) => return choice(Road::Engine, "Through the engine, as you asked.".to_owned()),
        Some(Road::Direct) => {
            let why = format!("Directly, as you asked; {}.", packed_how(wishes, packing, situation.line));
            return choice(Road::Direct, why);
        }
        None => {}
    }
    if situation.has_everything {
        return choice(Road::Direct, "Directly: the registry has every layer already.".to_owned());
    }
    if is_asked_for {
        let why = format!("Directly, since the engine packs layers in its own way; {}.", words(packing));
        return choice(Road::Direct, why);
    }
    match situation.store {
        ImageStore::Classic => {}
        ImageStore::Containerd => {
            let why =
                "Through the engine: containerd's store keeps layers compressed, and sends only what is new.";
            return choice(Road::Engine, why.to_owned());
        }
        ImageStore::Podman => {
            let why = "Through the engine: Podman packs on all cores itself, and sends only what is new.";
            return choice(Road::Engine, why.to_owned());
        }
    }
    let (engine, direct) = seconds(situation, packing);
    let new = match (situation.missing, situation.layers) {
        (missing, layers) if missing == layers => "all of it is new".to_owned(),
        (missing, layers) => format!("{missing} of {layers} layers are new"),
    };
    if direct < engine {
        let knows_less = situation.engine_sends > situation.missing && situation.missing < situation.layers;
        let why = match knows_less {
            true => format!(
                "Directly: {new} to the registry, but Docker would send {} again; {}.",
                situation.engine_sends,
                words(packing)
            ),
            false => {
                format!("Directly: {new} to the registry and {}; {}.", situation.line.words(), words(packing))
            }
        };
        return choice(Road::Direct, why);
    }
    let why = match situation.line.is_slow() && situation.missing == situation.layers {
        true => {
            format!("Through the engine: {}, and the engine begins to send at once.", situation.line.words())
        }
        false => {
            format!("Through the engine: {new} to the registry, and Docker would export all of the image.")
        }
    };
    choice(Road::Engine, why)
}

/// How an archive is packed, which has no other road.
pub(super) fn archive(wishes: PushOptions, line: Line) -> Choice {
    let packing = packing(wishes, line);
    let is_asked_for = wishes.compression.is_some() || wishes.level.is_some();
    let why =
        format!("Directly, with no engine; uncompressed layers go {}.", packed_how(wishes, packing, line));
    Choice {
        road: Road::Direct,
        packing,
        is_asked_for,
        has_own_level: wishes.level.is_some(),
        at_once: line.at_once(),
        slow_line: line.is_slow(),
        why,
    }
}

/// An archive's image with all that belongs to it.
pub(super) fn whole_archive(line: Line) -> Choice {
    let why = "Directly, with no engine; everything goes as it is in the archive.".to_owned();
    Choice { why, ..archive(PushOptions::default(), line) }
}

/// An engine's image with all that belongs to it, from a store that keeps it so.
pub(super) fn whole_of_an_engine(line: Line) -> Choice {
    let why = "Directly, with all that the engine has of it; everything goes as it is.".to_owned();
    Choice { why, ..archive(PushOptions::default(), line) }
}

/// That one image of several is taken, which nobody has named.
pub(super) fn one_of_several(one: &OneOfSeveral) -> String {
    let platform = &one.platform;
    match one.left {
        0 => "The image goes without its attestations (--all-platforms takes them as well).".to_owned(),
        1 => format!(
            "Only {platform} is taken, this machine's platform; another one is left (--all-platforms takes both)."
        ),
        more => format!(
            "Only {platform} is taken, this machine's platform; {more} others are left (--all-platforms takes all)."
        ),
    }
}

/// The same of an image that an engine has, which sends all of it itself.
pub(super) fn one_of_an_engines(one: &OneOfSeveral) -> String {
    let platform = &one.platform;
    match one.left {
        0 => "The image goes without its attestations, which the engine has as well (--engine lets it send what it has)."
            .to_owned(),
        1 => format!(
            "Only {platform} is taken, this machine's platform; the engine has another one as well (--engine lets it \
             send what it has)."
        ),
        more => format!(
            "Only {platform} is taken, this machine's platform; the engine has {more} others as well (--engine lets it \
             send what it has)."
        ),
    }
}

/// That an engine has sent one image instead of the index that it belongs to.
pub(super) fn one_that_an_engine_has(platform: &str) -> String {
    if platform.is_empty() {
        return "The engine has only one platform of this image, and sent that alone, under a digest of its own.".into();
    }
    format!("The engine has only {platform} of this image, and sent that alone, under a digest of its own.")
}

fn packing(wishes: PushOptions, line: Line) -> Packing {
    let compression = wishes.compression.unwrap_or(Compression::Gzip);
    let level = wishes.level.unwrap_or(match (compression, line.is_slow()) {
        (Compression::Gzip, false) => 1,
        (Compression::Gzip, true) if line.bytes_a_second() < VERY_SLOW => 7,
        (Compression::Gzip, true) => 6,
        (Compression::Zstd, false) => 1,
        (Compression::Zstd, true) if line.bytes_a_second() < VERY_SLOW => 9,
        (Compression::Zstd, true) => 7,
        (Compression::None, _) => 0,
    });
    Packing::new(compression, level)
}

fn packed_how(wishes: PushOptions, packing: Packing, line: Line) -> String {
    match (wishes.level, packing.compression()) {
        (None, Compression::Gzip | Compression::Zstd) => {
            format!("{}, since {}", words(packing), line.words())
        }
        (Some(_), _) | (None, Compression::None) => words(packing),
    }
}

fn words(packing: Packing) -> String {
    match (packing.compression(), packing.level()) {
        (Compression::Gzip, level) => format!("compressed with gzip at level {level}"),
        (Compression::Zstd, level) => format!("compressed with zstd at level {level}"),
        (Compression::None, _) => "not compressed".to_owned(),
    }
}

/// What either road would take, about.
fn seconds(situation: &Situation, packing: Packing) -> (f64, f64) {
    let size = situation.size as f64;
    // The engine does not say how large each layer is.
    let missing = size * situation.missing as f64 / situation.layers.max(1) as f64;
    let cores = situation.cores as f64;
    let engine_sends = size * situation.engine_sends as f64 / situation.layers.max(1) as f64;
    let line = missing * PACKED / situation.line.bytes_a_second();
    let engine_line = engine_sends * PACKED / (situation.line.bytes_a_second() * ENGINE_USES);
    let engine = ENGINE_BEGINS + (engine_sends / (ENGINE_PACKS * cores.min(ENGINE_LAYERS))).max(engine_line);
    let packs = if packing.level() <= 3 { PACKS_FAST } else { PACKS_DENSE };
    let packing = (missing / (packs * cores)).max(line);
    if situation.reads_layers {
        return (engine, READING_BEGINS + packing.max(missing / READS));
    }
    let export = size / EXPORTS;
    (engine, EXPORT_BEGINS * export + packing.max((1.0 - EXPORT_BEGINS) * export))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: Line = Line { answer_time: Duration::from_millis(1), rate: None };
    const AWAY: Line = Line { answer_time: Duration::from_millis(52), rate: None };

    fn situation() -> Situation {
        Situation {
            store: ImageStore::Classic,
            size: 400_000_000,
            layers: 10,
            missing: 10,
            engine_sends: 10,
            has_everything: false,
            line: NEAR,
            reads_layers: false,
            cores: 2,
        }
    }

    fn chosen(situation: Situation) -> (Road, String) {
        let choice = choose(PushOptions::default(), &situation);
        assert!(choice.why.ends_with('.') && !choice.is_asked_for, "{}", choice.why);
        (choice.road, choice.why)
    }

    #[test]
    fn the_road_is_the_one_that_was_measured_to_be_faster() {
        let (road, why) = chosen(situation());
        assert_eq!(road, Road::Direct, "{why}");
        assert!(why.contains("gzip at level 1") && why.contains("all of it is new"), "{why}");

        let (road, why) = chosen(Situation { missing: 1, engine_sends: 1, ..situation() });
        assert_eq!(road, Road::Engine, "{why}");
        assert!(why.contains("1 of 10 layers"), "{why}");
        // After a direct push Docker does not know that the registry has the other nine.
        let (road, why) = chosen(Situation { missing: 1, ..situation() });
        assert_eq!(road, Road::Direct, "{why}");
        assert!(why.contains("1 of 10 layers") && why.contains("would send 10"), "{why}");

        let (road, why) = chosen(Situation { missing: 0, has_everything: true, ..situation() });
        assert_eq!(road, Road::Direct, "{why}");

        let (road, why) = chosen(Situation { line: AWAY, ..situation() });
        assert_eq!(road, Road::Engine, "{why}");
        assert!(why.contains("52 ms"), "{why}");
        // What was measured counts for more than what was guessed.
        let line = Line { rate: Some(80_000_000), ..AWAY };
        assert_eq!(chosen(Situation { line, ..situation() }).0, Road::Direct);

        for store in [ImageStore::Containerd, ImageStore::Podman] {
            assert_eq!(chosen(Situation { store, ..situation() }).0, Road::Engine);
        }

        // Where layers can be read one by one, there is no export to wait for.
        let reads = Situation { reads_layers: true, ..situation() };
        for line in [NEAR, AWAY] {
            for (missing, engine_sends) in [(10, 10), (1, 1), (1, 10)] {
                let (road, why) = chosen(Situation { line, missing, engine_sends, ..reads });
                assert_eq!(road, Road::Direct, "{why}");
            }
        }
    }

    #[test]
    fn what_a_person_asks_for_is_done() {
        let wishes = PushOptions { road: Some(Road::Direct), ..PushOptions::default() };
        let choice = choose(wishes, &Situation { missing: 1, line: AWAY, ..situation() });
        assert_eq!((choice.road, choice.packing), (Road::Direct, Packing::new(Compression::Gzip, 7)));
        let wishes = PushOptions { compression: Some(Compression::Zstd), ..PushOptions::default() };
        let choice = choose(wishes, &Situation { missing: 1, ..situation() });
        assert_eq!((choice.road, choice.packing), (Road::Direct, Packing::new(Compression::Zstd, 1)));
        assert!(choice.is_asked_for && !choice.has_own_level);
        // The slower the line, the denser.
        let rate = |rate| Line { rate: Some(rate), ..AWAY };
        for (line, gzip, zstd) in [(rate(80_000_000), 1, 1), (rate(20_000_000), 6, 7), (AWAY, 7, 9)] {
            let level =
                |compression| packing(PushOptions { compression, ..PushOptions::default() }, line).level();
            assert_eq!((level(None), level(Some(Compression::Zstd))), (gzip, zstd), "{line:?}");
        }
        let wishes = PushOptions { level: Some(9), ..PushOptions::default() };
        let choice = archive(wishes, NEAR);
        assert_eq!(choice.packing, Packing::new(Compression::Gzip, 9));
        assert!(choice.is_asked_for && choice.has_own_level);
        assert_eq!(
            choice.why,
            "Directly, with no engine; uncompressed layers go compressed with gzip at level 9."
        );
        assert!(
            archive(PushOptions::default(), AWAY)
                .why
                .contains("gzip at level 7, since an answer takes 52 ms")
        );
    }
}
