//! Who holds a tunnel, in words.

use crate::strings::Tongue;
use dockline_model::{LeaseHolder, LeaseView, TransferKind, TransferView};
use std::collections::BTreeMap;

/// `you`, `dockerd`, `the push of app:v1`, `2 pulls`: each kind of holder once, the person first, programs by name,
/// transfers last.
#[must_use]
pub fn holders(leases: &[LeaseView], transfers: &[TransferView], tongue: Tongue) -> Vec<String> {
    let (mut manual, mut terminals, mut pushes, mut pulls) = (false, 0_usize, Vec::new(), Vec::new());
    let mut programs = BTreeMap::<&str, usize>::new();
    for lease in leases {
        match &lease.holder {
            // The person's own, in this window most of the time.
            LeaseHolder::Manual | LeaseHolder::Visit => manual = true,
            LeaseHolder::Face { .. } => terminals += 1,
            LeaseHolder::Transfer { id } => {
                let transfer = transfers.iter().find(|t| t.id == *id);
                match transfer.map(|t| t.kind) {
                    Some(TransferKind::Pull) => pulls.push(transfer),
                    Some(TransferKind::Push | TransferKind::Ship | TransferKind::Copy) | None => {
                        pushes.push(transfer);
                    }
                }
            }
            LeaseHolder::Connection { .. } => {
                *programs.entry(lease.program.as_deref().unwrap_or(tongue.a_program())).or_default() += 1;
            }
        }
    }
    let mut said = Vec::new();
    said.extend(manual.then(|| tongue.you().to_owned()));
    said.extend(counted(terminals, tongue.terminals()));
    said.extend(programs.into_keys().map(str::to_owned));
    for (transfers, counts) in [(pushes, tongue.pushes()), (pulls, tongue.pulls())] {
        said.extend(match transfers.as_slice() {
            [Some(only)] => Some(tongue.the_transfer(only.kind, &only.source)),
            several => counted(several.len(), counts),
        });
    }
    said
}

/// “1 push”, “2 pushes”; nothing where there is none.
#[must_use]
pub fn counted(count: usize, [one, many]: [&str; 2]) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        more => Some(format!("{more} {many}")),
    }
}
