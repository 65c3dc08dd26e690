//! What is in the helper, and what is not: no network code, and no call that reaches for one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

/// Everything that is linked into the helper. One more crate is one more to trust with root: add it here with thought.
const CRATES: &[&str] = &[
    "base64",
    "bitflags",
    "block-buffer",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "dockline-edits",
    "dockline-helper",
    "dockline-model",
    "dockline-programs",
    "equivalent",
    "errno",
    "hashbrown",
    "hex",
    "hybrid-array",
    "indexmap",
    "itoa",
    "libc",
    "linux-raw-sys",
    "memchr",
    "proc-macro2",
    "quote",
    "rustix",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "sha1",
    "sha2",
    "similar",
    "syn",
    "thiserror",
    "thiserror-impl",
    "toml_datetime",
    "toml_edit",
    "toml_parser",
    "toml_writer",
    "typenum",
    "unicode-ident",
    "windows-link",
    "windows-sys",
    "winnow",
    "zmij",
];

#[test]
fn no_crate_for_networks_or_anything_unknown_is_linked() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", "dockline-helper", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut unknown: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !CRATES.contains(name))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    assert_eq!(unknown, [""; 0], "not known to be in the helper");
}

#[test]
#[cfg(target_os = "linux")]
fn no_socket_is_ever_made() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    let trace = folder.path().join("trace");
    let status = Command::new("strace")
        .args(["-qq", "-f", "-e", "trace=network", "-o"])
        .args([trace.as_os_str(), env!("CARGO_BIN_EXE_dockline-helper").as_ref()])
        .env("DOCKLINE_HOSTS_FILE", &hosts)
        .env_remove("SUDO_UID")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status();
    if status.is_err() && std::env::var("CI").is_err() {
        println!("SKIPPED: strace is not installed");
        return;
    }
    status.unwrap();
    assert_eq!(std::fs::read_to_string(&trace).unwrap(), "");
}

/// The files that packages put beside the helper say what the helper's documentation says.
#[test]
fn the_systems_are_told_to_ask_an_administrator() {
    let data =
        |name: &str| std::fs::read_to_string(format!("{}/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let policy = data("org.dockline.helper.policy");
    assert!(policy.contains("<allow_active>auth_admin_keep</allow_active>"));
    assert!(
        policy.contains("<allow_any>no</allow_any>")
            && policy.contains("<allow_inactive>no</allow_inactive>")
    );
    assert!(policy.contains("policykit.exec.path\">/usr/bin/dockline-helper<"));
    assert!(data("org.dockline.helper.plist").contains("<string>admin</string>"));
    assert!(data("dockline-helper.exe.manifest").contains("level=\"requireAdministrator\""));
}
