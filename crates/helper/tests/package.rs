//! The package's going: real dpkg(1), in a mount namespace whose `/usr/bin`, dpkg's database and hosts file are the
//! test's own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use dockline_edits::{Agreed, HelperRequest, Intent, Paths, hosts::Entry, plan};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

const HOSTS: &str = "127.0.0.1 localhost\n";

/// Installs a package of the helper, sets a name up through it, puts a newer version in its place, and removes that.
const LIFE: &str = r#"
set -e; cd "$1"
for folder in /usr/bin /var/lib/dpkg; do
    mkdir -p upper$folder work$folder
    mount -t overlay overlay -o lowerdir=$folder,upperdir="$PWD/upper$folder",workdir="$PWD/work$folder" $folder
done
mkdir state; mkdir -p /var/lib/dockline; mount --bind state /var/lib/dockline; mount --bind hosts /etc/hosts
for version in 1 2; do
    sed -i "s/^Version:.*/Version: $version/" package/DEBIAN/control
    dpkg-deb --root-owner-group --build package $version.deb >/dev/null
done
export DEBIAN_FRONTEND=noninteractive
dpkg --force-all --install 1.deb
/usr/bin/dockline-helper < request > answer
cp /etc/hosts hosts-applied
dpkg --force-all --install 2.deb
cp /etc/hosts hosts-upgraded
dpkg --remove dockline-test
cp /etc/hosts hosts-removed
[ ! -e /usr/bin/dockline-helper ]
"#;

#[test]
fn removing_the_package_takes_its_settings_out_and_a_new_version_does_not() {
    let may = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success());
    let has_dpkg = Path::new("/usr/bin/dpkg-deb").exists();
    assert!(
        (may && has_dpkg) || std::env::var("CI").is_err(),
        "this test needs root, unshare(1) and dpkg(1)"
    );
    if !may || !has_dpkg {
        println!("*** SKIPPED: it takes root and dpkg(1) to install a package");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("hosts"), HOSTS).unwrap();
    let paths = Paths::beside(&at("hosts"));
    let entry = Entry { name: "cr.boss.org".parse().unwrap(), address: [127, 77, 1, 5].into() };
    let intent = Intent::Hosts { entries: vec![entry], gateway: None };
    let planned = plan(&paths, &intent).unwrap();
    let agreed = Agreed { intent, before: planned.before, after: planned.after };
    let request = HelperRequest::Apply { changes: vec![agreed] };
    fs::write(at("request"), serde_json::to_vec(&request).unwrap()).unwrap();

    for part in ["package/DEBIAN", "package/usr/bin"] {
        fs::create_dir_all(at(part)).unwrap();
    }
    let control = "Package: dockline-test\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n";
    fs::write(at("package/DEBIAN/control"), control).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/before-removal.sh");
    fs::copy(script, at("package/DEBIAN/prerm")).unwrap();
    fs::set_permissions(at("package/DEBIAN/prerm"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_dockline-helper"), at("package/usr/bin/dockline-helper")).unwrap();

    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", LIFE, "sh"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text =
        |name: &str| fs::read_to_string(at(name)).unwrap_or_else(|e| panic!("{name}: {e}: {output:?}"));
    assert!(text("hosts-applied").contains("127.77.1.5\tcr.boss.org\n"), "{}", text("answer"));
    assert_eq!(text("hosts-upgraded"), text("hosts-applied"), "an upgrade is no removal");
    assert_eq!(text("hosts-removed"), HOSTS);
}
