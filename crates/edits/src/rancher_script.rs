//! Rancher Desktop keeps no daemon.json outside its machine; a provisioning script writes one inside at each start.

use crate::{Authority, Refused, daemon_json, own_file, plan::Plan, yaml};
use std::{collections::BTreeSet, path::Path};

/// Where the script writes, and a copy by which it knows its own file again.
const FILE: &str = "/etc/docker/daemon.json";
const COPY: &str = "/etc/docker/.dockline-daemon.json";

/// The change of override.yaml (Linux, macOS) or of a `*.start` script (Windows).
///
/// # Errors
/// [`Refused`].
pub fn plan(path: &Path, insecure: &BTreeSet<Authority>, current: Option<&[u8]>) -> Result<Plan, Refused> {
    insecure.iter().try_for_each(daemon_json::may_be_insecure)?;
    let script = (!insecure.is_empty()).then(|| script(insecure));
    let mut plan = match path.extension().is_some_and(|extension| extension == "start") {
        true => own_file::provisioning_script(path, script, current)?,
        false => yaml::rancher(path, script.as_deref(), current)?,
    };
    plan.owned = insecure.iter().map(ToString::to_string).collect();
    Ok(plan)
}

/// Writes the machine's daemon.json unless somebody else's is there.
fn script(insecure: &BTreeSet<Authority>) -> String {
    let list = insecure.iter().map(|authority| format!("\"{authority}\"")).collect::<Vec<_>>().join(",");
    format!(
        "if [ ! -e {FILE} ] || cmp -s {FILE} {COPY}; then\n  mkdir -p /etc/docker\n  printf '%s\\n' '{{\"insecure-registries\":[{list}]}}' > {COPY}\n  cp {COPY} {FILE}\nfi\n"
    )
}

/// What takes the machine's daemon.json back, through `rdctl shell`.
#[must_use]
pub fn undo_command() -> Vec<String> {
    let script = format!("if cmp -s {FILE} {COPY}; then rm {FILE}; fi; rm -f {COPY}");
    ["rdctl", "shell", "sudo", "sh", "-c", &script].map(str::to_owned).to_vec()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// The script as a real shell runs it, in a folder that stands for the machine's root.
    #[test]
    fn the_script_writes_its_own_file_and_nobody_elses() {
        let root = tempfile::tempdir().unwrap();
        let run = |script: &str| {
            let script = script.replace("/etc/docker", &root.path().join("etc/docker").to_string_lossy());
            let status = std::process::Command::new("sh").args(["-euc", &script]).status().unwrap();
            assert!(status.success());
        };
        let file = root.path().join("etc/docker/daemon.json");
        let wanted = BTreeSet::from(["host.docker.internal:5000".parse().unwrap()]);
        run(&script(&wanted));
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "{\"insecure-registries\":[\"host.docker.internal:5000\"]}\n");
        run(&script(&BTreeSet::from(["host.docker.internal:5001".parse().unwrap()])));
        assert!(std::fs::read_to_string(&file).unwrap().contains("5001"));
        run(undo_command().last().unwrap());
        assert!(!file.exists());
        std::fs::write(&file, "{}").unwrap();
        run(&script(&wanted));
        run(undo_command().last().unwrap());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}");
    }
}
