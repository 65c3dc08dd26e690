//! The tray icon and its menu, made to look like what [`menu`] and [`icon_state`] say, and touched only where
//! they differ from what is shown: a menu that is rebuilt closes under the pointer.

mod menu;
mod state;
mod tone;

pub use menu::{MenuAction, MenuEntry, menu, menu_without_owner};
pub use state::{IconState, icon_state};

use tauri::{
    AppHandle, Wry,
    image::Image,
    include_image,
    menu::{IsMenuItem, Menu, MenuItem, PredefinedMenuItem},
    tray::{TrayIcon, TrayIconBuilder},
};
use tone::Tone;

/// The icon in the tray and what it shows now.
pub struct Tray {
    app: AppHandle,
    icon: TrayIcon,
    tone: Tone,
    state: IconState,
    entries: Vec<MenuEntry>,
    /// The toolkit's items, one for each entry.
    items: Vec<Item>,
}

enum Item {
    Text(MenuItem<Wry>),
    Separator(PredefinedMenuItem<Wry>),
}

impl Item {
    fn as_item(&self) -> &dyn IsMenuItem<Wry> {
        match self {
            Self::Text(item) => item,
            Self::Separator(item) => item,
        }
    }
}

impl Tray {
    /// Puts the icon into the tray; must be called on the main thread. `clicked` gets every choice from the menu.
    ///
    /// # Errors
    /// What the toolkit says.
    pub fn new(
        app: &AppHandle,
        clicked: impl Fn(&AppHandle, MenuAction) + Send + Sync + 'static,
    ) -> tauri::Result<Self> {
        let (tone, state, entries) = (tone::of_bar(), IconState::Idle, menu::while_opening());
        let items = items(app, &entries)?;
        let icon = TrayIconBuilder::with_id("dockline")
            .icon(picture(state, tone))
            .icon_as_template(true)
            .tooltip(state.description())
            .menu(&toolkit_menu(app, &items)?)
            .on_menu_event(move |app, event| {
                if let Some(action) = MenuAction::from_id(event.id().as_ref()) {
                    clicked(app, action);
                }
            })
            .build(app)?;
        Ok(Self { app: app.clone(), icon, tone, state, entries, items })
    }

    /// Shows `entries` and `state`.
    ///
    /// # Errors
    /// What the toolkit says.
    pub fn show(&mut self, entries: Vec<MenuEntry>, state: IconState) -> tauri::Result<()> {
        if state != self.state {
            self.icon.set_icon_with_as_template(Some(picture(state, self.tone)), true)?;
            self.icon.set_tooltip(Some(state.description()))?;
            self.state = state;
        }
        if entries == self.entries {
            return Ok(());
        }
        let same_places = entries.len() == self.entries.len()
            && entries.iter().zip(&self.entries).all(|(new, old)| new.same_place(old));
        if same_places {
            for ((new, old), item) in entries.iter().zip(&self.entries).zip(&self.items) {
                if let (Some(text), Item::Text(item), true) = (new.text(), item, new != old) {
                    item.set_text(literal(text))?;
                }
            }
        } else {
            self.items = items(&self.app, &entries)?;
            self.icon.set_menu(Some(toolkit_menu(&self.app, &self.items)?))?;
        }
        self.entries = entries;
        Ok(())
    }
}

fn items(app: &AppHandle, entries: &[MenuEntry]) -> tauri::Result<Vec<Item>> {
    entries
        .iter()
        .map(|entry| match entry {
            MenuEntry::Action { action, text } => {
                MenuItem::with_id(app, action.id(), literal(text), true, None::<&str>).map(Item::Text)
            }
            MenuEntry::Note { text } => {
                MenuItem::new(app, literal(text), false, None::<&str>).map(Item::Text)
            }
            MenuEntry::Separator => PredefinedMenuItem::separator(app).map(Item::Separator),
        })
        .collect()
}

/// The toolkit underlines what follows a single `&`.
fn literal(text: &str) -> String {
    text.replace('&', "&&")
}

fn toolkit_menu(app: &AppHandle, items: &[Item]) -> tauri::Result<Menu<Wry>> {
    let items: Vec<_> = items.iter().map(Item::as_item).collect();
    Menu::with_items(app, &items)
}

fn picture(state: IconState, tone: Tone) -> Image<'static> {
    match (state, tone) {
        (IconState::Idle, Tone::DarkBar) => include_image!("../icons/tray/idle-on-dark-32.png"),
        (IconState::Idle, Tone::LightBar) => include_image!("../icons/tray/idle-on-light-32.png"),
        (IconState::Connecting, Tone::DarkBar) => include_image!("../icons/tray/connecting-on-dark-32.png"),
        (IconState::Connecting, Tone::LightBar) => include_image!("../icons/tray/connecting-on-light-32.png"),
        (IconState::Up, Tone::DarkBar) => include_image!("../icons/tray/up-on-dark-32.png"),
        (IconState::Up, Tone::LightBar) => include_image!("../icons/tray/up-on-light-32.png"),
        (IconState::Busy, Tone::DarkBar) => include_image!("../icons/tray/busy-on-dark-32.png"),
        (IconState::Busy, Tone::LightBar) => include_image!("../icons/tray/busy-on-light-32.png"),
        (IconState::Error, Tone::DarkBar) => include_image!("../icons/tray/error-on-dark-32.png"),
        (IconState::Error, Tone::LightBar) => include_image!("../icons/tray/error-on-light-32.png"),
    }
}
