//! Every target over its corpus and some mutations, for a few seconds. `cargo xtask fuzz` is the long form.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use dockline_fuzz::{TARGETS, Target, mutate::Mutator};
use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::{Duration, Instant},
};

/// For all targets together; `DOCKLINE_FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 12;
const SEED: u64 = 9_050_180_819_572_639_645;

fn hold(target: &Target, input: &[u8], which: &str) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        panic!(
            "{}: {which} breaks it; as a file of its corpus it is tried every time:\n{}\n(as text: {})",
            target.name,
            input.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            input.escape_ascii()
        );
    }
}

#[test]
fn examples_and_mutations_of_them_hold() {
    let seconds = env::var("DOCKLINE_FUZZ_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    // The same each time: a change is not to be held up by what it did not cause. New ones are for the long form.
    let seed = env::var("DOCKLINE_FUZZ_SEED").map_or(SEED, |text| text.parse().unwrap());
    let each = Duration::from_secs(seconds) / u32::try_from(TARGETS.len()).unwrap();
    for target in TARGETS {
        let corpus = target.corpus().unwrap();
        assert!(corpus.len() >= 3, "{} has no corpus", target.name);
        for (number, input) in corpus.iter().enumerate() {
            hold(target, input, &format!("example {number}"));
        }
        let mut mutator = Mutator::new(seed, &corpus, target.words);
        let (until, mut tried) = (Instant::now() + each, 0_u32);
        while Instant::now() < until {
            hold(target, &mutator.next_input(), &format!("input {tried} of DOCKLINE_FUZZ_SEED={seed}"));
            tried += 1;
        }
        println!("{}: {} examples, {tried} mutations, seed {seed}", target.name, corpus.len());
        assert!(tried > 100, "{}: only {tried} mutations in {each:?}", target.name);
    }
}

#[test]
fn every_target_has_a_program_for_libfuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let program = fs::read_to_string(folder.join(format!("fuzz_targets/{}.rs", target.name))).unwrap();
        assert!(program.contains(&format!("\"{}\"", target.name)), "{program}");
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}
