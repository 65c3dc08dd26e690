//! A desktop portal of the test's own, which says whether the person likes it dark.

use super::Screen;
use zbus::{
    Connection,
    connection::Builder,
    fdo, interface,
    object_server::SignalEmitter,
    zvariant::{OwnedValue, Value},
};

const PATH: &str = "/org/freedesktop/portal/desktop";
const NAMESPACE: &str = "org.freedesktop.appearance";
const KEY: &str = "color-scheme";

struct Settings {
    scheme: u32,
}

// XDG Desktop Portal, "Settings", version 2.
#[interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    fn read_one(&self, namespace: &str, key: &str) -> fdo::Result<OwnedValue> {
        match (namespace, key) {
            (NAMESPACE, KEY) => Ok(OwnedValue::from(self.scheme)),
            _ => Err(fdo::Error::Failed("there is no such setting".to_owned())),
        }
    }

    #[zbus(signal)]
    async fn setting_changed(
        emitter: &SignalEmitter<'_>,
        namespace: &str,
        key: &str,
        value: Value<'_>,
    ) -> zbus::Result<()>;
}

/// The portal.
pub struct Portal {
    bus: Connection,
}

impl Portal {
    /// Owns `org.freedesktop.portal.Desktop` on the screen's bus. Start it before the app.
    ///
    /// # Panics
    /// When the bus is not there.
    pub async fn start(screen: &Screen, dark: bool) -> Self {
        let bus = Builder::address(screen.bus_address())
            .and_then(|bus| bus.serve_at(PATH, Settings { scheme: scheme(dark) }))
            .and_then(|bus| bus.name("org.freedesktop.portal.Desktop"))
            .expect("the names are valid")
            .build()
            .await
            .expect("the name is free");
        Self { bus }
    }

    /// The person changes their mind.
    ///
    /// # Panics
    /// When the bus is gone.
    pub async fn switch(&self, dark: bool) {
        let settings = self.bus.object_server().interface::<_, Settings>(PATH).await.expect("it is served");
        settings.get_mut().await.scheme = scheme(dark);
        Settings::setting_changed(settings.signal_emitter(), NAMESPACE, KEY, Value::U32(scheme(dark)))
            .await
            .expect("the bus is there");
    }
}

/// 1 is dark, 2 is light (XDG Desktop Portal, "color-scheme").
const fn scheme(dark: bool) -> u32 {
    if dark { 1 } else { 2 }
}
