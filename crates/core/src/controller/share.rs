//! What crosses a tunnel while engines push and pull through it: an engine does not say how much it sends, and the
//! tunnel does not know for which transfer. So what it has carried beyond what our own client moved is divided among the
//! transfers that engines move through it at that time. A program of somebody else's that uses the same tunnel meanwhile
//! is counted with them: nothing tells its bytes from theirs, since all of them are dockerd's.

use dockline_tunnel::Carried;

/// One transfer's part so far.
#[derive(Debug, Default)]
pub(super) struct Share {
    sum: u64,
    /// What the tunnel had carried, and our client had moved for this transfer, at the last look.
    seen: Option<(u64, u64)>,
}

impl Share {
    /// What is carried until the next look is not its own.
    pub(super) const fn rest(&mut self) {
        self.seen = None;
    }

    /// Bytes that crossed the tunnel for it by an engine's hands.
    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }
}

/// A transfer under way, as it is divided.
pub(super) struct Part<'a, T = Carried> {
    pub(super) tunnel: T,
    /// Whether it goes to the registry.
    pub(super) is_up: bool,
    /// Whether an engine moves it at present.
    pub(super) is_engines: bool,
    /// What our own client has moved for it.
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

/// Divides what was carried since the last look.
pub(super) fn divide<T: Counts>(parts: &mut [Part<'_, T>]) {
    // Of each part: what its tunnel has carried by now, and since the last look; what our client has moved since.
    let looked: Vec<(u64, Option<u64>, u64)> = parts
        .iter()
        .map(|part| {
            let now = part.tunnel.carried(part.is_up);
            let (then, own) = part.share.seen.map_or((None, part.own), |(then, own)| (Some(then), own));
            (now, then.map(|then| now.saturating_sub(then)), part.own.saturating_sub(own))
        })
        .collect();
    let together = |part: &Part<'_, T>, other: &Part<'_, T>| {
        part.is_up == other.is_up && part.tunnel.is_same(&other.tunnel)
    };
    let shares: Vec<u64> = parts
        .iter()
        .zip(&looked)
        .map(|(part, (_, carried, _))| {
            let Some(carried) = carried.filter(|_| part.is_engines) else { return 0 };
            let ours: u64 = parts
                .iter()
                .zip(&looked)
                .filter(|(other, _)| together(part, other))
                .map(|(_, (_, _, own))| own)
                .sum();
            let engines = parts.iter().filter(|other| other.is_engines && together(part, other)).count();
            carried.saturating_sub(ours) / (engines.max(1) as u64)
        })
        .collect();
    for ((part, (now, ..)), share) in parts.iter_mut().zip(looked).zip(shares) {
        part.share.sum += share;
        part.share.seen = Some((now, part.own));
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
    fn what_a_tunnel_carries_is_its_engines_transfers() {
        let mut shares: [Share; 5] = Default::default();
        let mut look = |up: u64, down: u64, direct: u64, engines: [bool; 2]| {
            let [first, second, pull, ours, elsewhere] = &mut shares;
            let one = Tunnel { name: 1, up, down };
            let two = Tunnel { name: 2, up: up * 100, down };
            let part = |tunnel, is_up, is_engines, own, share| Part { tunnel, is_up, is_engines, own, share };
            divide(&mut [
                part(one, true, engines[0], 0, first),
                part(one, true, engines[1], 0, second),
                part(one, false, true, 0, pull),
                part(one, true, false, direct, ours),
                part(two, true, true, 0, elsewhere),
            ]);
            shares.each_ref().map(Share::sum)
        };
        // What was carried before the first look is nobody's.
        assert_eq!(look(1000, 500, 0, [true, true]), [0, 0, 0, 0, 0]);
        // Two of them share; a pull has its own direction, another tunnel its own figures.
        assert_eq!(look(1200, 550, 0, [true, true]), [100, 100, 50, 0, 20_000]);
        // What our own client moves is not theirs.
        assert_eq!(look(1500, 550, 200, [true, true]), [150, 150, 50, 0, 50_000]);
        // One has ended its work.
        assert_eq!(look(1600, 550, 200, [true, false]), [250, 150, 50, 0, 60_000]);
        // A count that lags behind takes nothing away.
        assert_eq!(look(1600, 550, 300, [true, false]), [250, 150, 50, 0, 60_000]);
    }
}
