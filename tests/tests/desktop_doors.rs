//! The window's doors that take a path: none leads to a file that is no image archive, and none to the place of another.

use dockline_tests::{
    desktop::{Browser, Key, Keyboard, Reader, Screen, TrayHost, drop_files},
    lab::{self, Dockline, Need, RegistryHost},
};
use serde_json::{Value, json};
use std::fs;

/// What is no absolute path here, however much it looks like one.
const NOT_ABSOLUTE: [&str; 9] = [
    "../x.tar",
    "..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "~/x.tar",
    "",
    "file:///etc/passwd",
    "https://example.org/x.tar",
    r"C:\Windows\System32\config\SAM",
    r"\\server\share\x.tar",
];

/// Calls a command of the shell's as the page does: what it answers, or `{"refused": …}`.
async fn invoke(window: &Browser, command: &str, arguments: &Value) -> Value {
    let script = format!(
        "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('{command}', {arguments})
           .then(done, (refused) => done({{ refused }}));"
    );
    window.run_async(&script).await
}

async fn dispatch(window: &Browser, command: &Value) -> Value {
    invoke(window, "dispatch", &json!({ "command": command })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_door_leads_to_a_file_that_nobody_meant() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    dockline.run(&["add", "cr.boss.org", "--ssh", "dockercr@192.0.2.1"]).expect_success();
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=registry-card]").await;
    let passwd = fs::read_to_string("/etc/passwd").expect("there is one everywhere");
    let secret = passwd.lines().next().expect("it has lines");
    let refused = |said: &Value, what: &str, code: &str| {
        assert_eq!(said["refused"]["code"], code, "{what}: {said}");
        assert!(!said.to_string().contains(secret), "{what} tells what is in the file: {said}");
    };

    let push = |path: &str, reference: Option<&str>| {
        let mut push = json!({ "kind": "push-archive", "path": path, "registry": "cr.boss.org" });
        push["reference"] = json!(reference);
        push
    };
    let pull = |path: &str| json!({ "kind": "pull-archive", "reference": "cr.boss.org/a:b", "path": path });
    for path in NOT_ABSOLUTE {
        for reference in [None, Some("a:b")] {
            refused(&dispatch(&window, &push(path, reference)).await, path, "invalid-argument");
        }
        refused(&dispatch(&window, &pull(path)).await, path, "invalid-argument");
    }
    // What a person may name is read by the owner, which tells no more than that it is no image: at once, or in the list
    // where the machine is busy.
    for (path, code) in [
        ("/etc/passwd", "archive-invalid"),
        ("/tmp/../etc/passwd", "archive-invalid"),
        ("/dev/zero", "archive-invalid"),
        ("/etc", "archive-invalid"),
        ("/etc/..%2fpasswd", "file-io"),
        ("/file:/etc/passwd", "file-io"),
    ] {
        let mut said = dispatch(&window, &push(path, None)).await;
        if said["id"].is_u64() {
            let transfers = serde_json::to_value(dockline.snapshot().transfers).expect("it was JSON");
            let row = transfers.as_array().and_then(|rows| rows.iter().find(|row| row["id"] == said["id"]));
            let error = row.map(|row| row["state"]["error"].clone());
            dispatch(&window, &json!({ "kind": "dismiss", "transfer": said["id"] })).await;
            said = json!({ "refused": error });
        }
        refused(&said, path, code);
    }
    refused(&dispatch(&window, &push("/etc", Some("a:b"))).await, "a folder", "archive-invalid");
    for path in ["/etc/passwd", "/tmp/../etc/passwd", "/etc"] {
        refused(&dispatch(&window, &pull(path)).await, path, "file-io");
    }

    // A plan names the file that it is about; another's name in it changes nothing.
    let plan = dispatch(&window, &json!({ "kind": "plan-hosts", "action": "apply" })).await;
    let mut plan = plan["plan"].clone();
    assert!(plan["path"].is_string(), "{plan}");
    plan["path"] = json!("/etc/passwd");
    plan["before"] = json!("0".repeat(64));
    let said = dispatch(&window, &json!({ "kind": "apply-hosts", "plan": plan })).await;
    assert!(said["refused"]["code"].is_string(), "{said}");

    let other = json!({ "wishes": [{ "files": ["/etc/passwd"] }] });
    assert!(invoke(&window, "keep_wishes", &other).await["refused"].is_string());

    assert!(dockline.snapshot().transfers.is_empty(), "nothing was begun");
    assert_eq!(fs::read_to_string("/etc/passwd").expect("it is there"), passwd);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_gets_what_was_dropped_on_the_one_before_and_nothing_else() {
    if !lab::requires(&[Need::Desktop, Need::ScreenReader]) {
        return;
    }
    let (mut screen, dockline) = (Screen::start(), Dockline::new());
    // Two: with one, a drop needs no dialog, and would not wait.
    for name in ["cr.boss.org", "cr.example.org"] {
        dockline.run(&["add", name, "--ssh", "dockercr@192.0.2.1"]).expect_success();
    }
    let archive = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&archive).expect("the folder is ours");
    let path = archive.display().to_string();
    let mut tray = TrayHost::start(&screen).await;
    let mut reader = Reader::start(&mut screen).await;
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=registry-card]").await;
    screen.wait_for_windows("Dockline", 1).await;

    // It waits behind a dialog that holds words somebody typed.
    window.click("[data-testid=add-registry]").await;
    window.fill("add-name", "cr.third.org").await;
    let (x, y) = screen.middle_of("Dockline");
    drop_files(&screen, &[&archive], x, y).await;
    assert!(window.text("[data-testid=notice-text]").await.contains("sample.tar"));
    // A page that is not what it should be adds what nobody has dropped: another archive, and a look at the disk.
    let wishes = json!({ "wishes": [{ "archives": { "paths": [path, "/etc/other.tar", "/etc"] } }] });
    assert_eq!(invoke(&window, "keep_wishes", &wishes).await, Value::Null);
    screen.close_window(screen.windows("Dockline")[0]);
    screen.wait_for_windows("Dockline", 0).await;

    tray.click("Open Dockline").await;
    // Nobody drives this one but a person at the keyboard. The dialog of one file has its path in a field, which gets the
    // focus; that of several has none.
    reader.hear_focus("entry", "Archive file").await;
    screen.wait_for_focus("Dockline").await;
    let keyboard = Keyboard::of(&screen);
    for key in ['a', 'c'] {
        keyboard.chord(Key::Control, Key::Character(key));
    }
    screen.wait_for_clipboard(&path).await;
    assert!(dockline.snapshot().transfers.is_empty(), "nothing is pushed unasked");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_let_in_if_it_is_an_image() {
    let needs = [Need::Desktop, Need::Root, Need::Sshd, Need::Registry, Need::Program("skopeo")];
    if !lab::requires(&needs) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let (archive, layout) = (dockline.folder().join("sample.tar"), dockline.folder().join("app.v2"));
    dockline_registry::sample::write_sample(&archive).expect("the folder is ours");
    let (from, to) = (format!("docker-archive:{}", archive.display()), format!("oci:{}", layout.display()));
    lab::run("skopeo", &["copy", "--quiet", &from, &format!("{to}:team/layout:v2")]);
    // It ends as an archive does, and is none.
    let photos = dockline.folder().join("photos.tar");
    fs::create_dir(&photos).expect("the folder is ours");
    let name = dockline.add(&host);
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see(&format!("[data-testid=registry-card][data-registry=\"{name}\"]")).await;
    screen.wait_for_windows("Dockline", 1).await;

    let (x, y) = screen.middle_of("Dockline");
    drop_files(&screen, &[&layout, &photos], x, y).await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    let said = window.text("[data-testid=notice]").await;
    assert!(said.contains("photos.tar is a folder without an image"), "{said}");
    assert_eq!(dockline.snapshot().transfers.len(), 1);
    assert!(host.manifest_digest("team/layout", "v2").is_some());

    // One that is typed is judged by the owner; what is named is not read for its name, and so is never in the list first.
    window.click("[data-testid=nav-images]").await;
    window.click("[data-testid=push-archive]").await;
    window.fill("archive-path", &photos.display().to_string()).await;
    window.fill("archive-reference", "team/photos:v1").await;
    window.click("[data-testid=archive-submit]").await;
    assert!(window.text("[data-testid=archive-error]").await.contains("oci-layout"));
    assert_eq!(dockline.snapshot().transfers.len(), 1);
    window.close().await;
}
