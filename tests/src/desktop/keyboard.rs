//! The keyboard of a screen, pressed as by a hand: X's XTEST extension, whose events no program can tell from real ones.

use super::Screen;
use x11rb::{
    CURRENT_TIME,
    connection::Connection,
    protocol::{
        xproto::{ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

/// A key, as its keysym says (X Window System Protocol, "Keysym Encoding").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character of Latin-1, whose keysym is its number.
    Character(char),
    /// The next control.
    Tab,
    /// The main action.
    Enter,
    /// Leaves.
    Escape,
    /// Held while another one is pressed.
    Control,
    /// Held while another one is pressed.
    Shift,
}

impl Key {
    fn keysym(self) -> u32 {
        match self {
            Self::Character(character) => character.into(),
            Self::Tab => 0xff09,
            Self::Enter => 0xff0d,
            Self::Escape => 0xff1b,
            Self::Control => 0xffe3,
            Self::Shift => 0xffe1,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Keyboard {
    x11: RustConnection,
    root: u32,
    /// Key codes and whether Shift is needed, by keysym.
    keys: Vec<(u32, u8, bool)>,
}

impl Keyboard {
    /// The one keyboard that `screen` has.
    ///
    /// # Panics
    /// When the screen is gone.
    #[must_use]
    pub fn of(screen: &Screen) -> Self {
        let (x11, number) = x11rb::connect(Some(screen.display())).expect("the screen is there");
        let (root, first, last) = {
            let setup = x11.setup();
            (setup.roots[number].root, setup.min_keycode, setup.max_keycode)
        };
        let mapping = x11.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let each = usize::from(mapping.keysyms_per_keycode);
        // The first keysym of a key is the one without Shift, the second the one with it.
        let keys = (first..=last)
            .zip(mapping.keysyms.chunks(each))
            .flat_map(|(code, keysyms)| [(keysyms[0], code, false), (keysyms[1], code, true)])
            .filter(|(keysym, ..)| *keysym != 0)
            .collect();
        Self { x11, root, keys }
    }

    /// Presses a key and lets it go.
    ///
    /// # Panics
    /// When the screen is gone.
    pub fn press(&self, key: Key) {
        self.stroke(key.keysym());
    }

    /// Presses a key while another one is held.
    ///
    /// # Panics
    /// When the screen is gone, or has no such key.
    pub fn chord(&self, held: Key, key: Key) {
        let code = self.find(held.keysym()).0;
        self.fake(KEY_PRESS_EVENT, code);
        self.stroke(key.keysym());
        self.fake(KEY_RELEASE_EVENT, code);
    }

    /// Types a text of Latin-1.
    ///
    /// # Panics
    /// When the screen is gone, or has no such keys.
    pub fn type_text(&self, text: &str) {
        for character in text.chars() {
            self.press(Key::Character(character));
        }
    }

    fn stroke(&self, keysym: u32) {
        let (code, with_shift) = self.find(keysym);
        let shift = self.find(Key::Shift.keysym()).0;
        if with_shift {
            self.fake(KEY_PRESS_EVENT, shift);
        }
        self.fake(KEY_PRESS_EVENT, code);
        self.fake(KEY_RELEASE_EVENT, code);
        if with_shift {
            self.fake(KEY_RELEASE_EVENT, shift);
        }
    }

    fn find(&self, wanted: u32) -> (u8, bool) {
        let found = self.keys.iter().find(|(keysym, ..)| *keysym == wanted);
        let (_, code, with_shift) = found.unwrap_or_else(|| panic!("no key gives {wanted:#x}"));
        (*code, *with_shift)
    }

    fn fake(&self, kind: u8, code: u8) {
        self.x11.xtest_fake_input(kind, code, CURRENT_TIME, self.root, 0, 0, 0).expect("the screen is there");
        // An answer to something asked after it says that the server has done it.
        self.x11.get_input_focus().unwrap().reply().expect("the screen is there");
    }
}
