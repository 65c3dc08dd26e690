//! What a person does in the window from the first start on, each flow to its end on real parts: the first registry and
//! the first push, registries changed and handed on, images pushed with the mouse and the palette, pulled by pasting and
//! deleted, transfers held up, and settings that hold. What has a mouse in it is done without one, too.

mod archives;
mod engines;
mod hosts;
mod images;
mod logins;
mod registries;
mod settings;
mod transfers;
mod welcome;

use dockline_model::RegistryName;
use dockline_tests::{
    desktop::Browser,
    lab::{Dockline, Need},
};
use std::path::PathBuf;

/// What WebDriver calls these keys (WebDriver, 17.4.2).
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const DOWN: &str = "\u{e015}";
const F2: &str = "\u{e032}";

const HOST: &[Need] = &[Need::Desktop, Need::Root, Need::Sshd, Need::Registry];

fn card(name: &RegistryName) -> String {
    format!("[data-testid=registry-card][data-registry=\"{name}\"]")
}

/// An image archive of several layers, as `docker save` writes them.
fn archive(dockline: &Dockline) -> PathBuf {
    let path = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&path).expect("the folder is ours");
    path
}

async fn value_of(window: &Browser, testid: &str) -> String {
    window.part(testid).await.prop("value").await.expect("a field has a value").unwrap_or_default()
}

/// Presses a key until what `selector` finds has the focus.
async fn press_until_at(window: &Browser, key: &str, selector: &str) {
    window.see(selector).await;
    let focused = format!("{selector}:focus");
    for _ in 0..80 {
        if window.has(&focused).await {
            return;
        }
        window.type_keys(key).await;
    }
    panic!("the keyboard does not come to {selector}");
}

/// Goes on by Tab to what `selector` finds.
async fn tab_to(window: &Browser, selector: &str) {
    press_until_at(window, TAB, selector).await;
}

/// Puts this in the place of what the field with the focus says.
async fn type_over(window: &Browser, text: &str) {
    window.press_control('a').await;
    window.type_keys(text).await;
}

/// Chooses a registry with the arrows: of radio buttons, Tab stops at the chosen one only.
async fn choose_registry(window: &Browser, testid: &str, name: &RegistryName) {
    tab_to(window, &format!("[data-testid={testid}]")).await;
    press_until_at(window, DOWN, &format!("[data-testid={testid}][data-registry=\"{name}\"]")).await;
}
