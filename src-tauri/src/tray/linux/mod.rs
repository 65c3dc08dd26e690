//! The tray of Linux desktops: a StatusNotifierItem with a com.canonical.dbusmenu, spoken over the session bus. So the
//! tray's program needs no toolkit, no display and no temporary icon files, and hears when its menu is opened and closed,
//! which no library for trays passes on: lines that would move wait for the end of that (see `layout`).

mod dbusmenu;
mod item;
mod tone;

use super::{Look, layout::Layout, tone::Tone};
use crate::choice::Choice;
use dbusmenu::DbusMenu;
use futures::StreamExt as _;
use item::Item;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, watch},
};
use zbus::{Connection, connection::Builder, fdo::DBusProxy, object_server::InterfaceRef};

/// The name that a tray owns (StatusNotifierItem specification, "StatusNotifierWatcher", as all desktops use it).
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";
const ITEM_PATH: &str = "/StatusNotifierItem";
const MENU_PATH: &str = "/MenuBar";

/// The menu, shared with the object on the bus.
type Shared = Arc<Mutex<Layout>>;

fn lock(layout: &Shared) -> MutexGuard<'_, Layout> {
    layout.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The way to the tray: the session bus, which everybody finds.
#[derive(Debug, Clone, Copy)]
pub struct Bar;

/// Runs `work` on the runtime until it is done; elsewhere the tray wants the program's first thread meanwhile. `None` if
/// it panicked.
pub fn beside<F, T>(runtime: &Runtime, work: impl FnOnce(Bar) -> F) -> Option<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    Some(runtime.block_on(work(Bar)))
}

/// Keeps the icon in whichever tray there is, and makes it look like the latest of `looks`, until that has no sender any
/// more. `placed` says whether it is in a tray.
pub async fn keep(
    _: Bar,
    looks: watch::Receiver<Look>,
    choices: mpsc::UnboundedSender<Choice>,
    placed: watch::Sender<bool>,
) {
    if let Err(error) = stay(looks, choices, placed).await {
        tracing::warn!(%error, "there is no session bus, and so no tray");
    }
}

async fn stay(
    mut looks: watch::Receiver<Look>,
    choices: mpsc::UnboundedSender<Choice>,
    placed: watch::Sender<bool>,
) -> zbus::Result<()> {
    let name = format!("org.kde.StatusNotifierItem-{}-1", std::process::id());
    let layout = Shared::default();
    let first = looks.borrow_and_update().clone();
    lock(&layout).show(first.entries);
    let (closings, mut closed) = mpsc::unbounded_channel();
    let item = Item::new((first.icon, first.tongue), tone::at_start(), choices.clone());
    let bus = Builder::session()?
        .serve_at(ITEM_PATH, item)?
        .serve_at(MENU_PATH, DbusMenu::new(layout.clone(), choices, closings))?
        .name(name.as_str())?
        .build()
        .await?;
    let shown = Shown {
        item: bus.object_server().interface(ITEM_PATH).await?,
        menu: bus.object_server().interface(MENU_PATH).await?,
        layout,
    };

    let names = DBusProxy::new(&bus).await?;
    let mut trays = names.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    if names.name_has_owner(WATCHER.try_into()?).await? {
        register(&bus, &name, &placed).await;
    }
    let mut tones = tone::follow(&bus);
    loop {
        let told = tokio::select! {
            changed = looks.changed() => match changed {
                Ok(()) => {
                    let look = looks.borrow_and_update().clone();
                    shown.show(look).await
                }
                Err(_) => return Ok(()),
            },
            Some(()) = closed.recv() => shown.lines_changed().await,
            Some(tone) = tones.recv() => shown.recolour(tone).await,
            Some(change) = trays.next() => match change.args() {
                Ok(change) if change.new_owner().is_some() => {
                    register(&bus, &name, &placed).await;
                    Ok(())
                }
                Ok(_) => {
                    placed.send_replace(false);
                    Ok(())
                }
                Err(error) => Err(error),
            }
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the tray was not told of a change");
        }
    }
}

async fn register(bus: &Connection, name: &str, placed: &watch::Sender<bool>) {
    let registered = bus
        .call_method(Some(WATCHER), WATCHER_PATH, Some(WATCHER), "RegisterStatusNotifierItem", &name)
        .await;
    if let Err(error) = &registered {
        tracing::warn!(%error, "the desktop's tray does not take the icon");
    }
    placed.send_replace(registered.is_ok());
}

/// The objects on the bus.
struct Shown {
    item: InterfaceRef<Item>,
    menu: InterfaceRef<DbusMenu>,
    layout: Shared,
}

impl Shown {
    async fn show(&self, look: Look) -> zbus::Result<()> {
        if self.item.get().await.show((look.icon, look.tongue)) {
            Item::new_icon(self.item.signal_emitter()).await?;
            Item::new_tool_tip(self.item.signal_emitter()).await?;
        }
        let update = lock(&self.layout).show(look.entries);
        dbusmenu::tell(self.menu.signal_emitter(), &self.layout, update).await
    }

    async fn lines_changed(&self) -> zbus::Result<()> {
        dbusmenu::tell(self.menu.signal_emitter(), &self.layout, super::layout::Update::Lines).await
    }

    async fn recolour(&self, tone: Tone) -> zbus::Result<()> {
        if self.item.get().await.recolour(tone) {
            Item::new_icon(self.item.signal_emitter()).await?;
        }
        Ok(())
    }
}
