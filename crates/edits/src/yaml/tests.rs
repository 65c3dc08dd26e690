//! The files as colima and Rancher Desktop make them, and as people change them.

use super::*;
use proptest::prelude::*;

const PATH: &str = "/home/a/.colima/default/colima.yaml";
const HOST: &str = "host.docker.internal:5000";

fn planned(entries: &[&str], current: &str) -> Result<Plan, Refused> {
    planned_after(&[], entries, current)
}

/// Where the record says that `owned` was added before.
fn planned_after(owned: &[&str], entries: &[&str], current: &str) -> Result<Plan, Refused> {
    let wanted = entries.iter().map(|entry| entry.parse().unwrap()).collect();
    let owned: Vec<String> = owned.iter().map(|&entry| entry.to_owned()).collect();
    colima(Path::new(PATH), &wanted, &owned, Some(current.as_bytes()))
}

fn text(plan: &Plan) -> String {
    String::from_utf8(plan.contents.clone().unwrap()).unwrap()
}

/// Beginning and end of abiosoft/colima's `embedded/defaults/colima.yaml`, shortened.
const DEFAULT: &str = "# Number of CPUs to be allocated to the virtual machine.\n# Default: 2\ncpu: 2\n\nnetwork:\n  address: false\n  dnsHosts:\n    example.com: 1.2.3.4\n\n# EXAMPLE - disable buildkit\n# docker:\n#   features:\n#     buildkit: false\ndocker: {}\n\nvmType: qemu\nmounts: []\nenv: {}\n";

#[test]
fn the_default_of_colima_gets_a_list_and_its_braces_back() {
    let plan = planned(&[HOST], DEFAULT).unwrap();
    let after = text(&plan);
    assert!(
        after.contains(
            "\ndocker: \n  # BEGIN dockline\n  # Written by Dockline, which replaces everything between these two markers.\n  insecure-registries:\n    - host.docker.internal:5000\n  # END dockline\n\nvmType: qemu\n"
        ),
        "{after}"
    );
    assert!(planned(&[HOST], &after).unwrap().satisfied);
    let other = text(&planned(&["host.docker.internal:5001"], &after).unwrap());
    assert!(other.contains("5001") && !other.contains("5000"));
    assert_eq!(text(&planned(&[], &other).unwrap()), DEFAULT);
}

#[test]
fn a_map_or_a_list_that_is_there_is_added_to() {
    for (theirs, expected) in [
        ("docker:\n    debug: true\n", "docker:\n    # BEGIN dockline\n"),
        (
            "docker:\n  insecure-registries:\n    - a.example:5000\nx: 1\n",
            "    - a.example:5000\n    # BEGIN dockline\n",
        ),
        (
            "docker:\n  insecure-registries:\n  - a.example:5000 \n",
            "  - a.example:5000 \n  # BEGIN dockline\n",
        ),
        ("cpu: 2", "cpu: 2\n# BEGIN dockline (and the line ending above)\n"),
        ("", "# BEGIN dockline\n"),
        ("docker: {}", "docker: \n  # BEGIN dockline (and the line ending above)\n"),
        ("docker: {}\r\nx: 1\r\n", "docker: \r\n  # BEGIN dockline\r\n"),
    ] {
        let after = text(&planned(&[HOST], theirs).unwrap());
        assert!(after.contains(expected), "{theirs:?}: {after}");
        assert!(after.contains("- host.docker.internal:5000"), "{after}");
        assert_eq!(text(&planned(&[], &after).unwrap()), theirs);
    }
    let theirs = "docker:\n  insecure-registries:\n    - \"host.docker.internal:5000\"\n";
    let plan = planned(&[HOST], theirs).unwrap();
    assert!(plan.satisfied && plan.owned.is_empty());
}

/// What colima's `yamlutil.Save` makes of a file: the values, with its own comments and none of ours.
#[test]
fn entries_whose_markers_colima_dropped_are_found_by_the_record() {
    const OTHER: &str = "host.docker.internal:5001";
    let regenerated =
        DEFAULT.replace("docker: {}\n", "docker:\n  insecure-registries:\n    - host.docker.internal:5000\n");
    // Undo: also the braces come back.
    let undo = planned_after(&[HOST], &[], &regenerated).unwrap();
    assert_eq!(text(&undo), DEFAULT);
    assert!(undo.owned.is_empty());
    // The same once more: nothing to do, and it stays ours.
    let again = planned_after(&[HOST], &[HOST], &regenerated).unwrap();
    assert!(again.satisfied && again.owned == [HOST], "{again:?}");
    // Another port: the old entry goes, and the new one has its markers.
    let moved = planned_after(&[HOST], &[OTHER], &regenerated).unwrap();
    let after = text(&moved);
    assert!(after.contains("- host.docker.internal:5001\n  # END") && !after.contains(":5000\n"), "{after}");
    assert_eq!(moved.owned, [OTHER]);
    assert_eq!(text(&planned_after(&[OTHER], &[], &after).unwrap()), DEFAULT);
    // One in the old form and one in a block.
    let both = planned_after(&[HOST], &[HOST, OTHER], &regenerated).unwrap();
    assert_eq!(both.owned, [HOST, OTHER]);
    let after = text(&both);
    assert!(planned_after(&[HOST, OTHER], &[HOST, OTHER], &after).unwrap().satisfied);
    assert_eq!(text(&planned_after(&[HOST, OTHER], &[], &after).unwrap()), DEFAULT);

    // What is the person's stays, be it beside ours.
    let theirs = "docker:\n  debug: true\n  insecure-registries:\n  - a.example:5000\n  - 'host.docker.internal:5000'\nx: 1\n";
    let without = "docker:\n  debug: true\n  insecure-registries:\n  - a.example:5000\nx: 1\n";
    assert_eq!(text(&planned_after(&[HOST], &[], theirs).unwrap()), without);
    assert_eq!(text(&planned_after(&[], &[], theirs).unwrap()), theirs);
    let only = "docker:\n  debug: true\n  insecure-registries:\n  - host.docker.internal:5000\n";
    assert_eq!(text(&planned_after(&[HOST], &[], only).unwrap()), "docker:\n  debug: true\n");
    // Where it was taken out already, a form that is not changed line by line is no obstacle.
    assert!(planned_after(&[HOST], &[], "docker: {debug: true}\n").unwrap().satisfied);
}

#[test]
fn a_file_that_colima_has_not_made_is_not_made_for_it() {
    let wanted = |entries: &[&str]| entries.iter().map(|entry| entry.parse().unwrap()).collect();
    let refused = colima(Path::new(PATH), &wanted(&[HOST]), &[], None);
    assert_eq!(refused.unwrap_err(), Refused::NoColima);
    // Whoever has removed colima has nothing to undo.
    assert!(colima(Path::new(PATH), &wanted(&[]), &[HOST.to_owned()], None).unwrap().satisfied);
}

#[test]
fn other_forms_are_refused() {
    for theirs in [
        "docker: {debug: true}\n",
        "docker:  {}\n",
        "docker: {} # default\n",
        "docker: \n",
        "docker:",
        "docker: null\n",
        "docker:\n  insecure-registries: []\n",
        "docker:\n  insecure-registries:\n",
        "docker:\n  insecure-registries:\n    - a: b\n",
        "docker:\n  - a\n",
        "docker:\n\tdebug: true\n",
        "docker: {}\ndocker: {}\n",
        "{docker: {}}\n",
        "\"docker\": {}\n",
        "---\na: 1\n---\ndocker: {}\n",
        "a: 1\n...\n",
        "- a\n",
        "\u{feff}docker: {}\n",
    ] {
        assert!(
            planned(&[HOST], theirs).is_err(),
            "{theirs:?}: {}",
            text(&planned(&[HOST], theirs).unwrap())
        );
    }
    assert!(matches!(planned(&["cr.boss.org:5000"], DEFAULT), Err(Refused::NameInsecure { .. })));
}

#[test]
fn rancher_desktop_gets_a_script_unless_it_has_one() {
    let plan = |script: Option<&str>, current: Option<&str>| {
        rancher(Path::new("/x/override.yaml"), script, current.map(str::as_bytes))
    };
    // docs.rancherdesktop.io, “Provisioning Scripts”.
    let made = plan(Some("one\ntwo\n"), None).unwrap();
    let after = text(&made);
    assert!(
        after.contains(
            "\nprovision:\n- mode: system\n  script: |\n    #!/bin/sh\n    one\n    two\n# END dockline\n"
        ),
        "{after}"
    );
    assert_eq!(plan(None, Some(&after)).unwrap().contents, None);
    let mounts = "mounts:\n- location: /some/path\n  writable: true\n";
    let after = text(&plan(Some("one\n"), Some(mounts)).unwrap());
    assert!(after.starts_with(mounts));
    assert_eq!(text(&plan(None, Some(&after)).unwrap()), mounts);
    let theirs = "provision:\n- mode: system\n  script: |\n    true\n";
    assert!(matches!(plan(Some("one\n"), Some(theirs)), Err(Refused::YamlForm { line: 1, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn foreign_bytes_survive_apply_and_undo(
        file in "((# x|a: 1|docker:|docker: \\{\\}|  debug: true|  insecure-registries:|    - a\\.b:1|  - c|b:|- d|    x: \\||---|)(\n|\r\n)){0,8}(docker: \\{\\}|z: 1)?",
        entries in prop::collection::btree_set("172\\.17\\.0\\.[1-4]:5000", 1..3),
    ) {
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        let Ok(applied) = planned(&entries, &file) else { return Ok(()) };
        let after = text(&applied);
        let are_there = entries.iter().all(|entry| after.contains(&format!("- {entry}")));
        prop_assert!(are_there);
        prop_assert!(planned(&entries, &after).unwrap().satisfied);
        prop_assert_eq!(text(&planned(&[], &after).unwrap()), file);
    }
}
