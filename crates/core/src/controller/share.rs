//! What crosses a tunnel, and for which transfer. Only the tunnel knows what has really gone: what our own client hands
//! over waits in buffers for a while, and an engine does not say at all how much it sends. But the tunnel does not know
//! for whom it carries, so what it has carried since the last look is divided: our client's transfers get no more than
//! they have handed over, and the rest is the engines'. A program of somebody else's that uses the same tunnel meanwhile is
//! counted with these: nothing tells its bytes from theirs, since all of them are dockerd's.

use dockline_tunnel::Carried;

/// One transfer's part so far.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// Bytes that crossed the tunnel for it by an engine's hands.
    engines: u64,
    /// Those that our client handed over, as far as they have crossed.
    own: u64,
    /// What the tunnel had carried at the last look.
    seen: Option<u64>,
}

impl Share {
    /// What is carried until the next look is not its own.
    pub(super) const fn rest(&mut self) {
        self.seen = None;
    }

    /// Bytes that crossed the tunnel for it so far.
    pub(super) const fn sum(&self) -> u64 {
        self.engines + self.own
    }

    /// The same once it is over: what our client has handed over has arrived, for it was answered.
    pub(super) const fn sum_at_the_end(&self, handed_over: u64) -> u64 {
        self.engines + handed_over
    }
}

/// A transfer under way, as it is divided.
pub(super) struct Part<'a, T = Carried> {
    pub(super) tunnel: T,
    /// Whether it goes to the registry.
    pub(super) is_up: bool,
    /// Whether an engine moves it at present.
    pub(super) is_engines: bool,
    /// What our own client has handed over for it.
    pub(super) own: u64,
    pub(super) share: &'a mut Share,
}

/// What a tunnel tells of itself.
pub(super) trait Counts {
    fn carried(&self, is_up: bool) -> u64;
    fn is_same(&self, other: &Self) -> bool;
}

impl Counts for Carried {
    fn carried(&self, is_up: bool) -> u64 {
        if is_up { self.up() } else { self.down() }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.is_of_the_same(other)
    }
}

/// How a part stands at a look.
#[derive(Clone, Copy)]
struct Standing {
    /// What its tunnel has carried in all.
    now: u64,
    /// And since the last look, if there was one.
    since: Option<u64>,
    /// Handed over by our client, and not counted as crossed yet.
    waiting: u64,
}

/// Divides what was carried since the last look.
pub(super) fn divide<T: Counts>(parts: &mut [Part<'_, T>]) {
    let standings: Vec<Standing> = parts
        .iter()
        .map(|part| {
            let now = part.tunnel.carried(part.is_up);
            Standing {
                now,
                since: part.share.seen.map(|then| now.saturating_sub(then)),
                waiting: part.own.saturating_sub(part.share.own),
            }
        })
        .collect();
    let gains: Vec<(u64, u64)> = parts
        .iter()
        .zip(&standings)
        .map(|(part, standing)| {
            let Some(carried) = standing.since else { return (0, 0) };
            let together: Vec<(&Part<'_, T>, &Standing)> = parts
                .iter()
                .zip(&standings)
                .filter(|(other, _)| other.is_up == part.is_up && part.tunnel.is_same(&other.tunnel))
                .collect();
            let waiting: u64 = together.iter().map(|(_, other)| other.waiting).sum();
            let clients = together.iter().filter(|(_, other)| other.waiting > 0).count() as u64;
            let engines = together.iter().filter(|(other, _)| other.is_engines).count() as u64;
            let most = carried.saturating_mul(clients) / (clients + engines).max(1);
            let ours = waiting.min(most);
            let own = u128::from(ours) * u128::from(standing.waiting) / u128::from(waiting.max(1));
            let engines_part = if part.is_engines { (carried - ours) / engines.max(1) } else { 0 };
            (engines_part, u64::try_from(own).unwrap_or(ours))
        })
        .collect();
    for ((part, standing), (engines, own)) in parts.iter_mut().zip(standings).zip(gains) {
        part.share.engines += engines;
        part.share.own += own;
        part.share.seen = Some(standing.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    struct Tunnel {
        name: u8,
        up: u64,
        down: u64,
    }

    impl Counts for Tunnel {
        fn carried(&self, is_up: bool) -> u64 {
            if is_up { self.up } else { self.down }
        }

        fn is_same(&self, other: &Self) -> bool {
            self.name == other.name
        }
    }

    #[test]
    fn what_a_tunnel_carries_is_its_transfers() {
        let mut shares: [Share; 5] = Default::default();
        let mut look = |up: u64, down: u64, ours: u64, engines: [bool; 2]| {
            let [first, second, pull, direct, elsewhere] = &mut shares;
            let one = Tunnel { name: 1, up, down };
            let two = Tunnel { name: 2, up: up * 100, down };
            let part = |tunnel, is_up, is_engines, own, share| Part { tunnel, is_up, is_engines, own, share };
            divide(&mut [
                part(one, true, engines[0], 0, first),
                part(one, true, engines[1], 0, second),
                part(one, false, true, 0, pull),
                part(one, true, false, ours, direct),
                part(two, true, true, 0, elsewhere),
            ]);
            shares.each_ref().map(Share::sum)
        };
        // What was carried before the first look is nobody's.
        assert_eq!(look(1000, 500, 0, [true, true]), [0, 0, 0, 0, 0]);
        // Two of them share; a pull has its own direction, another tunnel its own figures.
        assert_eq!(look(1200, 550, 0, [true, true]), [100, 100, 50, 0, 20_000]);
        // Our client has handed over more than its part of what was carried.
        assert_eq!(look(1500, 550, 200, [true, true]), [200, 200, 50, 100, 50_000]);
        // One engine has ended its work.
        assert_eq!(look(1600, 550, 200, [true, false]), [250, 200, 50, 150, 60_000]);
        // Handed over is not yet carried.
        assert_eq!(look(1600, 550, 300, [true, false]), [250, 200, 50, 150, 60_000]);
        // What is left of it, and no more; the rest is a stranger's.
        assert_eq!(look(2000, 550, 300, [false, false]), [250, 200, 50, 300, 100_000]);
        assert_eq!(shares[3].sum_at_the_end(320), 320);
    }
}
