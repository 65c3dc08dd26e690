//! Whether the other end of a session is still alive.
//!
//! The kernel's `TCP_USER_TIMEOUT` notices a dead path by itself, but only where the session has a TCP connection of
//! its own: not inside a jump host's channel, not behind a ProxyCommand. The library's keepalive asks after three
//! seconds of silence, but what it counts are its own turns, and it has none while it waits for something else. So the
//! stream under every session notes what it hears, and a task beside the session judges that, whatever the session
//! itself is waiting for:
//!
//! - Who is spoken to answers: a keepalive, or bulk data by granting more window. A peer from which nothing has come
//!   for [`SILENCE`] is gone; where it is asked later than usual, that is later as well ([`Limits`]).
//! - Only silence that was listened to counts. While nobody reads, since a program does not take what has arrived, the
//!   peer cannot be heard.
//! - A task that slept itself (SIGSTOP, a suspended machine) has not listened either: what came meanwhile is looked at
//!   first, and then the peer has [`WOKEN`] to answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// A peer that says nothing for this long although it was asked twice is gone; ten seconds are the most a dead path may
/// go unnoticed.
const SILENCE: Duration = Duration::from_secs(8);
/// The same after a sleep of our own, by which many a path has died. The library asks after three seconds of silence,
/// and may have had its answer just before the sleep was noticed here: there must be time for the next one.
const WOKEN: Duration = Duration::from_secs(5);
/// What a peer has for the answer to a keepalive at least, before its silence counts.
const ANSWER: Duration = Duration::from_secs(5);
/// What is left of that after a sleep of our own: an answer that is under way comes at once.
const WOKEN_ANSWER: Duration = Duration::from_secs(2);
/// A write that cannot go on for this long although nobody can say that the peer is silent.
const STUCK: Duration = Duration::from_secs(30);
/// Waking up so much later than planned is a sleep.
const LATE: Duration = Duration::from_secs(2);
/// How often a peer that is under suspicion is looked at.
const CLOSE_LOOK: Duration = Duration::from_millis(100);

/// In place of a time: it is not so.
const NEVER: u64 = u64::MAX;

/// What the stream under a session notes. Times are nanoseconds since `epoch`: a server on the same network answers
/// within less than a millisecond, and an answer must not look older than its question.
#[derive(Debug)]
pub(super) struct Pulse {
    epoch: Instant,
    heard: AtomicU64,
    /// Since when somebody waits for the peer to say something.
    listening: AtomicU64,
    /// Since when a write waits for room.
    stuck: AtomicU64,
}

/// What was noted, as points in time.
#[derive(Debug, Clone, Copy)]
struct Noted {
    heard: Instant,
    listening: Option<Instant>,
    stuck: Option<Instant>,
}

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            epoch: Instant::now(),
            heard: AtomicU64::new(0),
            listening: AtomicU64::new(NEVER),
            stuck: AtomicU64::new(NEVER),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(NEVER - 1)
    }

    /// The peer said something.
    pub(super) fn heard(&self) {
        self.heard.store(self.now(), Ordering::Relaxed);
        self.listening.store(NEVER, Ordering::Relaxed);
    }

    /// There is nothing to read yet.
    pub(super) fn listens(&self) {
        if self.listening.load(Ordering::Relaxed) == NEVER {
            self.listening.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Something was written, or could not be.
    pub(super) fn writes(&self, stuck: bool) {
        if !stuck {
            self.stuck.store(NEVER, Ordering::Relaxed);
        } else if self.stuck.load(Ordering::Relaxed) == NEVER {
            self.stuck.store(self.now(), Ordering::Relaxed);
        }
    }

    fn noted(&self) -> Noted {
        let at = |nanos: u64| self.epoch + Duration::from_nanos(nanos);
        let since = |noted: &AtomicU64| Some(noted.load(Ordering::Relaxed)).filter(|t| *t != NEVER).map(at);
        Noted {
            heard: at(self.heard.load(Ordering::Relaxed)),
            listening: since(&self.listening),
            stuck: since(&self.stuck),
        }
    }
}

/// The peer is asked to say something, and has to within the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    /// Taken before the question is sent, so that every answer is later.
    pub asked: Instant,
    pub patience: Duration,
}

impl Question {
    fn due(self) -> Instant {
        self.asked + self.patience
    }
}

/// What is to be done about a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is gone.
    Dead,
    /// It is not, as far as anybody knows; to be judged again then.
    Again(Instant),
}

/// How long silence may last. Who is not asked has nothing to say: however rarely a person wants the server asked, what
/// counts is its silence after that.
#[derive(Debug, Clone, Copy)]
struct Limits {
    silence: Duration,
    woken: Duration,
}

impl Limits {
    /// For a peer that is asked after so much silence.
    fn new(keepalive: Duration) -> Self {
        Self { silence: SILENCE.max(keepalive + ANSWER), woken: WOKEN.max(keepalive + WOKEN_ANSWER) }
    }
}

/// The judge; has no clock and does nothing.
#[derive(Debug)]
struct Vigil {
    limits: Limits,
    /// Silence counts from then at the earliest.
    since: Instant,
    /// When it was to be looked again.
    planned: Instant,
    /// Not answered yet.
    question: Option<Question>,
}

impl Vigil {
    const fn new(now: Instant, limits: Limits) -> Self {
        Self { limits, since: now, planned: now, question: None }
    }

    /// A further question does not give the peer more time for an earlier one.
    fn ask(&mut self, question: Question) {
        if self.question.is_none_or(|earlier| earlier.due() > question.due()) {
            self.question = Some(question);
        }
    }

    fn judge(&mut self, now: Instant, noted: Noted) -> Verdict {
        let late = now.saturating_duration_since(self.planned);
        if late > LATE {
            self.since = now;
            // Somebody else may have noticed the sleep first, and asked.
            if self.question.is_none_or(|question| question.asked <= self.planned) {
                self.question = Some(Question { asked: now, patience: self.limits.woken });
            }
        } else if let Some(question) = &mut self.question {
            // A machine that is too busy to look in time is too busy to have listened.
            question.patience += late;
        }
        if self.question.is_some_and(|question| noted.heard > question.asked) {
            self.question = None;
        }
        let silent_since = noted.listening.map(|listening| listening.max(noted.heard).max(self.since));
        let stuck_since = noted.stuck.map(|stuck| stuck.max(self.since));
        let ends = [
            silent_since.map(|since| since + self.limits.silence),
            stuck_since.map(|since| since + STUCK),
            // Whoever waits does so since before the question, or the answer may have come unread.
            silent_since
                .zip(self.question)
                .map(|(since, Question { asked, patience })| asked.max(since) + patience),
        ];
        if ends.iter().flatten().any(|end| *end <= now) {
            return Verdict::Dead;
        }
        let longest = now + if self.question.is_some() { CLOSE_LOOK } else { SILENCE };
        self.planned = ends.into_iter().flatten().fold(longest, Instant::min);
        Verdict::Again(self.planned)
    }
}

/// Judges the peer until it is gone, which is what this returns for, or `ended`. The library asks it after `keepalive` of
/// silence; of every other one of `questions` this is told before the peer is.
pub(super) async fn guard(
    pulse: Arc<Pulse>,
    keepalive: Duration,
    mut questions: mpsc::UnboundedReceiver<Question>,
    ended: CancellationToken,
) -> bool {
    let mut vigil = Vigil::new(Instant::now(), Limits::new(keepalive));
    loop {
        let again = match vigil.judge(Instant::now(), pulse.noted()) {
            Verdict::Dead => return true,
            Verdict::Again(at) => at,
        };
        tokio::select! {
            () = ended.cancelled() => return false,
            () = tokio::time::sleep_until(again) => {}
            Some(question) = questions.recv() => vigil.ask(question),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    struct Peer {
        start: Instant,
        vigil: Vigil,
    }

    impl Peer {
        fn new() -> Self {
            Self::asked_after(3)
        }

        /// One that is asked after so many seconds of silence.
        fn asked_after(seconds: u64) -> Self {
            let (start, limits) = (Instant::now(), Limits::new(Duration::from_secs(seconds)));
            Self { start, vigil: Vigil::new(start, limits) }
        }

        fn at(&self, millis: u32) -> Instant {
            self.start + MS * millis
        }

        fn ask(&mut self, asked: u32, patience: u32) {
            self.vigil.ask(Question { asked: self.at(asked), patience: MS * patience });
        }

        /// Judged at `now`, not having been able to before.
        fn judge_once(&mut self, now: u32, heard: u32, listening: Option<u32>) -> Verdict {
            let noted =
                Noted { heard: self.at(heard), listening: listening.map(|t| self.at(t)), stuck: None };
            self.vigil.judge(self.at(now), noted)
        }

        /// Judged at `now`, and at every moment that was asked for until then.
        fn judge(&mut self, now: u32, heard: u32, listening: Option<u32>, stuck: Option<u32>) -> Verdict {
            let noted = Noted {
                heard: self.at(heard),
                listening: listening.map(|t| self.at(t)),
                stuck: stuck.map(|t| self.at(t)),
            };
            while self.vigil.planned < self.at(now) {
                let planned = self.vigil.planned;
                if self.vigil.judge(planned, noted) == Verdict::Dead {
                    return Verdict::Dead;
                }
            }
            self.vigil.judge(self.at(now), noted)
        }
    }

    #[test]
    fn eight_seconds_of_silence_are_the_end() {
        let mut peer = Peer::new();
        assert_eq!(peer.judge(5_000, 4_000, Some(4_000), None), Verdict::Again(peer.at(12_000)));
        assert_eq!(peer.judge(11_999, 4_000, Some(4_000), None), Verdict::Again(peer.at(12_000)));
        assert_eq!(peer.judge(12_000, 4_000, Some(4_000), None), Verdict::Dead);
    }

    #[test]
    fn who_is_asked_late_may_be_silent_for_longer() {
        for (seconds, end) in [(1, 8_000), (3, 8_000), (8, 13_000), (60, 65_000), (300, 305_000)] {
            let mut peer = Peer::asked_after(seconds);
            let verdict = peer.judge(end - 1, 0, Some(0), None);
            assert!(matches!(verdict, Verdict::Again(_)), "{seconds}: {verdict:?}");
            assert_eq!(peer.judge(end, 0, Some(0), None), Verdict::Dead, "{seconds}");
        }
    }

    #[test]
    fn who_is_asked_late_is_not_expected_to_speak_sooner_after_a_sleep_of_ours() {
        let mut peer = Peer::asked_after(60);
        peer.judge(0, 0, Some(0), None);
        assert!(matches!(peer.judge_once(75_000, 0, Some(0)), Verdict::Again(_)));
        assert!(matches!(peer.judge(136_999, 0, Some(0), None), Verdict::Again(_)));
        assert_eq!(peer.judge(137_000, 0, Some(0), None), Verdict::Dead);
    }

    #[test]
    fn a_write_that_waits_makes_no_difference_to_silence() {
        let mut peer = Peer::new();
        assert_eq!(peer.judge(12_000, 4_000, Some(4_000), Some(4_000)), Verdict::Dead);
    }

    #[test]
    fn what_nobody_listens_to_is_no_silence_until_a_write_is_stuck_for_long() {
        let mut peer = Peer::new();
        assert!(matches!(peer.judge(60_000, 1_000, None, None), Verdict::Again(_)));
        assert!(matches!(peer.judge(80_000, 1_000, None, Some(60_000)), Verdict::Again(_)));
        assert_eq!(peer.judge(90_000, 1_000, None, Some(60_000)), Verdict::Dead);
    }

    #[test]
    fn a_question_has_its_own_deadline() {
        let mut peer = Peer::new();
        peer.judge(1_000, 900, Some(900), None);
        peer.ask(1_000, 1_500);
        assert!(matches!(peer.judge(2_400, 900, Some(900), None), Verdict::Again(_)));
        // A second question does not give it more time.
        peer.ask(2_400, 5_000);
        assert_eq!(peer.judge(2_500, 900, Some(900), None), Verdict::Dead);

        let mut peer = Peer::new();
        peer.ask(0, 1_500);
        assert!(matches!(peer.judge(1_400, 1_300, Some(1_300), None), Verdict::Again(_)));
        assert!(matches!(peer.judge(9_200, 1_300, Some(1_300), None), Verdict::Again(_)));
        assert_eq!(peer.judge(9_300, 1_300, Some(1_300), None), Verdict::Dead);
    }

    #[test]
    fn our_own_sleep_is_not_held_against_the_peer() {
        let mut peer = Peer::new();
        peer.judge(0, 0, Some(0), None);
        let noted = Noted { heard: peer.at(0), listening: Some(peer.at(0)), stuck: Some(peer.at(0)) };
        // Planned for 8 s, looked at after ten minutes.
        let verdict = peer.vigil.judge(peer.at(600_000), noted);
        assert!(matches!(verdict, Verdict::Again(_)), "{verdict:?}");
        assert!(matches!(peer.judge(604_900, 0, Some(0), Some(0)), Verdict::Again(_)));
        assert_eq!(peer.judge(605_000, 0, Some(0), Some(0)), Verdict::Dead);
    }

    /// The server is asked by whoever notices the sleep first, and may have answered before the judge looks again.
    #[test]
    fn an_answer_counts_even_if_the_judge_hears_of_the_question_later() {
        let mut peer = Peer::new();
        peer.judge(0, 0, Some(0), None);
        peer.ask(20_000, 2_000);
        assert!(matches!(peer.judge_once(20_003, 20_001, Some(20_001)), Verdict::Again(_)));
        assert!(matches!(peer.judge(23_500, 20_001, Some(20_001), None), Verdict::Again(_)));

        let mut peer = Peer::new();
        peer.judge(0, 0, Some(0), None);
        peer.ask(20_000, 2_000);
        assert!(matches!(peer.judge_once(20_003, 0, Some(0)), Verdict::Again(_)));
        assert_eq!(peer.judge(22_100, 0, Some(0), None), Verdict::Dead);
    }

    #[tokio::test]
    async fn an_answer_within_a_millisecond_is_later_than_its_question() {
        let pulse = Pulse::new();
        for _ in 0..1_000 {
            let asked = Instant::now();
            pulse.heard();
            assert!(pulse.noted().heard > asked);
        }
    }
}
