//! com.canonical.dbusmenu: the menu as the desktop reads it, and the clicks in it.

use super::{
    super::{
        MenuEntry,
        layout::{Layout, Node, Update},
    },
    Shared, lock,
};
use crate::choice::Choice;
use std::collections::HashMap;
use tokio::sync::mpsc;
use zbus::{
    fdo, interface,
    object_server::SignalEmitter,
    zvariant::{OwnedValue, Value},
};

/// The number of the menu itself. No line of the layout has it.
const ROOT: i32 = 0;

/// What a line is like, by name.
type Properties = HashMap<String, OwnedValue>;
/// A line: number, properties, lines below.
type Line = (i32, Properties, Vec<OwnedValue>);
/// An event: number, kind, data, time.
type MenuEvent = (i32, String, OwnedValue, u32);

/// The menu on the bus.
#[derive(Debug)]
pub struct DbusMenu {
    layout: Shared,
    choices: mpsc::UnboundedSender<Choice>,
    closed: mpsc::UnboundedSender<()>,
}

impl DbusMenu {
    /// `closed` gets an item when the end of a look at the menu let lines move.
    pub const fn new(
        layout: Shared,
        choices: mpsc::UnboundedSender<Choice>,
        closed: mpsc::UnboundedSender<()>,
    ) -> Self {
        Self { layout, choices, closed }
    }

    fn happened(&self, id: i32, kind: &str) {
        match (id, kind) {
            (_, "clicked") => {
                if let Some(choice) = lock(&self.layout).choice(id) {
                    // The app is ending: so be it.
                    let _ = self.choices.send(choice);
                }
            }
            (ROOT, "opened") => lock(&self.layout).opened(),
            (ROOT, "closed") => {
                if lock(&self.layout).closed() {
                    let _ = self.closed.send(());
                }
            }
            (_, _) => {}
        }
    }
}

#[interface(name = "com.canonical.dbusmenu")]
impl DbusMenu {
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> u32 {
        3
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn text_direction(&self) -> &str {
        "ltr"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn status(&self) -> &str {
        "normal"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn icon_theme_path(&self) -> Vec<String> {
        Vec::new()
    }

    fn get_layout(&self, parent: i32, depth: i32, names: Vec<String>) -> fdo::Result<(u32, Line)> {
        let layout = lock(&self.layout);
        let line = line(&layout, parent, depth, &names)
            .ok_or_else(|| fdo::Error::InvalidArgs(format!("there is no line {parent}")))?;
        Ok((layout.revision(), line))
    }

    fn get_group_properties(&self, ids: Vec<i32>, names: Vec<String>) -> Vec<(i32, Properties)> {
        let layout = lock(&self.layout);
        let known = ids.into_iter().filter_map(|id| Some((id, of_line(&layout, id, &names)?)));
        known.collect()
    }

    fn get_property(&self, id: i32, name: String) -> fdo::Result<OwnedValue> {
        let found = of_line(&lock(&self.layout), id, std::slice::from_ref(&name))
            .and_then(|mut all| all.remove(&name));
        found.ok_or_else(|| fdo::Error::InvalidArgs(format!("line {id} has no {name}")))
    }

    fn event(&self, id: i32, kind: &str, _data: OwnedValue, _time: u32) {
        self.happened(id, kind);
    }

    /// Returns the numbers that were none.
    fn event_group(&self, events: Vec<MenuEvent>) -> Vec<i32> {
        for (id, kind, _, _) in events {
            self.happened(id, &kind);
        }
        Vec::new()
    }

    fn about_to_show(&self, id: i32) -> bool {
        id == ROOT && lock(&self.layout).about_to_show()
    }

    /// Returns the numbers of menus that are different now, and those that were none.
    fn about_to_show_group(&self, ids: Vec<i32>) -> (Vec<i32>, Vec<i32>) {
        (ids.into_iter().filter(|id| self.about_to_show(*id)).collect(), Vec::new())
    }

    #[zbus(signal)]
    async fn layout_updated(emitter: &SignalEmitter<'_>, revision: u32, parent: i32) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn items_properties_updated(
        emitter: &SignalEmitter<'_>,
        updated: Vec<(i32, Properties)>,
        removed: Vec<(i32, Vec<String>)>,
    ) -> zbus::Result<()>;
}

/// Tells whoever reads the menu.
pub async fn tell(emitter: &SignalEmitter<'_>, layout: &Shared, update: Update) -> zbus::Result<()> {
    match update {
        Update::None => Ok(()),
        Update::Texts(nodes) => {
            let updated = nodes.iter().map(|node| (node.id, properties(&node.entry, &[]))).collect();
            DbusMenu::items_properties_updated(emitter, updated, Vec::new()).await
        }
        Update::Lines => {
            let revision = lock(layout).revision();
            DbusMenu::layout_updated(emitter, revision, ROOT).await
        }
    }
}

/// A line with those below it, down to `depth` (all of them if negative).
fn line(layout: &Layout, id: i32, depth: i32, names: &[String]) -> Option<Line> {
    let nodes = if id == ROOT { layout.nodes() } else { &layout.find(id)?.children };
    Some((id, of_line(layout, id, names)?, below(nodes, depth, names)))
}

fn below(nodes: &[Node], depth: i32, names: &[String]) -> Vec<OwnedValue> {
    if depth == 0 {
        return Vec::new();
    }
    let lines = nodes.iter().map(|node| {
        let line: Line = (node.id, properties(&node.entry, names), below(&node.children, depth - 1, names));
        owned(line)
    });
    lines.collect()
}

fn of_line(layout: &Layout, id: i32, names: &[String]) -> Option<Properties> {
    if id == ROOT {
        let all = HashMap::from([("children-display".to_owned(), owned("submenu"))]);
        return Some(only(all, names));
    }
    Some(properties(&layout.find(id)?.entry, names))
}

/// The wanted properties of a line, or all; what is the specification's default is left out.
fn properties(entry: &MenuEntry, names: &[String]) -> Properties {
    let mut all = HashMap::new();
    let mut put = |name: &str, value: OwnedValue| drop(all.insert(name.to_owned(), value));
    if let Some(text) = entry.text() {
        // A single one would mark the key that chooses the line.
        put("label", owned(text.replace('_', "__")));
    }
    match entry {
        MenuEntry::Separator => put("type", owned("separator")),
        MenuEntry::Submenu { .. } => put("children-display", owned("submenu")),
        MenuEntry::Note { .. } => put("enabled", owned(false)),
        MenuEntry::Check { on, .. } => {
            put("toggle-type", owned("checkmark"));
            put("toggle-state", owned(i32::from(*on)));
        }
        MenuEntry::Action { .. } => {}
    }
    only(all, names)
}

fn only(mut all: Properties, names: &[String]) -> Properties {
    if !names.is_empty() {
        all.retain(|name, _| names.contains(name));
    }
    all
}

fn owned<'a>(value: impl Into<Value<'a>>) -> OwnedValue {
    // Only a file descriptor cannot be duplicated, and a menu has none.
    value.into().try_into_owned().unwrap_or_else(|_| OwnedValue::from(false))
}
