//! What reads system files, and what the helper is asked.

use dockline_edits::{Authority, HelperRequest, daemon_json, hosts};
use serde_json::Value;
use std::{collections::BTreeSet, net::Ipv4Addr, path::Path};

/// The entries that the first byte chooses.
fn entries(which: u8) -> Vec<hosts::Entry> {
    [("cr.boss.org", 1), ("b.example", 2), ("c.b.example", 3)]
        .into_iter()
        .enumerate()
        .filter(|(number, _)| which & (1 << number) != 0)
        .map(|(_, (name, last))| hosts::Entry {
            name: name.parse().expect("a registry's name"),
            address: Ipv4Addr::new(127, 77, 1, last),
        })
        .collect()
}

/// The hosts file: what is planned holds afterwards, planning it again changes nothing, and taking it out again
/// leaves every byte that was not Dockline's.
pub fn hosts_file(data: &[u8]) {
    let Some((which, file)) = data.split_first() else { return };
    let plan = |entries: &[hosts::Entry], file: &[u8]| {
        let plan = hosts::plan(Path::new("hosts"), entries, None, file).ok()?;
        Some(plan.contents.expect("the hosts file never goes"))
    };
    let Some(foreign) = plan(&[], file) else { return };
    let entries = entries(*which);
    let Some(with) = plan(&entries, file) else { return };
    for entry in &entries {
        assert_eq!(hosts::lookup(&with, &entry.name), Some(entry.address.into()), "an entry does not count");
    }
    assert_eq!(plan(&entries, &with).as_deref(), Some(&with[..]), "planning again changes something");
    assert_eq!(plan(&[], &with).as_deref(), Some(&foreign[..]), "somebody else's bytes changed");
}

/// dockerd's settings: what is planned is in the list, every other setting is as it was, and taking it out again
/// leaves the list as it was. A file that is no JSON is left alone.
pub fn daemon_json(data: &[u8]) {
    let Some((which, file)) = data.split_first() else { return };
    let wanted: BTreeSet<Authority> = ["127.77.1.1:5000", "172.17.0.1:5000"]
        .into_iter()
        .enumerate()
        .filter(|(number, _)| which & (1 << number) != 0)
        .map(|(_, text)| text.parse().expect("an address and a port"))
        .collect();
    let path = Path::new("daemon.json");
    let Ok(done) = daemon_json::plan(path, &wanted, &[], Some(file)) else { return };
    let before: Value = serde_json::from_slice(file).expect("only JSON is changed");
    let after = done.contents.expect("a file that was there stays");
    let parsed: Value = serde_json::from_slice(&after).expect("what was JSON stays JSON");
    for entry in &wanted {
        assert!(list(&parsed).contains(&entry.to_string()), "{entry} is not in the list");
    }
    assert_eq!(others(&parsed), others(&before), "another setting changed");
    assert!(list(&before).iter().all(|entry| list(&parsed).contains(entry)), "an entry went");

    let undone =
        daemon_json::plan(path, &BTreeSet::new(), &done.owned, Some(&after)).expect("undo is possible");
    let undone = undone.contents.expect("a file that was there stays");
    let undone: Value = serde_json::from_slice(&undone).expect("what was JSON stays JSON");
    assert_eq!(others(&undone), others(&before), "undo changed another setting");
    assert_eq!(list(&undone), list(&before), "undo did not put the list back");
}

fn list(settings: &Value) -> Vec<String> {
    let entries = settings.get(daemon_json::KEY).and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}

fn others(settings: &Value) -> Value {
    let mut settings = settings.clone();
    if let Value::Object(members) = &mut settings {
        members.remove(daemon_json::KEY);
    }
    settings
}

/// A request to the helper reads back as it was written, and one with anything more in it does not read: what an
/// older helper passed over in silence, a newer Dockline would believe done.
pub fn helper_request(data: &[u8]) {
    let Ok(request) = serde_json::from_slice::<HelperRequest>(data) else { return };
    let written = serde_json::to_value(&request).expect("a request is JSON");
    let again: HelperRequest = serde_json::from_value(written.clone()).expect("what is written reads");
    assert_eq!(again, request);
    let Value::Object(mut more) = written else { panic!("a request is an object") };
    more.insert("path".to_owned(), Value::from("/etc/shadow"));
    assert!(
        serde_json::from_value::<HelperRequest>(more.into()).is_err(),
        "a path can be smuggled in: {request:?}"
    );
}
