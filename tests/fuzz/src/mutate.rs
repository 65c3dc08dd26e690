//! Changes to examples, for runs without a fuzzer: no feedback, but the same kinds of changes as libFuzzer's.

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

/// Longer inputs only cost time.
const LONGEST: usize = 4096;

/// Makes inputs out of examples; the same ones from the same seed.
#[derive(Debug)]
pub struct Mutator<'a> {
    random: SmallRng,
    corpus: &'a [Vec<u8>],
    words: &'a [&'a str],
}

impl<'a> Mutator<'a> {
    /// From a seed, examples, and the format's words.
    #[must_use]
    pub fn new(seed: u64, corpus: &'a [Vec<u8>], words: &'a [&'a str]) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), corpus, words }
    }

    /// The next input: an example with one to eight changes.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.example();
        for _ in 0..self.random.random_range(1..=8) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn example(&mut self) -> Vec<u8> {
        if self.corpus.is_empty() {
            return Vec::new();
        }
        self.corpus[self.random.random_range(0..self.corpus.len())].clone()
    }

    /// A range of `input`, of up to 32 bytes mostly.
    fn piece(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let start = self.random.random_range(0..=input.len());
        let longest = if self.random.random_bool(0.9) { 32 } else { input.len() };
        let length = self.random.random_range(0..=longest.min(input.len() - start));
        start..start + length
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let piece = self.piece(input);
        let at = piece.start;
        match self.random.random_range(0..9) {
            0 if at < input.len() => input[at] ^= 1 << self.random.random_range(0..8),
            1 if at < input.len() => input[at] = self.random.random(),
            2 if at < input.len() => input[at] ^= 0x20, // the other case
            3 => {
                input.drain(piece);
            }
            4 => {
                let copy = input[piece].to_vec();
                let to = self.random.random_range(0..=input.len());
                input.splice(to..to, copy);
            }
            5 => input.truncate(at),
            6 => {
                let other = self.example();
                let from = self.piece(&other);
                input.splice(piece, other[from].iter().copied());
            }
            _ if !self.words.is_empty() => {
                let word = self.words[self.random.random_range(0..self.words.len())];
                let replaced = if self.random.random_bool(0.5) { at..at } else { piece };
                input.splice(replaced, word.bytes());
            }
            _ => input.insert(at, self.random.random()),
        }
    }
}
