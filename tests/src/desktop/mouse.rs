//! The mouse of a screen, moved and pressed as by a hand: X's XTEST extension, whose events no program can tell from real
//! ones.

use super::Screen;
use x11rb::{
    CURRENT_TIME,
    connection::Connection,
    protocol::{
        xproto::{BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, MOTION_NOTIFY_EVENT, Window},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

/// The left button (X Window System Protocol, "Pointers").
const LEFT: u8 = 1;

/// See the module. Places are pixels of the screen.
#[derive(Debug)]
pub struct Mouse {
    x11: RustConnection,
    root: Window,
}

impl Mouse {
    /// The one mouse that `screen` has.
    ///
    /// # Panics
    /// When the screen is gone.
    #[must_use]
    pub fn of(screen: &Screen) -> Self {
        let (x11, number) = x11rb::connect(Some(screen.display())).expect("the screen is there");
        let root = x11.setup().roots[number].root;
        Self { x11, root }
    }

    /// Puts the pointer there, in one step.
    ///
    /// # Panics
    /// When the screen is gone.
    pub fn move_to(&self, (x, y): (i16, i16)) {
        self.fake(MOTION_NOTIFY_EVENT, 0, x, y);
    }

    /// Presses the left button and holds it.
    ///
    /// # Panics
    /// When the screen is gone.
    pub fn press(&self) {
        self.fake(BUTTON_PRESS_EVENT, LEFT, 0, 0);
    }

    /// Lets the left button go.
    ///
    /// # Panics
    /// When the screen is gone.
    pub fn release(&self) {
        self.fake(BUTTON_RELEASE_EVENT, LEFT, 0, 0);
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) {
        self.x11
            .xtest_fake_input(kind, detail, CURRENT_TIME, self.root, x, y, 0)
            .expect("the screen is there");
        // An answer to something asked after it says that the server has done it.
        self.x11.get_input_focus().unwrap().reply().expect("the screen is there");
    }
}
