//! The helper as root, in mount namespaces of the tests' own: through a real polkit, on mounts that cannot be replaced or
//! not be written, and with names swapped under it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use dockline_edits::{
    Agreed, CaCertificate, HelperAnswer, HelperRequest, Intent, Outcome, Paths, TrustStore,
    daemon_json::Daemon, hosts::Entry, pending, plan,
};
use dockline_model::Code;
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

const HOSTS: &str = "127.0.0.1 localhost\n";
const HELPER: &str = env!("CARGO_BIN_EXE_dockline-helper");

/// Whether this test may have a mount namespace. On CI it may, or CI fails.
fn can_mount() -> bool {
    let may = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success());
    assert!(may || std::env::var("CI").is_err(), "these tests need root and unshare(1)");
    if !may {
        println!("SKIPPED: mount namespaces take root");
    }
    may
}

fn hosts(names: &[&str]) -> Intent {
    let entry = |name: &&str| Entry { name: name.parse().unwrap(), address: [127, 77, 1, 5].into() };
    Intent::Hosts { entries: names.iter().map(entry).collect(), gateway: None }
}

fn gateway() -> Intent {
    Intent::DaemonJson { daemon: Daemon::Native, insecure: ["172.17.0.1:5000".parse().unwrap()].into() }
}

fn request(paths: &Paths, intents: Vec<Intent>) -> HelperRequest {
    let agree = |intent: Intent| {
        let plan = plan(paths, &intent).unwrap();
        Agreed { intent, before: plan.before, after: plan.after }
    };
    HelperRequest::Apply { changes: intents.into_iter().map(agree).collect() }
}

struct Scene {
    folder: tempfile::TempDir,
    paths: Paths,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hosts"), HOSTS).unwrap();
    fs::create_dir_all(folder.path().join("etc/docker")).unwrap();
    fs::write(folder.path().join("etc/docker/daemon.json"), "{}").unwrap();
    Scene { paths: Paths::beside(&folder.path().join("hosts")), folder }
}

impl Scene {
    /// A command that is about this scene, with the request on its standard input.
    fn run(&self, mut command: Command, request: &HelperRequest) -> Output {
        let mut child = command
            .env_remove("SUDO_UID")
            .env("DOCKLINE_HOSTS_FILE", &self.paths.hosts)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&serde_json::to_vec(request).unwrap()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The helper, after `script` in a mount namespace. `$1` is the scene's folder.
    fn mounted(&self, script: &str, request: &HelperRequest) -> HelperAnswer {
        let mut command = Command::new("unshare");
        let script = format!("set -e; cd \"$1\"; {script}; exec {HELPER}");
        command.args(["--mount", "sh", "-c", &script, "sh"]).arg(self.folder.path());
        answer(&self.run(command, request))
    }

    fn is_untouched(&self) -> bool {
        fs::read_to_string(&self.paths.hosts).unwrap() == HOSTS
            && fs::read_to_string(self.folder.path().join("etc/docker/daemon.json")).unwrap() == "{}"
            && !pending(&self.paths)
    }
}

fn answer(output: &Output) -> HelperAnswer {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn failure(answer: HelperAnswer) -> dockline_model::UiError {
    let HelperAnswer::Failed { error } = answer else { panic!("{answer:?}") };
    error
}

#[test]
fn a_file_that_is_a_mount_is_written_in_place() {
    if !can_mount() {
        return;
    }
    let scene = scene();
    let wanted = request(&scene.paths, vec![hosts(&["cr.boss.org"]), gateway()]);
    let HelperAnswer::Done { outcomes, .. } = scene.mounted("mount --bind hosts hosts", &wanted) else {
        panic!()
    };
    assert_eq!(outcomes, [Outcome::Rewritten, Outcome::Replaced]);
    assert!(fs::read_to_string(&scene.paths.hosts).unwrap().contains("127.77.1.5\tcr.boss.org\n"));
    let undone = scene.mounted("mount --bind hosts hosts", &HelperRequest::UndoAll {});
    assert!(matches!(undone, HelperAnswer::Undone { failed, .. } if failed.is_empty()));
    assert_eq!(fs::read_to_string(&scene.paths.hosts).unwrap(), HOSTS);
}

#[test]
fn a_file_that_cannot_be_written_keeps_the_others_as_they_are() {
    if !can_mount() {
        return;
    }
    let scene = scene();
    let wanted = request(&scene.paths, vec![gateway(), hosts(&["cr.boss.org"])]);
    // The second of the two.
    let read_only = "mount --bind hosts hosts; mount -o remount,ro,bind hosts";
    let error = failure(scene.mounted(read_only, &wanted));
    assert_eq!(error.code, Code::FileIo, "{error:?}");
    assert!(error.message.contains("Read-only file system"), "{error:?}");
    assert!(scene.is_untouched());
    // All of it, the journal included.
    let error = failure(scene.mounted("mount --bind . .; mount -o remount,ro,bind .", &wanted));
    assert_eq!(error.code, Code::FileIo, "{error:?}");
    assert!(scene.is_untouched());
}

/// A link put in the place of the file, and of a folder on the way to it, while the helper is about to write: strace(1)
/// holds it there.
#[test]
fn a_link_that_is_swapped_in_leads_nowhere() {
    if !can_mount() {
        return;
    }
    let victim = tempfile::tempdir().unwrap();
    let swap_file = |scene: &Scene| {
        let link = scene.folder.path().join("link");
        std::os::unix::fs::symlink(victim.path().join("hosts"), &link).unwrap();
        fs::rename(link, &scene.paths.hosts).unwrap();
    };
    let swap_folder = |scene: &Scene| {
        let docker = scene.folder.path().join("etc/docker");
        fs::rename(&docker, scene.folder.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(victim.path(), docker).unwrap();
    };
    type Swap<'a> = &'a dyn Fn(&Scene);
    for (intent, temporary, swap) in [
        (hosts(&["cr.boss.org"]), ".hosts.dockline-new", &swap_file as Swap<'_>),
        (gateway(), "etc/docker/.daemon.json.dockline-new", &swap_folder),
    ] {
        for name in ["hosts", "daemon.json"] {
            fs::write(victim.path().join(name), "{}").unwrap();
        }
        let scene = scene();
        let wanted = request(&scene.paths, vec![intent]);
        let temporary = scene.folder.path().join(temporary);
        let output = std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let mut command = Command::new("strace");
                // The first fchmod(2) is that of the new file, before the last look and the renaming.
                command.args(["-qq", "-f", "-o", "/dev/null", "-e", "trace=fchmod"]);
                command.args(["-e", "inject=fchmod:delay_enter=800000", HELPER]);
                scene.run(command, &wanted)
            });
            let deadline = Instant::now() + Duration::from_secs(20);
            while !temporary.exists() {
                assert!(Instant::now() < deadline && !running.is_finished(), "the helper did not get there");
                std::thread::yield_now();
            }
            swap(&scene);
            running.join().unwrap()
        });
        let error = failure(answer(&output));
        let is_seen = [Code::HostsRefused, Code::HostsChanged, Code::FileIo].contains(&error.code);
        assert!(is_seen, "{error:?}");
        for name in ["hosts", "daemon.json"] {
            assert_eq!(fs::read_to_string(victim.path().join(name)).unwrap(), "{}", "{error:?}");
        }
        assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 2, "{error:?}");
    }
}

#[test]
fn root_does_not_write_below_a_folder_that_is_anybodys() {
    if !can_mount() {
        return;
    }
    let scene = scene();
    let wanted = request(&scene.paths, vec![gateway()]);
    for change in ["chmod 777 etc/docker", "chmod 755 etc/docker; chown 65534 etc"] {
        let error = failure(scene.mounted(change, &wanted));
        assert!(error.message.contains("others may change the folder"), "{error:?}");
        assert!(scene.is_untouched());
    }
}

/// A bus and a polkitd of the test's own, in a namespace where the helper finds a hosts file and an /etc/docker that are
/// the test's. The rule plays the administrator who types the password: for `nobody`, and for nobody else.
const POLKIT: &str = r#"
set -e
mount -t tmpfs tmpfs /run; mkdir /run/dbus /run/dockline; chmod 755 /run/dockline
cp "$2" /run/dockline/dockline-helper
mkdir actions; cp /usr/share/polkit-1/actions/* actions/
sed 's|/usr/bin/dockline-helper|/run/dockline/dockline-helper|' "$3" > actions/org.dockline.helper.policy
mount --bind actions /usr/share/polkit-1/actions
mount -t tmpfs tmpfs /etc/polkit-1/rules.d
cat > /etc/polkit-1/rules.d/10-test.rules <<'END'
polkit.addRule(function(action, subject) {
    if (action.id == "org.dockline.helper" && subject.user == "nobody") return polkit.Result.YES;
});
END
chmod -R a+rX /etc/polkit-1/rules.d
mkdir state docker; mount --bind state /var/lib; mount --bind docker /etc/docker; mount --bind hosts /etc/hosts
dbus-daemon --system --nofork --nopidfile 2>/dev/null & bus=$!
until [ -S /run/dbus/system_bus_socket ]; do kill -0 $bus; done
/usr/lib/polkit-1/polkitd --no-debug >/dev/null 2>&1 & polkit=$!
owned() { dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.PolicyKit1; }
until owned 2>/dev/null | grep -q true; do kill -0 $polkit; done
# Stands in for dockerd: the helper looks at the program's name, its user and its namespace. SIGHUP ends it.
cp /bin/sleep dockerd; ./dockerd 600 & daemon=$!
export DOCKLINE_HOSTS_FILE=/etc/passwd LD_LIBRARY_PATH=/tmp
setpriv --reuid=65534 --regid=65534 --clear-groups pkexec /run/dockline/dockline-helper > answer || true
setpriv --reuid=1 --regid=1 --clear-groups pkexec /run/dockline/dockline-helper < answer > refused 2>&1 && echo granted >> refused || echo "status $?" >> refused
set +e
kill $daemon 2>/dev/null; wait $daemon; echo $? > daemon-status
kill $polkit $bus
cp /var/lib/dockline/journal/log log; stat -c '%a %U' /var/lib/dockline/journal/log >> log
"#;

#[test]
fn pkexec_asks_polkit_and_the_helper_does_the_rest() {
    if !can_mount() {
        return;
    }
    let is_installed =
        ["/usr/bin/pkexec", "/usr/lib/polkit-1/polkitd"].iter().all(|path| Path::new(path).exists());
    assert!(
        is_installed || std::env::var("CI").is_err(),
        "the packages pkexec and polkitd are not installed"
    );
    if !is_installed || !Path::new("/etc/docker").is_dir() {
        println!("SKIPPED: the packages pkexec, polkitd or docker.io are not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("hosts"), HOSTS).unwrap();
    // What the helper will find; planned here from the same bytes.
    let paths = Paths::beside(&folder.path().join("hosts"));
    let wanted = request(&paths, vec![hosts(&["cr.boss.org"]), gateway()]);
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/org.dockline.helper.policy");
    let mut child = Command::new("unshare")
        .args(["--mount", "sh", "-c", POLKIT, "sh"])
        .args([folder.path(), Path::new(HELPER), &policy])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&wanted).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |name: &str| {
        fs::read_to_string(folder.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}: {output:?}"))
    };

    let answer: HelperAnswer =
        serde_json::from_str(&text("answer")).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let HelperAnswer::Done { outcomes, steps } = &answer else { panic!("{answer:?}") };
    assert_eq!(outcomes, &[Outcome::Rewritten, Outcome::Replaced], "a mount, and a new file");
    assert!(text("hosts").contains("127.77.1.5\tcr.boss.org\n"));
    assert!(text("docker/daemon.json").contains("172.17.0.1:5000"));
    // One step, and dockerd's stand-in got the signal: 128 + SIGHUP.
    assert!(steps.len() == 1 && steps[0].error.is_none(), "{steps:?}");
    assert_eq!(text("daemon-status").trim(), "129");
    // Who has no leave gets nothing; pkexec(1): 127.
    assert!(text("refused").ends_with("status 127\n"), "{}", text("refused"));
    let log = text("log");
    assert!(log.contains(" uid=65534 hosts ") && log.contains("daemon-json:native absent->"), "{log}");
    assert!(log.ends_with("600 root\n"), "{log}");
}

/// As in [`POLKIT`]: a stand-in for dockerd in a namespace of its own, and the same request once with a dockerd that is not
/// there and once with one that is.
const TOLD_AGAIN: &str = r#"
set -e; cd "$1"
mkdir state docker; mount --bind state /var/lib; mount --bind docker /etc/docker
"$2" < request > first || true
cp /bin/sleep dockerd; ./dockerd 600 & daemon=$!
until [ "$(readlink /proc/$daemon/exe)" = "$PWD/dockerd" ]; do kill -0 $daemon; done
"$2" < request > second || true
set +e
kill $daemon 2>/dev/null; wait $daemon; echo $? > daemon-status
"#;

/// The file was written and the reload after it failed: asking for the same once more reloads.
#[test]
fn dockerd_is_told_again_where_its_file_is_right_already() {
    if !can_mount() {
        return;
    }
    if !Path::new("/etc/docker").is_dir() {
        println!("SKIPPED: the package docker.io is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The folder is empty there, as it is here.
    let wanted = request(&Paths::beside(&folder.path().join("hosts")), vec![gateway()]);
    fs::write(folder.path().join("request"), serde_json::to_vec(&wanted).unwrap()).unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", TOLD_AGAIN, "sh"])
        .args([folder.path(), Path::new(HELPER)])
        .env_remove("SUDO_UID")
        .output()
        .unwrap();
    let text = |name: &str| {
        fs::read_to_string(folder.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}: {output:?}"))
    };
    let steps = |name: &str, outcome: Outcome| {
        let answer: HelperAnswer = serde_json::from_str(&text(name)).unwrap();
        let HelperAnswer::Done { outcomes, steps } = answer else { panic!("{answer:?}") };
        assert_eq!(outcomes, [outcome], "{name}");
        steps
    };
    let first = steps("first", Outcome::Replaced);
    assert!(first.len() == 1 && first[0].error.is_some(), "there is no dockerd yet: {first:?}");
    let second = steps("second", Outcome::AlreadySatisfied);
    assert!(second.len() == 1 && second[0].error.is_none(), "{second:?}");
    // 128 + SIGHUP.
    assert_eq!(text("daemon-status").trim(), "129");
}

/// Debian's own update-ca-certificates(8), on copies of the folders that it reads and writes.
const TRUST: &str = r#"
set -e; cd "$1"
mkdir local state ssl; cp -a /etc/ssl/. ssl/
mount --bind local /usr/local/share/ca-certificates; mount --bind ssl /etc/ssl; mount --bind state /var/lib
"$2" < request > answer || true
openssl verify -no-CAfile -CApath /etc/ssl/certs ca.pem > trusted 2>&1 || true
echo '{"verb":"undo-all"}' | "$2" > undone || true
openssl verify -no-CAfile -CApath /etc/ssl/certs ca.pem > forgotten 2>&1 || true
ls local > left
"#;

#[test]
fn the_operating_system_trusts_an_authority_and_forgets_it() {
    if !can_mount() {
        return;
    }
    if !Path::new("/usr/sbin/update-ca-certificates").exists() {
        assert!(std::env::var("CI").is_err(), "the package ca-certificates is not installed");
        println!("SKIPPED: the package ca-certificates is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-days",
            "2",
        ])
        .args(["-subj", "/CN=Dockline test authority"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let certificate: CaCertificate =
        fs::read_to_string(folder.path().join("ca.pem")).unwrap().parse().unwrap();
    let intent = Intent::SystemTrust {
        store: TrustStore::Debian,
        name: "cr.boss.org".parse().unwrap(),
        certificate: Some(certificate),
    };
    // The folder is empty there, as it is here.
    let wanted = request(&Paths::beside(&folder.path().join("hosts")), vec![intent]);
    fs::write(folder.path().join("request"), serde_json::to_vec(&wanted).unwrap()).unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", TRUST, "sh"])
        .args([folder.path(), Path::new(HELPER)])
        .env_remove("SUDO_UID")
        .output()
        .unwrap();
    let text = |name: &str| {
        fs::read_to_string(folder.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}: {output:?}"))
    };
    let HelperAnswer::Done { steps, .. } = serde_json::from_str(&text("answer")).unwrap() else {
        panic!("{}", text("answer"))
    };
    assert!(steps.len() == 1 && steps[0].error.is_none(), "{steps:?}");
    assert_eq!(text("trusted"), "ca.pem: OK\n");
    let HelperAnswer::Undone { failed, steps, .. } = serde_json::from_str(&text("undone")).unwrap() else {
        panic!("{}", text("undone"))
    };
    assert!(failed.is_empty() && steps.iter().all(|step| step.error.is_none()), "{}", text("undone"));
    assert!(text("forgotten").contains("self-signed certificate"), "{}", text("forgotten"));
    assert_eq!(text("left"), "");
}
