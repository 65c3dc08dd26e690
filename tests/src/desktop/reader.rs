//! What a screen reader has of the window: the tree of AT-SPI (`org.a11y.atspi`), where the focus is, and what is said.

use super::{PATIENCE, Screen};
use crate::lab::Daemon;
use futures::StreamExt as _;
use std::{collections::HashMap, future::Future, pin::Pin, process::Command};
use tokio::{sync::mpsc, time::timeout};
use zbus::{
    Connection, MatchRule, Message, MessageStream, Proxy,
    connection::Builder,
    message::Type,
    proxy::CacheProperties,
    zvariant::{OwnedObjectPath, OwnedValue},
};

/// Debian's place for it; it is started by its path, since the bus of a screen starts nothing by itself.
pub const LAUNCHER: &str = "/usr/libexec/at-spi-bus-launcher";
const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const EVENTS: &str = "org.a11y.atspi.Event.Object";
/// The states that are asked for, by their bits (AT-SPI 2, `AtspiStateType`).
const FOCUSABLE: u32 = 11;
const SHOWING: u32 = 25;

/// A part of the window, as it is told to assistive technology.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// `push button`, `entry`, …
    pub role: String,
    /// What it is called.
    pub name: String,
    /// What is read after that.
    pub description: String,
    /// Whether the keyboard gets there.
    pub is_focusable: bool,
    /// Whether it is on the screen.
    pub is_showing: bool,
    /// How deep it lies.
    pub depth: usize,
}

/// An object on the bus.
type Reference = (String, OwnedObjectPath);

/// What a reader would say by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This part has the focus now.
    Focus(Part),
    /// This was announced.
    Words(String),
}

/// A reader at the screen's accessibility bus.
pub struct Reader {
    bus: Connection,
    told: mpsc::UnboundedReceiver<Told>,
    log: Vec<Told>,
    _launcher: Daemon,
}

impl Reader {
    /// Starts the accessibility bus of `screen` and listens. What is started on the screen after it is told there.
    ///
    /// # Panics
    /// When a part does not start; ask for `Need::ScreenReader` first.
    pub async fn start(screen: &mut Screen) -> Self {
        screen.let_readers_in();
        let mut launcher = Command::new(LAUNCHER);
        launcher.args(["--launch-immediately", "--a11y=1", "--screen-reader=1"]);
        screen.lend(&mut launcher);
        let launcher = Daemon::spawn("at-spi-bus-launcher", launcher);
        let session =
            Builder::address(screen.bus_address()).unwrap().build().await.expect("the session bus is there");
        let broker = Proxy::new(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus").await.unwrap();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let address: String = loop {
            match broker.call("GetAddress", &()).await {
                Ok(address) => break address,
                // It says nothing when it is ready; asking is the only way to know.
                Err(error) if tokio::time::Instant::now() > deadline => {
                    panic!("no accessibility bus: {error}\n{}", launcher.log())
                }
                Err(_) => tokio::time::sleep(super::POLL).await,
            }
        };
        let bus = Builder::address(address.as_str())
            .unwrap()
            .build()
            .await
            .expect("the accessibility bus is there");

        let rule = MatchRule::builder().msg_type(Type::Signal).interface(EVENTS).unwrap().build();
        let events = MessageStream::for_match_rule(rule, &bus, Some(256)).await.expect("the bus takes rules");
        let registry = Proxy::new(
            &bus,
            "org.a11y.atspi.Registry",
            "/org/a11y/atspi/registry",
            "org.a11y.atspi.Registry",
        );
        let registry = registry.await.unwrap();
        for event in ["object:state-changed:focused", "object:state-changed:showing"] {
            // Programs tell nothing that nobody asked for.
            let (): () = registry
                .call("RegisterEvent", &(event, Vec::<String>::new(), ""))
                .await
                .expect("the registry takes listeners");
        }
        let (sender, told) = mpsc::unbounded_channel();
        tokio::spawn(listen(bus.clone(), events, sender));
        Self { bus, told, log: Vec::new(), _launcher: launcher }
    }

    /// Waits until something is told that `wanted` finds something in, and returns that; what came before is skipped.
    ///
    /// # Panics
    /// When that does not come.
    pub async fn hear<T>(&mut self, what: &str, wanted: impl Fn(&Told) -> Option<T>) -> T {
        loop {
            let Ok(Some(told)) = timeout(PATIENCE, self.told.recv()).await else {
                panic!("never told: {what}; told was {:#?}\nin\n{}", self.log, self.page().await)
            };
            let found = wanted(&told);
            self.log.push(told);
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// Waits until a part with this role and this beginning of a name has the focus.
    ///
    /// # Panics
    /// When it never has.
    pub async fn hear_focus(&mut self, role: &str, name: &str) -> Part {
        self.hear(&format!("the focus of the {role} “{name}”"), |told| match told {
            Told::Focus(part) => (part.role == role && part.name.starts_with(name)).then(|| part.clone()),
            Told::Words(_) => None,
        })
        .await
    }

    /// Waits until these words are announced, perhaps among others.
    ///
    /// # Panics
    /// When they never are.
    pub async fn hear_words(&mut self, words: &str) {
        self.hear(&format!("“{words}”"), |told| match told {
            Told::Words(said) => said.contains(words).then_some(()),
            Told::Focus(_) => None,
        })
        .await;
    }

    /// Whether these words have been announced so far, perhaps among others.
    #[must_use]
    pub fn has_heard(&self, words: &str) -> bool {
        self.log.iter().any(|told| matches!(told, Told::Words(said) if said.contains(words)))
    }

    /// Every part of the window, from the outside in.
    ///
    /// # Panics
    /// When the bus is gone.
    pub async fn parts(&self) -> Vec<Part> {
        let root: Reference = (
            "org.a11y.atspi.Registry".to_owned(),
            OwnedObjectPath::try_from("/org/a11y/atspi/accessible/root").unwrap(),
        );
        let mut parts = Vec::new();
        walk(&self.bus, root, 0, &mut parts).await;
        parts
    }

    /// Waits until a part that `wanted` says yes to is on the screen.
    ///
    /// # Panics
    /// When there never is one.
    pub async fn find(&self, what: &str, wanted: impl Fn(&Part) -> bool) -> Part {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(part) = self.parts().await.into_iter().find(|part| part.is_showing && wanted(part)) {
                return part;
            }
            assert!(tokio::time::Instant::now() < deadline, "no {what} in\n{}", self.page().await);
            tokio::time::sleep(super::POLL).await;
        }
    }

    /// The tree in words, for whoever reads why a test failed.
    async fn page(&self) -> String {
        let line = |part: &Part| {
            format!("{:1$}{2} “{3}” ({4})\n", "", part.depth, part.role, part.name, part.description)
        };
        self.parts().await.iter().map(line).collect()
    }
}

/// Passes on what a reader would say.
async fn listen(bus: Connection, mut events: MessageStream, told: mpsc::UnboundedSender<Told>) {
    while let Some(Ok(message)) = events.next().await {
        let Some((object, kind)) = begun_state(&message) else { continue };
        // What is gone again by now has nothing to tell.
        let Some(part) = look(&bus, &object, 0).await else { continue };
        let news = match (kind.as_str(), part.role.as_str()) {
            ("focused", _) => Told::Focus(part),
            // Orca reads a notification that comes into sight, and nothing else that does.
            ("showing", "notification") => Told::Words(part.name),
            _ => continue,
        };
        if told.send(news).is_err() {
            return;
        }
    }
}

/// The object of a `StateChanged` signal that tells of a state's begin, and the state's name.
fn begun_state(message: &Message) -> Option<(Reference, String)> {
    let header = message.header();
    if header.member()?.as_str() != "StateChanged" {
        return None;
    }
    // Sender and path name the object; the body begins with the state, and 1 where it begins.
    let (kind, begun, ..): (String, i32, i32, OwnedValue, HashMap<String, OwnedValue>) =
        message.body().deserialize().ok()?;
    let sender = header.sender()?.to_string();
    let path = OwnedObjectPath::from(header.path()?.to_owned());
    (begun == 1).then_some(((sender, path), kind))
}

async fn accessible<'a>(bus: &Connection, (name, path): &'a Reference) -> zbus::Result<Proxy<'a>> {
    zbus::proxy::Builder::new(bus)
        .destination(name.as_str())?
        .path(path.as_ref())?
        .interface(ACCESSIBLE)?
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

/// AT-SPI's name of a role (AT-SPI 2, `AtspiRole`); a number for those that nothing here is about. WebKit's own names of
/// roles are not always there.
fn role_name(role: u32) -> String {
    let name = match role {
        7 => "check box",
        11 => "combo box",
        16 => "dialog",
        35 => "menu item",
        40 => "password text",
        43 => "push button",
        44 => "radio button",
        51 => "slider",
        52 => "spin button",
        62 => "toggle button",
        79 => "entry",
        83 => "heading",
        87 => "form",
        88 => "link",
        95 => "document web",
        101 => "notification",
        110 => "landmark",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// What an object says of itself; none if it is gone.
async fn look(bus: &Connection, object: &Reference, depth: usize) -> Option<Part> {
    let proxy = accessible(bus, object).await.ok()?;
    let states: Vec<u32> = proxy.call("GetState", &()).await.ok()?;
    let has = |bit: u32| states.first().is_some_and(|bits| bits & (1 << bit) != 0);
    Some(Part {
        role: role_name(proxy.call("GetRole", &()).await.ok()?),
        name: proxy.get_property("Name").await.unwrap_or_default(),
        description: proxy.get_property("Description").await.unwrap_or_default(),
        is_focusable: has(FOCUSABLE),
        is_showing: has(SHOWING),
        depth,
    })
}

/// Writes down what is in an object, itself first.
fn walk<'a>(
    bus: &'a Connection,
    object: Reference,
    depth: usize,
    parts: &'a mut Vec<Part>,
) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
    Box::pin(async move {
        // What goes away while one walks has nothing in it.
        let Some(part) = look(bus, &object, depth).await else { return };
        parts.push(part);
        let Ok(proxy) = accessible(bus, &object).await else { return };
        let mut children: Vec<Reference> = proxy.call("GetChildren", &()).await.unwrap_or_default();
        // The place where the page begins, in another process, has a child and lists none.
        let count: i32 = proxy.get_property("ChildCount").await.unwrap_or_default();
        if children.is_empty() && count > 0 {
            children.extend(proxy.call::<_, _, Reference>("GetChildAtIndex", &0_i32).await);
        }
        for child in children {
            walk(bus, child, depth + 1, parts).await;
        }
    })
}
