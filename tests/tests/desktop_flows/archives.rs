//! Archives let go over the window.

use super::{HOST, archive, card, value_of};
use dockline_model::{TransferKind, TransferState};
use dockline_tests::{
    desktop::{Browser, Mouse, Screen, drop_files, hold_files},
    lab::{self, Dockline, Need, RegistryHost},
};
use serde_json::json;
use std::{fs, process::Command};

#[tokio::test(flavor = "multi_thread")]
async fn archives_dropped_on_one_of_two_registries_go_there() {
    if !lab::requires(&[HOST, &[Need::Program("zstd"), Need::Program("skopeo")]].concat()) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = archive(&dockline);
    let (packed, tighter) = (archive.with_extension("tar.gz"), archive.with_extension("tar.zst"));
    for (program, option) in [("gzip", "--fast"), ("zstd", "--quiet")] {
        lab::try_run(Command::new(program).args(["--keep", option]).arg(&archive)).expect_success();
    }
    let layout = dockline.folder().join("layout.tar");
    let (from, to) =
        (format!("docker-archive:{}", archive.display()), format!("oci-archive:{}", layout.display()));
    lab::run("skopeo", &["copy", "--quiet", &from, &format!("{to}:team/layout:v2")]);
    let text = dockline.folder().join("notes.txt");
    fs::write(&text, "not an image").expect("the folder is ours");
    let (name, other) = (dockline.add(&host), lab::unique_registry_name("other"));
    dockline.add_as(&other, &host, &[]);
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see(&card(&name)).await;

    // What letting go would do is said before.
    let (x, y) = window.place_of(&card(&other)).await;
    let held = hold_files(&screen, &[&text], x, y).await;
    window.see("[data-testid=drop-overlay][data-verdict=refused]").await;
    window.photograph("drop-refused-light").await;
    held.take_away();
    // Wherever the pointer goes on to, it no longer carries anything. The page hears of the pointer later than of files,
    // and while files hang over a window no pointer moves in it, so the next ones come when it has heard of the last move.
    window.run("addEventListener('pointermove', event => { window.pointer = event; })").await;
    let mouse = Mouse::of(&screen);
    mouse.move_to((x, y));
    window.until("return window.pointer !== undefined").await;
    window.run("window.before = window.pointer").await;
    mouse.move_to((x + 5, y + 5));
    window.until("return window.pointer.clientX === window.before.clientX + 5").await;
    window.see_gone("[data-testid=drop-overlay]").await;
    drop(held);
    let held = hold_files(&screen, &[&archive, &packed, &tighter, &layout, &text], x, y).await;
    window.see("[data-testid=drop-overlay][data-verdict=ok]").await;
    window.see(&format!("{}.aimed", card(&other))).await;
    window.photograph("drop-aimed-light").await;
    held.let_go().await;
    window.see_as_many("[data-testid=transfer-row][data-state=done]", 4).await;
    assert!(window.text("[data-testid=notice]").await.contains("notes.txt"));
    let transfers = dockline.snapshot().transfers;
    assert_eq!(transfers.len(), 4);
    for transfer in transfers {
        assert_eq!((transfer.kind, &transfer.registry), (TransferKind::Push, &other));
        assert!(matches!(transfer.state, TransferState::Done { .. }), "{transfer:?}");
    }
    assert!(host.manifest_digest("team/layout", "v2").is_some());

    // Beside the registries nobody can know which: it is asked.
    window.click("[data-testid=nav-settings]").await;
    let (x, y) = screen.middle_of("Dockline");
    drop_files(&screen, &[&archive], x, y).await;
    window.part("archive-dialog").await;
    window.click(&format!("[data-testid=archive-registry][data-registry=\"{name}\"]")).await;
    window.click("[data-testid=archive-submit]").await;
    window.see_as_many("[data-testid=transfer-row][data-state=done]", 5).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_image_is_refused_with_a_reason_before_a_byte_moves() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = archive(&dockline);
    let file = |name: &str| dockline.folder().join(name);
    fs::write(file("notes.txt"), "not an image").expect("the folder is ours");
    // By their names they could be archives; what is in them, or missing, says that they are not.
    let inside = dockline.folder().display().to_string();
    lab::run("tar", &["-C", &inside, "-cf", &file("letters.tar").display().to_string(), "notes.txt"]);
    fs::write(file("broken.tar.gz"), "not packed at all").expect("the folder is ours");
    let whole = fs::read(&archive).expect("it has just been written");
    fs::write(file("cut.tar"), &whole[..whole.len() / 2]).expect("the folder is ours");
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.part("welcome").await;
    let (x, y) = screen.middle_of("Dockline");

    // Nowhere to push to yet; that is said first.
    let held = hold_files(&screen, &[&archive], x, y).await;
    window.see("[data-testid=drop-overlay][data-verdict=refused]").await;
    held.let_go().await;
    assert!(window.text("[data-testid=notice-text]").await.contains("Add one first"));
    window.click("[data-testid=notice-close]").await;

    let name = dockline.add(&host);
    window.see(&card(&name)).await;
    for (file_name, reason) in [
        ("letters.tar", "manifest.json"),
        ("broken.tar.gz", "not a tar file"),
        ("cut.tar", "not copied completely"),
        ("gone.tar", "could not be read"),
    ] {
        drop_files(&screen, &[&file(file_name)], x, y).await;
        let said = refusal(&window, &dockline, file_name).await;
        assert!(said.contains(file_name) && said.contains(reason), "{said}");
    }
    assert_eq!(host.logins(), 0, "nobody asked the host for anything");

    // Of several, those that are images go all the same.
    drop_files(&screen, &[&file("letters.tar"), &archive, &file("notes.txt")], x, y).await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    let said = window.text("[data-testid=notice-text]").await;
    assert!(said.contains("notes.txt") && !said.contains("sample.tar"), "{said}");
    let said = refusal(&window, &dockline, "letters.tar").await;
    assert!(said.contains("letters.tar") && !said.contains("sample.tar"), "{said}");
    assert!(host.manifest_digest("dockline-sample", "v1").is_some());

    // In the dialog, the reason stands below the path: a folder is looked into at once, whatever it is to be called. The
    // desktop's own dialog is left again, and nothing has changed.
    window.press_control('o').await;
    let empty = file("empty.tar").display().to_string();
    fs::create_dir(&empty).expect("the folder is ours");
    window.fill("archive-path", &empty).await;
    window.fill("archive-reference", "team/chosen:v1").await;
    window.click("[data-testid=archive-submit]").await;
    assert!(window.text("[data-testid=archive-error]").await.contains("empty.tar"));
    assert_eq!(window.violations().await, [""; 0]);
    window.click("[data-testid=archive-choose]").await;
    screen.leave_file_dialog("Push an image archive").await;
    assert_eq!(value_of(&window, "archive-path").await, empty);
    window.fill("archive-path", &archive.display().to_string()).await;
    window.click("[data-testid=archive-submit]").await;
    window.see_as_many("[data-testid=transfer-row][data-state=done]", 2).await;
    assert!(host.manifest_digest("team/chosen", "v1").is_some());
    window.close().await;
}

/// Why the owner refused `file_name`: a notice says it at once, or the list, where the machine is too busy to read the file
/// in a moment. Neither is left.
async fn refusal(window: &Browser, dockline: &Dockline, file_name: &str) -> String {
    // A notice about what the page alone refuses comes before the owner's answer.
    window
        .until(&format!(
            "const said = document.querySelector('[data-testid=notice-text]')?.textContent ?? '';
             const row = document.querySelector('[data-testid=transfer-row][data-state=failed]');
             return said.includes('{file_name}') || row !== null;"
        ))
        .await;
    for transfer in dockline.snapshot().transfers {
        if let TransferState::Failed { error } = transfer.state {
            window.dispatch(&json!({ "kind": "dismiss", "transfer": transfer.id })).await;
            window.see_gone("[data-testid=transfer-row][data-state=failed]").await;
            return format!("{}: {error:?}", transfer.source);
        }
    }
    let said = window.text("[data-testid=notice-text]").await;
    window.click("[data-testid=notice-close]").await;
    said
}
