//! A notification server of the test's own.

use super::{PATIENCE, Screen};
use std::collections::HashMap;
use tokio::{sync::mpsc, time::timeout};
use zbus::{Connection, connection::Builder, interface, object_server::SignalEmitter, zvariant::OwnedValue};

/// What the app wanted shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Who shows it.
    pub app: String,
    /// The bold line.
    pub summary: String,
    /// The text below.
    pub body: String,
    /// Its number.
    pub id: u32,
    /// What can be clicked: name and text of each.
    pub actions: Vec<(String, String)>,
    /// The icon's name.
    pub icon: String,
    /// The name of the app's entry (its hint `desktop-entry`).
    pub entry: Option<String>,
}

struct Server {
    shown: mpsc::UnboundedSender<Notification>,
    last: u32,
}

// The specification's own signatures.
#[interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::too_many_arguments, reason = "the Desktop Notifications Specification has this many")]
    fn notify(
        &mut self,
        app: String,
        _replaces: u32,
        icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        mut hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        self.last += 1;
        let actions = actions.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let entry = hints.remove("desktop-entry").and_then(|entry| String::try_from(entry).ok());
        self.shown.send(Notification { app, summary, body, id: self.last, actions, icon, entry }).ok();
        self.last
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".to_owned(), "body".to_owned(), "body-markup".to_owned()]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("dockline-tests", "dockline", "1", "1.2")
    }

    fn close_notification(&self, _id: u32) {}

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, name: &str) -> zbus::Result<()>;
}

/// The server.
pub struct NotificationServer {
    bus: Connection,
    shown: mpsc::UnboundedReceiver<Notification>,
}

impl NotificationServer {
    /// Owns `org.freedesktop.Notifications` on the screen's bus.
    ///
    /// # Panics
    /// When the bus is not there.
    pub async fn start(screen: &Screen) -> Self {
        let (sender, shown) = mpsc::unbounded_channel();
        let bus = Builder::address(screen.bus_address())
            .and_then(|bus| bus.serve_at("/org/freedesktop/Notifications", Server { shown: sender, last: 0 }))
            .and_then(|bus| bus.name("org.freedesktop.Notifications"))
            .expect("the names are valid")
            .build()
            .await
            .expect("the name is free");
        Self { bus, shown }
    }

    /// The next one.
    ///
    /// # Panics
    /// When none comes.
    pub async fn next(&mut self) -> Notification {
        timeout(PATIENCE, self.shown.recv()).await.ok().flatten().expect("a notification comes")
    }

    /// Clicks on it: on the notification itself (`default`), or on the button of that name.
    ///
    /// # Panics
    /// When it has no such button.
    pub async fn click(&self, notification: &Notification, name: &str) {
        assert!(notification.actions.iter().any(|(action, _)| action == name), "{notification:?}");
        let emitter =
            SignalEmitter::new(&self.bus, "/org/freedesktop/Notifications").expect("the path is valid");
        Server::action_invoked(&emitter, notification.id, name).await.expect("the bus is there");
    }

    /// Whether any came that [`Self::next`] has not returned.
    #[must_use]
    pub fn has_more(&mut self) -> bool {
        !self.shown.is_empty()
    }
}
