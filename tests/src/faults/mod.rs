//! A campaign of faults: transfers with checked digests while everything on the way goes wrong, at every phase.
//!
//! What must hold, whatever happens:
//!
//! - A transfer ends complete and right, or with an error that its program notices: never with the wrong bytes, and
//!   never with a clean end too early.
//! - It ends: what is cut off is given up within seconds.
//! - Where nobody needs to notice ([`Round::must_go_unnoticed`]), nobody does.
//! - As soon as the path is whole again, so is the tunnel.
//! - Nothing is left: no leases, tasks, open files, connections, no processes of sshd.
//!
//! A round is made from the campaign's seed and its own number, so the same seed brings the same faults, and a round
//! that found something can be had alone. When exactly bytes meet the fault is up to the machine.

mod dice;
mod plan;
mod transfer;
mod world;

pub use plan::{Length, Moment, Phase, Round, Trouble};
pub use transfer::{Ending, Kind, Transfer};

use crate::relay::{Fault, Scope, Trigger};
use std::{
    collections::BTreeMap,
    fmt, fs,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::{JoinSet, block_in_place},
    time::Instant,
};
use world::{Nature, World};

/// How long none of a round's transfers may move or end once the path is whole again, twice: a dead path is noticed
/// within 10 s, and a connection is held for 12 s.
const UNTIL_MOVED: Duration = Duration::from_secs(15);
/// How long the tunnel may take to be back then: the longest pause between dials, and a dial.
const UNTIL_BACK: Duration = Duration::from_secs(25);
/// Rounds of all worlds together between two checks that nothing is left over.
const LEG: u64 = 48;

/// What to do.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// What the rounds are made from.
    pub seed: u64,
    /// Which rounds.
    pub rounds: Range<u64>,
    /// How many happen at once, each with a host of its own. Round N happens in world N modulo this. Of four worlds one
    /// is plain, two rekey after each MiB, one has a jump host, and one a UNIX socket for a far end.
    pub worlds: u64,
    /// How long faults may last.
    pub length: Length,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Rounds so far.
    pub rounds: u64,
    /// Faults that struck while something was under way.
    pub struck: u64,
    /// Transfers by how they ended.
    pub endings: BTreeMap<&'static str, u64>,
    /// Everything that must not be, each with the round that showed it.
    pub violations: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rounds, {} faults struck; transfers:", self.rounds, self.struck)?;
        for (ending, count) in &self.endings {
            write!(f, " {count} {ending}")?;
        }
        write!(f, "; {} violations", self.violations.len())
    }
}

impl Campaign {
    /// Goes through all rounds. `told` hears of every leg.
    ///
    /// # Panics
    /// When a part of the lab does not start; ask [`crate::lab::requires`] first.
    pub async fn run(&self, mut told: impl FnMut(&Report)) -> Report {
        let mut report = Report::default();
        let mut worlds = Vec::new();
        for number in 0..self.worlds {
            worlds.push(World::new(Nature::of(number)).await);
        }
        // Once through, so that what is made once is there before anything is counted.
        for world in &worlds {
            assert!(world.recovers(0, Instant::now() + UNTIL_BACK).await, "nothing is wrong yet");
        }
        let before = Left::after(&worlds, &Left::default(), &mut report).await;
        let mut next = self.rounds.start;
        while next < self.rounds.end {
            let leg = next..self.rounds.end.min(next + LEG.max(self.worlds));
            worlds = self.leg(worlds, leg.clone(), &mut report).await;
            let left = Left::after(&worlds, &before, &mut report).await;
            if let Some(more) = left.more_than(&before) {
                report.violations.push(format!(
                    "seed {}, after the rounds {leg:?}: {more} more than before them",
                    self.seed
                ));
            }
            next = leg.end;
            told(&report);
        }
        for world in worlds {
            if let Err(violation) = world.end().await {
                report.violations.push(violation);
            }
        }
        report
    }

    /// Some rounds, in all worlds at once.
    async fn leg(&self, worlds: Vec<World>, rounds: Range<u64>, report: &mut Report) -> Vec<World> {
        let mut running = JoinSet::new();
        for (number, mut world) in worlds.into_iter().enumerate() {
            let (seed, length, count) = (self.seed, self.length, self.worlds);
            let mine: Vec<u64> = rounds.clone().filter(|round| round % count == number as u64).collect();
            running.spawn(async move {
                let mut outcomes = Vec::new();
                for round in mine {
                    outcomes.push(world.round(&Round::new(seed, round, length)).await);
                }
                (number, world, outcomes)
            });
        }
        let mut worlds: Vec<(usize, World)> = Vec::new();
        while let Some(ended) = running.join_next().await {
            let (number, world, outcomes) = ended.expect("a world's rounds do not panic");
            worlds.push((number, world));
            for outcome in outcomes {
                report.add(self.seed, outcome);
            }
        }
        worlds.sort_by_key(|(number, _)| *number);
        worlds.into_iter().map(|(_, world)| world).collect()
    }
}

impl Report {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.rounds += 1;
        self.struck += u64::from(outcome.struck);
        for ending in &outcome.endings {
            let name = match ending {
                Some(Ending::Right) => "right",
                Some(Ending::Broken(_)) => "broken",
                Some(Ending::Abandoned) => "abandoned",
                Some(Ending::Short { .. }) => "SHORT",
                Some(Ending::Wrong) => "WRONG",
                None => "HUNG",
            };
            *self.endings.entry(name).or_default() += 1;
        }
        for violation in outcome.violations {
            self.violations.push(format!(
                "seed {seed}, round {}: {violation}\n    {:?}\n    endings {:?}",
                outcome.round.number, outcome.round, outcome.endings
            ));
        }
    }
}

/// What one round came to.
struct Outcome {
    round: Round,
    struck: bool,
    /// Of each transfer; `None` for one that did not end.
    endings: Vec<Option<Ending>>,
    violations: Vec<String>,
}

impl World {
    async fn round(&mut self, round: &Round) -> Outcome {
        if round.phase.is_cold() {
            self.tunnel.disconnect(true).await;
        } else if !self.recovers(round.number, Instant::now() + UNTIL_BACK).await {
            let violations =
                vec![format!("nothing comes through before the fault: {:?}", self.tunnel.view())];
            return Outcome { round: round.clone(), struck: false, endings: Vec::new(), violations };
        }
        let address = self.address;
        let mut struck = self.relay.struck();
        struck.mark_unchanged();
        let path = match round.trouble {
            Trouble::Path { fault, scope } => Some((fault, scope)),
            Trouble::Slow(_)
            | Trouble::Freeze
            | Trouble::KillSessions
            | Trouble::RestartSshd
            | Trouble::LinkDown
            | Trouble::Disconnect => None,
        };
        // While a session is being made, nothing may move until the right process is killed.
        let holds_still = path.is_none() && round.phase.is_cold();
        let mark = if holds_still { Fault::Stall } else { Fault::Mark };
        let (fault, scope) = path.unwrap_or((mark, Scope::Path));
        let trigger = match round.moment {
            Moment::Handshake(way, bytes) => Some(Trigger::connection(way, bytes)),
            Moment::Carried(way, bytes) => Some(Trigger::total(way, bytes)),
            Moment::FirstEnd => None,
        };
        if let Some(trigger) = trigger {
            self.relay.arm(trigger, fault, scope);
        }
        let mut running = JoinSet::new();
        let moved = Arc::new(AtomicU64::new(0));
        for (number, transfer) in round.transfers.iter().copied().enumerate() {
            let moved = moved.clone();
            running.spawn(async move { (number, transfer.run(address, &moved).await) });
        }
        let mut endings = vec![None; round.transfers.len()];
        // Until it strikes, or there is nothing left to strike at.
        let has_struck = loop {
            tokio::select! {
                biased;
                _ = struck.changed() => break true,
                ended = running.join_next() => match ended {
                    Some(ended) => {
                        let (number, ending) = ended.expect("a transfer does not panic");
                        endings[number] = Some(ending);
                        if trigger.is_none() {
                            break true;
                        }
                    }
                    None => break false,
                },
            }
        };
        if has_struck {
            match path {
                Some((fault, _)) if trigger.is_none() => self.relay.inflict(fault),
                Some(_) => {}
                None => self.inflict(round.trouble).await,
            }
            if holds_still {
                self.relay.mend();
            }
            let lasting = tokio::time::sleep(round.lasting);
            tokio::pin!(lasting);
            // Transfers go on ending, or not, meanwhile.
            loop {
                tokio::select! {
                    () = &mut lasting => break,
                    Some(ended) = running.join_next() => {
                        let (number, ending) = ended.expect("a transfer does not panic");
                        endings[number] = Some(ending);
                    }
                }
            }
            self.end_of(round.trouble).await;
        }
        self.mend();
        let mut hung = false;
        let mut before = None;
        while !running.is_empty() && !hung {
            match tokio::time::timeout(UNTIL_MOVED, running.join_next()).await {
                Ok(Some(ended)) => {
                    let (number, ending) = ended.expect("a transfer does not panic");
                    endings[number] = Some(ending);
                }
                Ok(None) => {}
                // Slow, on a machine that is busy with other things, is not hung.
                Err(_) => {
                    hung =
                        before.replace(moved.load(Ordering::Relaxed)) == Some(moved.load(Ordering::Relaxed))
                }
            }
        }
        running.shutdown().await;
        let violations = self.violations(round, &endings, hung).await;
        Outcome { round: round.clone(), struck: has_struck, endings, violations }
    }

    async fn violations(&self, round: &Round, endings: &[Option<Ending>], hung: bool) -> Vec<String> {
        let mut violations = Vec::new();
        if hung {
            violations
                .push(format!("transfers hang although the path is whole again: {:?}", self.tunnel.view()));
        }
        for ending in endings.iter().flatten().filter(|ending| ending.is_a_lie()) {
            violations.push(format!("a transfer looks complete and is not: {ending:?}"));
        }
        if round.must_go_unnoticed() {
            for ending in endings.iter().flatten() {
                if let Ending::Broken(kind) = ending {
                    violations.push(format!("a transfer broke ({kind}) over what could have been bridged"));
                }
            }
        }
        if !self.recovers(round.number, Instant::now() + UNTIL_BACK).await {
            violations.push(format!(
                "nothing comes through within {UNTIL_BACK:?} of the path being whole: {:?}",
                self.tunnel.view()
            ));
        }
        if let Err(left) = self.lets_go().await {
            violations.push(left);
        }
        violations
    }

    /// What the relay cannot do.
    async fn inflict(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Path { .. } => {}
            Trouble::Slow(link) => self.relay.set_links(link),
            Trouble::Freeze => block_in_place(|| self.host.freeze(true)),
            Trouble::KillSessions => block_in_place(|| self.host.end_sessions()),
            Trouble::RestartSshd => block_in_place(|| self.host.stop_sshd()),
            Trouble::LinkDown => block_in_place(|| self.host.cut_link()),
            Trouble::Disconnect => self.tunnel.disconnect(true).await,
        }
    }

    async fn end_of(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Path { .. } | Trouble::Slow(_) | Trouble::KillSessions | Trouble::Disconnect => {}
            Trouble::Freeze => block_in_place(|| self.host.freeze(false)),
            Trouble::RestartSshd => block_in_place(|| self.host.start_sshd()),
            Trouble::LinkDown => block_in_place(|| self.host.mend_link()),
        }
    }
}

/// What is there when nothing is under way.
#[derive(Debug, Default)]
struct Left {
    tasks: usize,
    files: usize,
}

impl Left {
    /// Closes every tunnel and counts what is left, once that has come down to what it was, or does not any more.
    async fn after(worlds: &[World], before: &Self, report: &mut Report) -> Self {
        const LOOKS: u32 = 60;
        for world in worlds {
            if let Err(left) = world.close().await {
                report.violations.push(left);
            }
        }
        let mut now = Self::now();
        // Tasks that have been told to end need a moment for it, and so do a baseline's first ones.
        for _ in 0..LOOKS {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let last = std::mem::replace(&mut now, Self::now());
            if now.more_than(before).is_none() || (before.files == 0 && now.tasks == last.tasks) {
                break;
            }
        }
        now
    }

    fn now() -> Self {
        Self {
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
            files: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        }
    }

    fn more_than(&self, before: &Self) -> Option<String> {
        let (tasks, files) =
            (self.tasks.saturating_sub(before.tasks), self.files.saturating_sub(before.files));
        (tasks + files > 0).then(|| format!("{tasks} tasks and {files} open files"))
    }
}
