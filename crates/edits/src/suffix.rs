//! Names under which anybody can have a name: `co.uk`, `github.io` (publicsuffix.org, "Format").
//!
//! The list is text, shorter by nine tenths than the code that the `psl` crate makes of it, and there is one crate less in
//! what runs elevated. The tests hold it against that crate.

/// A line for each suffix that has others below it: that suffix, then their first labels; `*` is any, `!` all but this.
const LIST: &str = include_str!("../data/public-suffixes.txt");

/// Whether `name`, in lower case, is a public suffix itself. One without a dot always is, listed or not.
pub(crate) fn is_public(name: &str) -> bool {
    let Some((label, parent)) = name.split_once('.') else { return true };
    let below = |line: &'static str| line.strip_prefix(parent)?.strip_prefix(' ');
    let Some(labels) = LIST.lines().find_map(below) else { return false };
    let is_own = |word: &str| word.strip_prefix('!') == Some(label);
    labels.split(' ').any(|word| word == label || word == "*") && !labels.split(' ').any(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{collections::BTreeMap, env, fs, path::PathBuf, process::Command};

    /// The list as the `psl` crate has it, in our lines.
    #[cfg(unix)]
    fn newest() -> String {
        let metadata = Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--locked", "--format-version", "1"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let psl = packages.iter().find(|package| package["name"] == "psl").unwrap();
        let rules = PathBuf::from(psl["manifest_path"].as_str().unwrap()).with_file_name("data/rules.txt");
        let rules = fs::read_to_string(rules).unwrap();
        let mut below = BTreeMap::<&str, Vec<String>>::new();
        // Names of hosts are ASCII, and the crate has those of other scripts only as people read them.
        for rule in rules.lines().filter(|rule| rule.is_ascii()) {
            let (mark, name) = rule.strip_prefix('!').map_or(("", rule), |name| ("!", name));
            if let Some((label, parent)) = name.split_once('.') {
                below.entry(parent).or_default().push(format!("{mark}{label}"));
            }
        }
        let line = |(parent, mut labels): (&str, Vec<String>)| {
            labels.sort();
            format!("{parent} {}\n", labels.join(" "))
        };
        let head = "# Made of the public suffix list (https://publicsuffix.org/list/, MPL-2.0); src/suffix.rs says how.\n";
        head.to_owned() + &below.into_iter().map(line).collect::<String>()
    }

    // cargo is this machine's, whatever the tests were compiled for.
    #[test]
    #[cfg(unix)]
    fn the_list_is_the_newest_that_we_know() {
        let newest = newest();
        if env::var_os("DOCKLINE_UPDATE").is_some() {
            fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/data/public-suffixes.txt"), &newest).unwrap();
        }
        assert!(newest.lines().count() > 1000);
        assert!(LIST == newest, "psl has another list: run this test once with DOCKLINE_UPDATE=1");
    }

    fn psl_says(name: &str) -> bool {
        psl::suffix_str(name) == Some(name)
    }

    #[test]
    fn suffixes_are_told_from_names_below_them() {
        let public = ["com", "unlisted", "co.uk", "github.io", "anything.ck", "any.kawasaki.jp"];
        let own = [
            "boss.org",
            "kawasaki.jp",
            "www.ck",
            "co.boss.org",
            "a.co.uk",
            "city.kawasaki.jp",
            "uk.co",
            "b.any.ck",
        ];
        for name in public {
            assert!(is_public(name) && psl_says(name), "{name}");
        }
        for name in own {
            assert!(!is_public(name) && !psl_says(name), "{name}");
        }
        // The crate overlooks `*.r.cloud.int.apple` where the list goes on below.
        assert!(is_public("eu-north-1.r.cloud.int.apple"));
    }

    #[test]
    fn names_of_every_line_and_below_are_what_the_crate_says() {
        for line in LIST.lines().skip(1) {
            let (parent, labels) = line.split_once(' ').unwrap();
            let ends = [labels.split(' ').next(), labels.rsplit(' ').next()];
            for label in ends.map(|label| label.unwrap().trim_start_matches('!').replace('*', "any")) {
                for name in [format!("{label}.{parent}"), format!("own.{label}.{parent}")] {
                    assert_eq!(is_public(&name), psl_says(&name), "{name}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn names_of_all_kinds_are_what_the_crate_says(
            labels in proptest::collection::vec("[a-z]{1,3}|com|jp|ck|www|github|city|kawasaki|[a-z0-9]{1,8}", 1..5)
        ) {
            let name = labels.join(".");
            prop_assert_eq!(is_public(&name), psl_says(&name), "{}", name);
        }
    }
}
