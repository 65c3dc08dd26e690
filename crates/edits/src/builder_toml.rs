//! `buildkitd.default.toml`: how BuildKit builders in containers speak to registries, for builders made from now on.
//!
//! One marked block at the end, with a `[registry."HOST:PORT"]` table each (moby/buildkit, `docs/buildkitd.toml.md`). A
//! table may stand anywhere in a TOML file, so nothing else has to move; `toml_edit` reads the file before and after.

use crate::{Authority, Refused, marked, plan::Plan};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use toml_edit::{DocumentMut, Item};

/// How a builder is to speak to a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum BuilderRegistry {
    /// HTTP.
    Plain {},
    /// HTTPS, with this authority's certificate. buildx copies the file into the builder.
    Certificate {
        /// A PEM file.
        path: PathBuf,
    },
}

/// The change that makes our block hold exactly `wanted`.
///
/// # Errors
/// [`Refused`].
pub fn plan(
    path: &Path,
    wanted: &BTreeMap<Authority, BuilderRegistry>,
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    let bytes = current.unwrap_or_default();
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Refused::ByteOrderMark);
    }
    let block = marked::find(bytes)?;
    let theirs = match &block {
        Some(block) => marked::without_block(bytes, block),
        None => bytes.to_vec(),
    };
    let document = parsed(&theirs)?;
    let mut lines = Vec::new();
    let mut owned = Vec::new();
    for (authority, how) in wanted {
        match document.get("registry").map(|registry| registry.get(authority.to_string())) {
            Some(Some(table)) if says(table, how) => continue,
            Some(Some(_)) => return Err(Refused::RegistryTaken { authority: authority.clone() }),
            Some(None) | None => {}
        }
        lines.push(format!("[registry.\"{authority}\"]"));
        lines.push(match how {
            BuilderRegistry::Plain {} => "  http = true".to_owned(),
            BuilderRegistry::Certificate { path } => {
                format!("  ca = [{}]", toml_edit::Value::from(path.to_string_lossy().as_ref()))
            }
        });
        owned.push(authority.to_string());
    }
    let wanted = match (current, lines.is_empty()) {
        (None, true) => None,
        // The file held nothing but our block: it was ours.
        (Some(_), true) if theirs.is_empty() && block.is_some() => None,
        (Some(_), true) => Some(theirs),
        (_, false) => Some(marked::with_block(bytes, block.as_ref(), &lines)),
    };
    // An inline `registry = {…}` takes no further tables; the file as a whole says so.
    parsed(wanted.as_deref().unwrap_or_default())?;
    let mut plan = Plan::new(path, current, wanted);
    plan.owned = owned;
    Ok(plan)
}

fn parsed(bytes: &[u8]) -> Result<DocumentMut, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::NotUtf8)?;
    text.parse().map_err(|error: toml_edit::TomlError| {
        let problem = error.to_string();
        Refused::InvalidToml { problem: problem.lines().next().unwrap_or_default().to_owned() }
    })
}

fn says(table: &Item, how: &BuilderRegistry) -> bool {
    match how {
        BuilderRegistry::Plain {} => table.get("http").and_then(Item::as_bool) == Some(true),
        BuilderRegistry::Certificate { path } => {
            table.get("ca").and_then(Item::as_array).is_some_and(|list| {
                list.iter().any(|file| file.as_str().is_some_and(|file| Path::new(file) == path))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATH: &str = "/home/a/.docker/buildx/buildkitd.default.toml";

    fn wanted(entries: &[&str]) -> BTreeMap<Authority, BuilderRegistry> {
        entries.iter().map(|entry| (entry.parse().unwrap(), BuilderRegistry::Plain {})).collect()
    }

    fn planned(entries: &[&str], current: Option<&str>) -> Result<Plan, Refused> {
        plan(Path::new(PATH), &wanted(entries), current.map(str::as_bytes))
    }

    fn text(plan: &Plan) -> String {
        String::from_utf8(plan.contents.clone().unwrap()).unwrap()
    }

    #[test]
    fn tables_are_merged_below_what_is_there() {
        // The example of docs.docker.com/build/buildkit/configure/.
        let theirs = "debug = true\n[registry.\"docker.io\"]\n  mirrors = [\"mirror.gcr.io\"]\n";
        let plan = planned(&["172.17.0.1:5000"], Some(theirs)).unwrap();
        let after = text(&plan);
        assert!(after.starts_with(theirs), "{after}");
        assert!(
            after.contains("\n[registry.\"172.17.0.1:5000\"]\n  http = true\n# END dockline\n"),
            "{after}"
        );
        assert_eq!(text(&planned(&[], Some(&after)).unwrap()), theirs);
        // Made by us alone: gone afterwards.
        let made = planned(&["172.17.0.1:5000"], None).unwrap();
        assert_eq!(planned(&[], Some(&text(&made))).unwrap().contents, None);
    }

    #[test]
    fn a_certificate_is_named() {
        let wanted = BTreeMap::from([(
            "cr.boss.org:5000".parse().unwrap(),
            BuilderRegistry::Certificate { path: "/home/a \"b\"/ca.crt".into() },
        )]);
        let plan = plan(Path::new(PATH), &wanted, None).unwrap();
        let document = parsed(plan.contents.as_deref().unwrap()).unwrap();
        assert_eq!(document["registry"]["cr.boss.org:5000"]["ca"][0].as_str(), Some("/home/a \"b\"/ca.crt"));
    }

    #[test]
    fn what_is_there_already_counts() {
        let same = "[registry.\"172.17.0.1:5000\"]\nhttp = true\n";
        let plan = planned(&["172.17.0.1:5000"], Some(same)).unwrap();
        assert!(plan.satisfied && plan.owned.is_empty());
        for (theirs, why) in [
            ("[registry.\"172.17.0.1:5000\"]\nhttp = false\n", "something else"),
            ("registry = { \"docker.io\" = { mirrors = [\"m\"] } }\n", "valid TOML"),
            ("registry = 1\n", "valid TOML"),
            ("a = \n", "valid TOML"),
            ("\u{feff}a = 1\n", "byte order mark"),
        ] {
            let refused = planned(&["172.17.0.1:5000"], Some(theirs)).unwrap_err();
            assert!(refused.to_string().contains(why), "{theirs}: {refused}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn foreign_bytes_survive_apply_and_undo(
            file in "((# [a-z\"]{0,5}|[a-c] = [0-9]|\\[x\\.[a-c]\\]|\\[registry\\.\"[ab]:1\"\\]|http = true|s = \"\"\"|\"\"\"| {0,2})(\n|\r\n)){0,6}(d = 1)?",
            entries in prop::collection::btree_set("172\\.17\\.0\\.[1-4]:5000", 1..4),
        ) {
            let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
            let Ok(applied) = planned(&entries, Some(&file)) else { return Ok(()) };
            let after = text(&applied);
            let document = parsed(after.as_bytes()).unwrap();
            for entry in &entries {
                prop_assert_eq!(document["registry"][entry]["http"].as_bool(), Some(true));
            }
            prop_assert!(planned(&entries, Some(&after)).unwrap().satisfied);
            let undone = planned(&[], Some(&after)).unwrap();
            prop_assert_eq!(undone.contents.unwrap_or_default(), file.into_bytes());
        }
    }
}
