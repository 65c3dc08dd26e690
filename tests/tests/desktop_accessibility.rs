//! The real window as somebody has it who cannot see it: found by its roles and names, gone through by the keyboard alone,
//! and heard. What is asked here is what AT-SPI tells, which is all that Orca or any other reader has.

use dockline_tests::{
    desktop::{App, Key, Keyboard, Part, Reader, Screen, Told},
    lab::{self, Dockline, Need, RegistryHost},
};

const NEEDS: &[Need] = &[Need::Desktop, Need::ScreenReader, Need::Root, Need::Sshd, Need::Registry];

/// What a person acts with, by AT-SPI's names of roles.
const CONTROLS: &[&str] = &[
    "push button",
    "toggle button",
    "check box",
    "radio button",
    "combo box",
    "entry",
    "password text",
    "menu item",
    "spin button",
    "slider",
    "link",
];

fn is(role: &str, name: &str) -> impl Fn(&Part) -> bool {
    move |part| part.role == role && part.name == name
}

/// The first and the last control of the page itself, which has the navigation before it.
fn ends(parts: &[Part]) -> (Part, Part) {
    let page = parts.iter().position(is("landmark", "Registries")).expect("it has just been read");
    let mut controls = parts[page + 1..].iter().filter(|part| part.is_focusable);
    let first = controls.next().expect("there is something to do").clone();
    (first.clone(), controls.next_back().cloned().unwrap_or(first))
}

/// Goes on by Tab to the button that is called so. To be asked once what had the focus before was told.
async fn reach(keyboard: &Keyboard, reader: &mut Reader, name: &str) {
    for _ in 0..40 {
        keyboard.press(Key::Tab);
        let part = reader
            .hear("the focus of a control", |told| match told {
                Told::Focus(part) => CONTROLS.contains(&part.role.as_str()).then(|| part.clone()),
                Told::Words(_) => None,
            })
            .await;
        if part.role == "push button" && part.name.starts_with(name) {
            return;
        }
    }
    panic!("Tab does not come to “{name}”");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_push_is_heard_to_its_end() {
    if !lab::requires(NEEDS) {
        return;
    }
    let (mut screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&archive).expect("the folder is ours");
    let name = lab::unique_registry_name("cr");
    // A host that nobody has connected to yet.
    dockline.add_as(&name, &host, &[]);

    let mut reader = Reader::start(&mut screen).await;
    let keyboard = Keyboard::of(&screen);
    let _app = App::start(&screen, &dockline, &[]);
    // It begins with the page, not with the navigation.
    reader.hear_focus("landmark", "Registries").await;

    // Where everything is.
    let parts = reader.parts().await;
    for (role, called) in [
        ("document web", "Dockline"),
        ("landmark", "Views"),
        ("landmark", "Registries"),
        ("push button", "Images"),
        ("push button", "Transfers"),
        ("push button", "Doctor"),
        ("push button", "Settings"),
    ] {
        assert!(parts.iter().any(is(role, called)), "no {role} “{called}” in {parts:#?}");
    }

    assert!(parts.iter().any(|part| part.name.contains(name.as_str())), "{name} is not in {parts:#?}");

    // From its first control back into the navigation, and at the ends round to the other one: nothing around the page
    // takes the focus in between.
    let (first, last) = ends(&parts);
    keyboard.press(Key::Tab);
    reader.hear_focus(&first.role, &first.name).await;
    for view in ["Find a command", "Settings", "Doctor", "Transfers", "Images", "Registries"] {
        keyboard.chord(Key::Shift, Key::Tab);
        reader.hear_focus("push button", view).await;
    }
    keyboard.chord(Key::Shift, Key::Tab);
    reader.hear_focus(&last.role, &last.name).await;
    keyboard.press(Key::Tab);
    reader.hear_focus("push button", "Registries").await;

    // Nothing that can be acted with is without a name, in any view.
    for (key, view) in
        [('2', "Images"), ('3', "Transfers"), ('4', "Doctor"), ('5', "Settings"), ('1', "Registries")]
    {
        keyboard.chord(Key::Control, Key::Character(key));
        reader.hear_words(view).await;
        let parts = reader.parts().await;
        let nameless: Vec<&Part> = parts
            .iter()
            .filter(|part| part.is_showing && CONTROLS.contains(&part.role.as_str()) && part.name.is_empty())
            .collect();
        assert!(nameless.is_empty(), "{view}: {nameless:#?}");
    }

    // The push: a dialog, a question about the host, and the end.
    keyboard.chord(Key::Control, Key::Character('o'));
    reader.hear_focus("entry", "").await;
    let dialog = reader.find("dialog", |part| part.role == "dialog").await;
    assert!(!dialog.name.is_empty(), "{dialog:?}");
    // Orca goes up from the focus to the first form, and would not come to the dialog's title.
    assert!(!reader.parts().await.iter().any(|part| part.role == "form"));
    keyboard.type_text(&archive.display().to_string());
    keyboard.press(Key::Enter);

    reader.hear_focus("push button", "Do not connect").await;
    let question =
        reader.find("question", |part| part.role == "dialog" && part.name.contains("Is this really")).await;
    assert!(
        question.description.contains(&host.fingerprint()),
        "the fingerprint is read with the question: {question:?}"
    );
    keyboard.press(Key::Tab);
    reader.hear_focus("push button", "It is").await;
    keyboard.press(Key::Enter);
    reader.hear_words("sample.tar is pushed.").await;
    // Said when the push was asked for, which may be before or after the question came.
    assert!(reader.has_heard("Pushing sample.tar."));
    assert!(host.manifest_digest("dockline-sample", "v1").is_some());

    // What is in the registry now, down to the image; and then nothing.
    keyboard.chord(Key::Control, Key::Character('k'));
    reader.hear_focus("combo box", "Find a command").await;
    keyboard.type_text("look inside");
    reader.hear_words("Look inside").await;
    keyboard.press(Key::Enter);
    reader.hear_words("1 repository").await;
    reach(&keyboard, &mut reader, "dockline-sample").await;
    keyboard.press(Key::Enter);
    reader.hear_words("1 tag").await;
    reach(&keyboard, &mut reader, "v1").await;
    keyboard.press(Key::Enter);
    reader.hear_words("Image, ").await;
    reach(&keyboard, &mut reader, "Delete").await;
    keyboard.press(Key::Enter);
    reader.hear_focus("push button", "Cancel").await;
    reader.hear_words("is used by nothing else here").await;
    keyboard.press(Key::Tab);
    reader.hear_focus("push button", "Delete").await;
    keyboard.press(Key::Enter);
    reader.hear_words("v1 is deleted.").await;
    assert!(host.manifest_digest("dockline-sample", "v1").is_none());
}
