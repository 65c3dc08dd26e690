//! The desktop: a screen, a session bus, a tray, notifications, a browser driver and a mouse that drags, all of the
//! test's own, around the real app.
//!
//! ```no_run
//! # async fn test() {
//! use dockline_tests::{desktop::{App, Screen, TrayHost}, lab::Dockline};
//!
//! let (screen, dockline) = (Screen::start(), Dockline::new());
//! let mut tray = TrayHost::start(&screen).await;
//! let app = App::start(&screen, &dockline, &["--tray"]);
//! tray.click("Connect to cr.boss.org").await;
//! # }
//! ```

mod app;
mod browser;
mod chooser;
mod crowd;
mod drag;
mod keyboard;
mod keyring;
mod looks;
mod mouse;
mod notifications;
mod portal;
mod processes;
mod reader;
mod screen;
mod tray;
mod versions;
mod x11;

pub use app::{App, desktop_program};
pub use browser::Browser;
pub use crowd::{MANY_IMAGES, MANY_LAYERED, MANY_LAYERS, many_registries, write_many_images};
pub use drag::{Drag, drop_files, hold_files};
pub use keyboard::{Key, Keyboard};
pub use keyring::{KeptSecret, Keyring};
pub use looks::Look;
pub use mouse::Mouse;
pub use notifications::{Notification, NotificationServer};
pub use portal::Portal;
pub use processes::{family, is_running, loads, processor_time, weight};
pub use reader::{LAUNCHER, Part, Reader, Told};
pub use screen::Screen;
pub use tray::{TrayHost, TrayLine};
pub use versions::{serve_counted_versions, serve_versions};

use std::time::Duration;

/// How long anything on a desktop may take on a loaded machine before it counts as not happening.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Pause between two looks at something that cannot be waited for.
const POLL: Duration = Duration::from_millis(100);

/// Looks until `seen` says yes; `false` when it never does.
async fn wait_until(mut seen: impl FnMut() -> bool) -> bool {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !seen() {
        if tokio::time::Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}
