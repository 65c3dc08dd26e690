//! org.kde.StatusNotifierItem: the icon and its tooltip.

use super::{
    super::{
        IconState,
        picture::{Pixmap, pixmaps},
        tone::Tone,
    },
    MENU_PATH,
};
use crate::{choice::Choice, strings::Tongue};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use zbus::{
    interface,
    object_server::SignalEmitter,
    zvariant::{ObjectPath, OwnedObjectPath},
};

/// What the icon shows, and the language of its tooltip.
type Shown = (IconState, Tongue);

/// The icon.
#[derive(Debug)]
pub struct Item {
    look: Mutex<(Shown, Tone)>,
    choices: mpsc::UnboundedSender<Choice>,
}

impl Item {
    pub fn new(shown: Shown, tone: Tone, choices: mpsc::UnboundedSender<Choice>) -> Self {
        Self { look: Mutex::new((shown, tone)), choices }
    }

    /// Shows another state, or says it in another language; whether it is another.
    pub fn show(&self, shown: Shown) -> bool {
        std::mem::replace(&mut self.look().0, shown) != shown
    }

    /// Fits another bar; whether it is another.
    pub fn recolour(&self, tone: Tone) -> bool {
        std::mem::replace(&mut self.look().1, tone) != tone
    }

    fn look(&self) -> MutexGuard<'_, (Shown, Tone)> {
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn choose(&self, choice: Choice) {
        if self.choices.send(choice).is_err() {
            tracing::debug!("the app is ending");
        }
    }
}

#[interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    #[zbus(property(emits_changed_signal = "const"))]
    fn category(&self) -> &str {
        "SystemServices"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> &str {
        "dockline"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn title(&self) -> &str {
        "Dockline"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn status(&self) -> &str {
        "Active"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn window_id(&self) -> i32 {
        0
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn menu(&self) -> OwnedObjectPath {
        ObjectPath::from_static_str_unchecked(MENU_PATH).into()
    }

    /// A left click is [`Self::activate`].
    #[zbus(property(emits_changed_signal = "const"))]
    fn item_is_menu(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn icon_name(&self) -> &str {
        ""
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn icon_pixmap(&self) -> Vec<Pixmap> {
        let ((state, _), tone) = *self.look();
        pixmaps(state, tone)
    }

    /// Icon, its pixels, title, text.
    #[zbus(property(emits_changed_signal = "false"))]
    fn tool_tip(&self) -> (String, Vec<Pixmap>, String, String) {
        let ((state, tongue), _) = *self.look();
        (String::new(), Vec::new(), state.description(tongue).to_owned(), String::new())
    }

    fn activate(&self, _x: i32, _y: i32) {
        self.choose(Choice::Open(None));
    }

    fn secondary_activate(&self, _x: i32, _y: i32) {}

    fn context_menu(&self, _x: i32, _y: i32) {}

    fn scroll(&self, _delta: i32, _orientation: &str) {}

    #[zbus(signal)]
    pub async fn new_icon(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    pub async fn new_tool_tip(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}
