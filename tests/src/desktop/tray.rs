//! A tray of the test's own: it owns `org.kde.StatusNotifierWatcher`, reads the app's `com.canonical.dbusmenu`, and
//! clicks in it.

use super::{PATIENCE, Screen};
use futures::StreamExt as _;
use std::{collections::HashMap, time::Duration};
use tokio::{sync::mpsc, time::timeout};
use zbus::{
    Connection, MatchRule, Message, MessageStream, Proxy,
    connection::Builder,
    interface,
    message::Type,
    object_server::SignalEmitter,
    zvariant::{OwnedObjectPath, OwnedValue, Structure, Value},
};

/// Where the item lives.
#[derive(Debug, Clone)]
struct Item {
    owner: String,
    path: String,
}

struct Watcher {
    items: mpsc::UnboundedSender<Item>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    /// Some pass an object path, and the item is at the sender; others pass a bus name, which is the sender's too.
    async fn register_status_notifier_item(
        &self,
        service: &str,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let item = if service.starts_with('/') {
            Item { owner: sender, path: service.to_owned() }
        } else {
            Item { owner: sender, path: "/StatusNotifierItem".to_owned() }
        };
        let name = format!("{}{}", item.owner, item.path);
        self.items.send(item).ok();
        Self::status_notifier_item_registered(&emitter, &name).await.ok();
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;
}

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrayLine {
    /// Its number in the menu.
    pub id: i32,
    /// What it says, without mnemonics.
    pub label: String,
    /// Whether it can be clicked.
    pub enabled: bool,
    /// Whether it is ticked, if it can be.
    pub ticked: Option<bool>,
    /// The lines of its submenu.
    pub below: Vec<TrayLine>,
}

impl TrayLine {
    /// It, and all lines below it.
    fn all(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.below.iter().flat_map(Self::all)).collect()
    }
}

/// The tray.
pub struct TrayHost {
    bus: Connection,
    registered: mpsc::UnboundedReceiver<Item>,
    item: Option<Item>,
}

impl TrayHost {
    /// Owns the tray's name on the screen's bus. Start it before the app.
    ///
    /// # Panics
    /// When the bus is not there.
    pub async fn start(screen: &Screen) -> Self {
        let (items, registered) = mpsc::unbounded_channel();
        let bus = Builder::address(screen.bus_address())
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", Watcher { items }))
            .and_then(|bus| bus.name("org.kde.StatusNotifierWatcher"))
            .expect("the names are valid")
            .build()
            .await
            .expect("the tray's name is free");
        Self { bus, registered, item: None }
    }

    /// The menu as it is now, separators left out.
    ///
    /// # Panics
    /// When no app has put an item into the tray.
    pub async fn menu(&mut self) -> Vec<TrayLine> {
        let menu = self.menu_proxy().await;
        let layout: (u32, Layout) = menu
            .call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new()))
            .await
            .expect("the menu can be read");
        layout.1.2.iter().filter_map(line).collect()
    }

    /// Waits until the menu has a line that `wanted` accepts, and returns it.
    ///
    /// # Panics
    /// When that does not happen; the message shows the menu.
    pub async fn wait_for(&mut self, what: &str, wanted: impl Fn(&TrayLine) -> bool) -> TrayLine {
        match self.follow(|menu| menu.into_iter().find(&wanted)).await {
            Some(line) => line,
            None => panic!("the tray's menu never had {what}: {:#?}", self.menu().await),
        }
    }

    /// Waits until the menu has no line that `unwanted` accepts.
    ///
    /// # Panics
    /// As [`TrayHost::wait_for`].
    pub async fn wait_for_none(&mut self, what: &str, unwanted: impl Fn(&TrayLine) -> bool) {
        let gone = self.follow(|menu| (!menu.iter().any(&unwanted)).then_some(())).await;
        assert!(gone.is_some(), "the tray's menu still has {what}: {:#?}", self.menu().await);
    }

    /// Reads the menu after each change until `found` finds something; `None` when it never does.
    async fn follow<T>(&mut self, found: impl Fn(Vec<TrayLine>) -> Option<T>) -> Option<T> {
        let item = self.item().await;
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .interface("com.canonical.dbusmenu")
            .and_then(|rule| rule.sender(item.owner.clone()))
            .expect("the names are valid")
            .build();
        // Listening comes before reading, so that no change falls in between.
        let mut changes =
            MessageStream::for_match_rule(rule, &self.bus, None).await.expect("the bus takes match rules");
        let following = async {
            loop {
                if let Some(thing) = found(self.menu().await) {
                    return thing;
                }
                // libdbusmenu tells of a change only after a short pause of its own; reading again is harmless.
                let _changed: Result<Option<zbus::Result<Message>>, _> =
                    timeout(Duration::from_secs(1), changes.next()).await;
            }
        };
        timeout(PATIENCE, following).await.ok()
    }

    /// Waits for a line with this text, in a submenu or not, and clicks it.
    ///
    /// # Panics
    /// When there is none, or it cannot be clicked.
    pub async fn click(&mut self, label: &str) {
        let clickable = |line: &TrayLine| line.label == label && line.enabled && line.below.is_empty();
        let found = self
            .follow(|menu| {
                menu.iter().flat_map(TrayLine::all).find(|line| clickable(line)).map(|line| line.id)
            })
            .await;
        match found {
            Some(id) => self.event(id, "clicked").await,
            None => panic!("“{label}” cannot be clicked: {:#?}", self.menu().await),
        }
    }

    /// Opens the menu, as far as the app can tell.
    ///
    /// # Panics
    /// When there is none.
    pub async fn open(&mut self) {
        self.menu_proxy()
            .await
            .call::<_, _, bool>("AboutToShow", &0_i32)
            .await
            .expect("the menu can be opened");
        self.event(0, "opened").await;
    }

    /// Closes it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn close(&mut self) {
        self.event(0, "closed").await;
    }

    async fn event(&mut self, id: i32, kind: &str) {
        let menu = self.menu_proxy().await;
        let nothing = Value::from(0_i32);
        menu.call::<_, _, ()>("Event", &(id, kind, nothing, 0_u32)).await.expect("the menu takes events");
    }

    /// The icon's pixels in every size.
    ///
    /// # Panics
    /// When there is no icon.
    pub async fn icon(&mut self) -> Vec<(i32, i32, Vec<u8>)> {
        let item = self.item().await;
        let proxy = Proxy::new(&self.bus, item.owner, item.path, "org.kde.StatusNotifierItem")
            .await
            .expect("the item is there");
        proxy.get_property("IconPixmap").await.expect("the item has an icon")
    }

    /// The title of the icon's tooltip.
    ///
    /// # Panics
    /// When there is no icon.
    pub async fn tooltip(&mut self) -> String {
        let item = self.item().await;
        let proxy = Proxy::new(&self.bus, item.owner, item.path, "org.kde.StatusNotifierItem")
            .await
            .expect("the item is there");
        let tooltip = proxy.get_property("ToolTip").await.expect("the item has a tooltip");
        let (_icon, _pixels, title, _text): ToolTip = tooltip;
        title
    }

    /// Waits until the icon is another than this one.
    ///
    /// # Panics
    /// When it stays.
    pub async fn wait_for_other_icon(&mut self, than: &[(i32, i32, Vec<u8>)]) -> Vec<(i32, i32, Vec<u8>)> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let icon = self.icon().await;
            if icon != than {
                return icon;
            }
            assert!(tokio::time::Instant::now() < deadline, "the icon stays the same");
            tokio::time::sleep(super::POLL).await;
        }
    }

    async fn item(&mut self) -> Item {
        if self.item.is_none() {
            self.item = timeout(PATIENCE, self.registered.recv()).await.ok().flatten();
        }
        self.item.clone().expect("the app puts an item into the tray")
    }

    async fn menu_proxy(&mut self) -> Proxy<'static> {
        let item = self.item().await;
        let proxy = Proxy::new(&self.bus, item.owner.clone(), item.path, "org.kde.StatusNotifierItem")
            .await
            .expect("valid");
        let path: OwnedObjectPath = proxy.get_property("Menu").await.expect("the item has a menu");
        Proxy::new(&self.bus, item.owner, path, "com.canonical.dbusmenu").await.expect("valid")
    }
}

/// The name of an icon, its pixels, the title, the text.
type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);

/// A node of the layout: its number, its properties, and the nodes below it.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

/// One line of the menu out of its node, `(ia{sv}av)`.
fn line(value: &OwnedValue) -> Option<TrayLine> {
    let value: &Value<'_> = if let Value::Value(inner) = &**value { inner } else { value };
    let Value::Structure(fields) = value else { return None };
    let fields: &Structure<'_> = fields;
    let (id, properties, below): (i32, HashMap<String, Value<'_>>, Vec<OwnedValue>) = match fields.fields() {
        [Value::I32(id), properties, below] => {
            (*id, properties.try_clone().ok()?.try_into().ok()?, below.try_clone().ok()?.try_into().ok()?)
        }
        _ => return None,
    };
    let text = |key: &str| match properties.get(key) {
        Some(Value::Str(text)) => Some(text.to_string()),
        _ => None,
    };
    if text("type").as_deref() == Some("separator") {
        return None;
    }
    let enabled = !matches!(properties.get("enabled"), Some(Value::Bool(false)));
    // A doubled underscore stands for one, a single one marks a mnemonic (GTK's rule, which dbusmenu keeps).
    let label = text("label")?.replace("__", "\u{0}").replace('_', "").replace('\u{0}', "_");
    let ticked = match properties.get("toggle-state") {
        Some(Value::I32(state)) => Some(*state == 1),
        _ => None,
    };
    let below = below.iter().filter_map(self::line).collect();
    Some(TrayLine { id, label: label.trim().to_owned(), enabled, ticked, below })
}
