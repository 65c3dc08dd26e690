//! How long the registry takes to answer, which road and packing of a push hang on.

use super::Client;
use crate::RegistryError;
use reqwest::Method;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// No line on which answers come as soon as this is slow.
const QUICK: Duration = Duration::from_millis(5);
/// An answer may have waited for a connection, or for a processor: only a line that is slow so many times is slow.
const ENOUGH: usize = 3;

/// Those to questions of one client and its clones.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(Arc<Mutex<Heard>>);

#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    count: usize,
    least: Option<Duration>,
}

impl Answers {
    /// An answer has begun.
    pub(super) fn heard(&self, method: &Method, after: Duration) {
        if matches!(*method, Method::GET | Method::HEAD) {
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            heard.count += 1;
            heard.least = Some(heard.least.map_or(after, |least| least.min(after)));
        }
    }

    /// `None` as long as more have to be heard.
    fn least(&self) -> Option<Duration> {
        let Heard { count, least } = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        least.filter(|least| count >= ENOUGH || *least < QUICK)
    }
}

impl Client {
    /// The time that one answer takes.
    ///
    /// # Errors
    /// As of [`Client::ping`].
    pub async fn answer_time(&self) -> Result<Duration, RegistryError> {
        self.timed().least_answer().await
    }

    /// One whose answers are timed from now on.
    pub(super) fn timed(&self) -> Self {
        Self { answers: Answers::default(), ..self.clone() }
    }

    /// The time of the quickest since then, however few there were.
    pub(super) fn quickest(&self) -> Option<Duration> {
        self.answers.0.lock().unwrap_or_else(PoisonError::into_inner).least
    }

    /// Whether one has shown already that the line is not slow.
    pub(super) fn is_quick(&self) -> bool {
        self.answers.least().is_some_and(|least| least < QUICK)
    }

    /// The time of the quickest since then; asks if there were few.
    pub(super) async fn least_answer(&self) -> Result<Duration, RegistryError> {
        loop {
            if let Some(least) = self.answers.least() {
                return Ok(least);
            }
            self.ping().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_slow_only_if_it_is_so_three_times() {
        let ms = Duration::from_millis;
        let answers = Answers::default();
        assert_eq!(answers.least(), None);
        answers.heard(&Method::HEAD, ms(116));
        answers.heard(&Method::GET, ms(55));
        answers.heard(&Method::PUT, ms(2));
        assert_eq!(answers.least(), None);
        answers.heard(&Method::GET, ms(57));
        assert_eq!(answers.least(), Some(ms(55)));

        let quick = Answers::default();
        quick.heard(&Method::GET, ms(1));
        assert_eq!(quick.least(), Some(ms(1)));
    }
}
