//! The window's cases, which hold this to what the window says.

use super::*;
use dockline_model::Code;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    dutch: Vec<(String, Option<String>)>,
    window: Vec<(String, String)>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("../../../ui/test/sentences.cases.json")).unwrap()
}

#[test]
fn the_tray_says_what_the_window_says() {
    let Cases { dutch, window } = cases();
    for (english, expected) in &dutch {
        assert_eq!(in_dutch(english), *expected, "{english}");
    }
    for (owner, expected) in &window {
        assert_eq!(for_window(owner), *expected, "{owner}");
    }
    assert!(dutch.len() > 30 && window.len() > 10);
}

#[test]
fn every_line_of_every_table_has_both_sides() {
    let tables = [SENTENCES, CLAUSES, PHRASES, CODES, WINDOW];
    for table in tables {
        assert!(table.0.lines().count() > 30);
        assert_eq!(table.lines().filter(|(owner, _)| !owner.is_empty()).count(), table.0.lines().count());
    }
}

#[test]
fn words_that_nobody_knows_come_after_what_their_code_means() {
    let error = UiError::new(Code::SshAuth, "The moon is full.").hint("Wait until it wanes.");
    assert_eq!(message(&error, Tongue::English), "The moon is full.");
    assert_eq!(message(&error, Tongue::Dutch), "De host liet ons niet inloggen. The moon is full.");
    assert_eq!(hint(&error, Tongue::Dutch).as_deref(), Some("Wait until it wanes."));
}

#[test]
fn a_remedy_in_a_terminal_is_said_as_the_window_says_it() {
    let error = UiError::new(Code::RegistryAuth, "The registry wants a login.")
        .hint("Log in: dockline login cr.boss.org");
    assert_eq!(hint(&error, Tongue::English).as_deref(), Some("Log in to cr.boss.org."));
}

#[test]
fn words_of_others_that_part_in_many_ways_take_no_time() {
    let text = "The tunnel was disconnected. ".repeat(300) + "The moon is full.";
    assert_eq!(in_dutch(&text), None);
}
