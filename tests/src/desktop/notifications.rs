//! A notification server of the test's own.

use super::{PATIENCE, Screen};
use std::collections::HashMap;
use tokio::{sync::mpsc, time::timeout};
use zbus::{Connection, connection::Builder, interface, zvariant::OwnedValue};

/// What the app wanted shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Who shows it.
    pub app: String,
    /// The bold line.
    pub summary: String,
    /// The text below.
    pub body: String,
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
        _icon: &str,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        self.shown.send(Notification { app, summary, body }).ok();
        self.last += 1;
        self.last
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "body-markup".to_owned()]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("dockline-tests", "dockline", "1", "1.2")
    }

    fn close_notification(&self, _id: u32) {}
}

/// The server.
pub struct NotificationServer {
    _bus: Connection,
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
        Self { _bus: bus, shown }
    }

    /// The next one.
    ///
    /// # Panics
    /// When none comes.
    pub async fn next(&mut self) -> Notification {
        timeout(PATIENCE, self.shown.recv()).await.ok().flatten().expect("a notification comes")
    }

    /// Whether any came that [`Self::next`] has not returned.
    #[must_use]
    pub fn has_more(&mut self) -> bool {
        !self.shown.is_empty()
    }
}
