//! daemon.json as people, packages and products write it.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const PATH: &str = "/etc/docker/daemon.json";
const GATEWAY: &str = "172.17.0.1:5000";

fn wanted(entries: &[&str]) -> BTreeSet<Authority> {
    entries.iter().map(|entry| entry.parse().unwrap()).collect()
}

fn planned(entries: &[&str], owned: &[&str], current: &[u8]) -> Result<Plan, Refused> {
    let owned: Vec<String> = owned.iter().map(|entry| (*entry).to_owned()).collect();
    plan(Path::new(PATH), &wanted(entries), &owned, Some(current))
}

fn text(plan: &Plan) -> String {
    String::from_utf8(plan.contents.clone().unwrap()).unwrap()
}

#[test]
fn the_entry_is_added_in_the_files_own_style_and_taken_out_again() {
    for (before, after, undone) in [
        // As a person writes it.
        (
            "{\n  \"log-driver\": \"journald\",\n  \"features\": { \"buildkit\": true }\n}\n",
            "{\n  \"log-driver\": \"journald\",\n  \"features\": { \"buildkit\": true },\n  \"insecure-registries\": [\"172.17.0.1:5000\"]\n}\n",
            "{\n  \"log-driver\": \"journald\",\n  \"features\": { \"buildkit\": true },\n  \"insecure-registries\": []\n}\n",
        ),
        // Tabs and CRLF.
        (
            "{\r\n\t\"debug\" : true\r\n}",
            "{\r\n\t\"debug\" : true,\r\n\t\"insecure-registries\" : [\"172.17.0.1:5000\"]\r\n}",
            "{\r\n\t\"debug\" : true,\r\n\t\"insecure-registries\" : []\r\n}",
        ),
        ("{}", "{\"insecure-registries\": [\"172.17.0.1:5000\"]}", "{\"insecure-registries\": []}"),
        (
            "{\"a\":1}",
            "{\"a\":1,\"insecure-registries\":[\"172.17.0.1:5000\"]}",
            "{\"a\":1,\"insecure-registries\":[]}",
        ),
        // A list is there: undo gives back the very bytes.
        (
            "{\"insecure-registries\": [ ], \"x\": \"]}\"}",
            "{\"insecure-registries\": [\"172.17.0.1:5000\" ], \"x\": \"]}\"}",
            "{\"insecure-registries\": [ ], \"x\": \"]}\"}",
        ),
        (
            "{\n  \"insecure-registries\": [\n    \"10.0.0.1:5000\"\n  ]\n}",
            "{\n  \"insecure-registries\": [\n    \"10.0.0.1:5000\",\n    \"172.17.0.1:5000\"\n  ]\n}",
            "{\n  \"insecure-registries\": [\n    \"10.0.0.1:5000\"\n  ]\n}",
        ),
        (
            "{\"insecure-registries\":[\"a\",\"b\"]}",
            "{\"insecure-registries\":[\"a\",\"b\",\"172.17.0.1:5000\"]}",
            "{\"insecure-registries\":[\"a\",\"b\"]}",
        ),
    ] {
        let applied = planned(&[GATEWAY], &[], before.as_bytes()).unwrap();
        assert_eq!(text(&applied), after);
        assert_eq!(applied.owned, [GATEWAY]);
        let gone = planned(&[], &[GATEWAY], after.as_bytes()).unwrap();
        assert_eq!(text(&gone), undone);
        assert_eq!(gone.owned, [""; 0]);
    }
}

#[test]
fn a_missing_file_is_written_and_keeps_an_empty_list_after_undo() {
    let made = plan(Path::new(PATH), &wanted(&[GATEWAY]), &[], None).unwrap();
    assert_eq!(text(&made), "{\n  \"insecure-registries\": [\"172.17.0.1:5000\"]\n}\n");
    let undone = planned(&[], &[GATEWAY], text(&made).as_bytes()).unwrap();
    assert_eq!(text(&undone), "{\n  \"insecure-registries\": []\n}\n");
    assert!(plan(Path::new(PATH), &wanted(&[]), &[], None).unwrap().satisfied);
}

#[test]
fn what_the_person_had_is_never_owned_and_never_removed() {
    let theirs = br#"{"insecure-registries": ["172.17.0.1:5000"]}"#;
    let plan = planned(&[GATEWAY], &[], theirs).unwrap();
    assert!(plan.satisfied && plan.owned.is_empty());
    assert!(planned(&[], &[], theirs).unwrap().satisfied);
    // Ours and theirs, ours first: theirs stays.
    let both = br#"{"insecure-registries": ["172.17.0.1:5000", "mine"]}"#;
    assert_eq!(text(&planned(&[], &[GATEWAY], both).unwrap()), r#"{"insecure-registries": ["mine"]}"#);
}

#[test]
fn what_dockerd_would_ignore_or_choke_on_is_refused() {
    for (bytes, why) in [
        (&b""[..], "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"{\"a\": \"\xff\"}", "UTF-8"),
        (b"{\"a\": 1,}", "valid JSON"),
        (b"{} {}", "valid JSON"),
        (b"{ // no\n}", "valid JSON"),
        (b"[]", "not an object"),
        (b"{\"a\": 1, \"a\": 2}", "twice"),
        (b"{\"a\": {\"b\": 1, \"\\u0062\": 2}}", "twice"),
        (b"{\"Insecure-Registries\": []}", "capital"),
        (b"{\"insecure-registries\": null}", "list"),
        (b"{\"insecure-registries\": \"x\"}", "list"),
        (b"{\"insecure-registries\": [1]}", "list"),
    ] {
        for entries in [&[GATEWAY][..], &[]] {
            let refused = planned(entries, &[], bytes).unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
            assert!(refused.remedy().ends_with('.'), "{}", refused.remedy());
        }
    }
}

#[test]
fn a_name_is_never_made_insecure() {
    for (entry, why) in [("cr.boss.org:5000", "a name"), ("8.8.8.8:5000", "neither")] {
        let refused = planned(&[entry], &[], b"{}").unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    for entry in ["host.docker.internal:5000", "127.77.1.1:5000", "10.1.2.3:5000"] {
        assert!(planned(&[entry], &[], b"{}").is_ok(), "{entry}");
    }
}

/// Any JSON object, with any layout.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,6}|[\\[\\]{},:\"\\\\]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\\\\ ]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_file() -> impl Strategy<Value = String> {
    let list = prop::option::of(prop::collection::vec("[a-z]{1,4}:5000|172\\.17\\.0\\.1:5000", 0..4));
    (prop::collection::btree_map("[a-z-]{1,5}", any_json(), 0..4), list, 0..3u8).prop_map(
        |(map, list, layout)| {
            let mut value = Value::Object(map.into_iter().collect());
            if let Some(list) = list {
                value[KEY] = json!(list);
            }
            match layout {
                0 => value.to_string(),
                1 => serde_json::to_string_pretty(&value).unwrap() + "\n",
                _ => serde_json::to_string_pretty(&value).unwrap().replace('\n', "\r\n"),
            }
        },
    )
}

/// The text with Dockline's own key cut out.
fn without_key(text: &str) -> String {
    let object = json::object(text).unwrap();
    let place = object.members.iter().position(|member| member.key == KEY).unwrap();
    let member = &object.members[place];
    let start = if place == 0 { member.key_at.start } else { object.members[place - 1].value_at.end };
    format!("{}{}", &text[..start], &text[member.value_at.end..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn foreign_bytes_survive_apply_and_undo(
        file in any_file(),
        entries in prop::collection::btree_set("(127\\.77\\.1\\.[1-4]|172\\.17\\.0\\.1):5000", 0..4),
    ) {
        let before: Value = serde_json::from_str(&file).unwrap();
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        let applied = planned(&entries, &[], file.as_bytes()).unwrap();
        let after = text(&applied);
        let read: Value = serde_json::from_str(&after).unwrap();
        for entry in &entries {
            prop_assert!(read[KEY].as_array().unwrap().contains(&json!(entry)));
        }
        let owned: Vec<&str> = applied.owned.iter().map(String::as_str).collect();
        prop_assert!(planned(&entries, &owned, after.as_bytes()).unwrap().satisfied);
        let undone = text(&planned(&[], &owned, after.as_bytes()).unwrap());
        if before.get(KEY).is_some() || owned.is_empty() {
            prop_assert_eq!(undone, file);
        } else {
            let read: Value = serde_json::from_str(&undone).unwrap();
            prop_assert_eq!(&read[KEY], &json!([]));
            prop_assert_eq!(without_key(&undone), file);
        }
    }

    #[test]
    fn any_bytes_are_planned_or_refused(file in prop::collection::vec(any::<u8>(), 0..64), braces in any::<bool>()) {
        let file = if braces { [b"{".as_slice(), &file, b"}"].concat() } else { file };
        if let Ok(applied) = planned(&[GATEWAY], &[], &file) {
            let owned: Vec<&str> = applied.owned.iter().map(String::as_str).collect();
            prop_assert!(planned(&[], &owned, text(&applied).as_bytes()).is_ok());
        }
    }
}
