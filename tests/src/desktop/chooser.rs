//! The desktop's own dialogs for files, answered from the keyboard by somebody who knows the path.

use super::{Key, Keyboard, Screen};
use std::path::Path;

impl Screen {
    /// Waits for the dialog with this title that asks how a new file is to be called, says it, and waits until it is gone.
    ///
    /// # Panics
    /// When it does not come, or stays.
    pub async fn save_file(&self, title: &str, path: &Path) {
        self.wait_for_windows(title, 1).await;
        self.wait_for_focus(title).await;
        let keyboard = Keyboard::of(self);
        // Of the name that is proposed, GTK's dialog selects what stands before the ending.
        keyboard.chord(Key::Control, Key::Character('a'));
        keyboard.type_text(&path.display().to_string());
        keyboard.press(Key::Enter);
        self.wait_for_windows(title, 0).await;
    }

    /// Waits for the file dialog with this title, closes it without a choice, and waits until it is gone.
    ///
    /// # Panics
    /// When it does not come, or stays.
    pub async fn leave_file_dialog(&self, title: &str) {
        self.wait_for_windows(title, 1).await;
        self.wait_for_focus(title).await;
        Keyboard::of(self).press(Key::Escape);
        self.wait_for_windows(title, 0).await;
    }
}
