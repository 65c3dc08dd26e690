//! Which loopback address a new registry gets.

use crate::RegistryName;
use std::{collections::BTreeSet, net::Ipv4Addr};

/// All addresses of the pool are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no loopback address is left for another registry")]
pub struct AddressPoolExhausted;

/// Picks a free address of 127.77.0.0/16 for `name`: the same one on every machine where it is free (FNV-1a of
/// the name), the next free one otherwise. Addresses that end in 0 or 255 are passed over; some tools take them
/// for a network's or a broadcast address.
///
/// # Errors
/// [`AddressPoolExhausted`] when none is free.
pub fn pick_address(
    name: &RegistryName,
    taken: &BTreeSet<Ipv4Addr>,
) -> Result<Ipv4Addr, AddressPoolExhausted> {
    let start = name
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (0..=u16::MAX)
        .map(|step| {
            let [high, low] = (start as u16).wrapping_add(step).to_be_bytes();
            Ipv4Addr::new(127, 77, high, low)
        })
        .find(|address| !matches!(address.octets()[3], 0 | 255) && !taken.contains(address))
        .ok_or(AddressPoolExhausted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn picked_addresses_are_free_and_loopback(label in "[a-z]{1,20}", low in any::<[u8; 2]>()) {
            let name: RegistryName = format!("{label}.example").parse().unwrap();
            let mut taken = BTreeSet::from([Ipv4Addr::new(127, 77, low[0], low[1])]);
            for _ in 0..4 {
                let address = pick_address(&name, &taken).unwrap();
                prop_assert!(address.is_loopback());
                prop_assert!(taken.insert(address));
            }
        }
    }

    #[test]
    fn the_same_name_gets_the_same_address_everywhere() {
        let name = "cr.boss.org".parse().unwrap();
        assert_eq!(pick_address(&name, &BTreeSet::new()), pick_address(&name, &BTreeSet::new()));
    }
}
