//! The tray of macOS and Windows: an icon and a menu of the system's own, through the libraries that the Tauri project
//! makes for them, without Tauri. Both belong to the program's first thread, which turns the system's event loop; the app
//! itself lives on the runtime beside it, and the two send each other words.

mod icon;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

use super::Look;
use crate::choice::Choice;
use icon::Icon;
use std::time::Duration;
use tao::{
    event::{Event, StartCause},
    event_loop::{ControlFlow, EventLoopBuilder, EventLoopProxy},
    platform::run_return::EventLoopExtRunReturn as _,
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::{mpsc, watch},
    time::timeout,
};

/// How long a system that is ending the person's session is held up, so that tunnels and transfers end in order; a little
/// longer than the app takes at most, and what Windows grants before it kills.
const PATIENCE: Duration = Duration::from_millis(5_500);

/// Turns of the loop between the end of a look at the menu and new lines in it: the click that ended it is told in between
/// (Windows posts it, and the menu's library then tells us), and is meant for the lines that were there.
const TURNS: u8 = 2;

/// The way to the tray: through the event loop of the program's first thread.
#[derive(Debug)]
pub struct Bar(EventLoopProxy<Order>);

/// What the loop is told.
#[derive(Debug)]
enum Order {
    /// Put the icon into the bar.
    Place(Place),
    /// Show something else.
    Show(Look),
    /// Take the icon away.
    Remove,
    /// The app has ended.
    End,
    /// Something happened in the bar.
    Happened(Happened),
}

/// What putting the icon into the bar takes.
#[derive(Debug)]
struct Place {
    look: Look,
    choices: mpsc::UnboundedSender<Choice>,
    placed: watch::Sender<bool>,
}

/// What a bar tells.
#[derive(Debug)]
enum Happened {
    /// The icon itself was clicked, and shows no menu for that.
    #[cfg(windows)]
    IconClicked,
    /// A line of the menu was clicked.
    LineClicked(String),
    /// The menu was opened.
    MenuOpened,
    /// The menu was closed, and so many turns of the loop are to go by.
    MenuClosed(u8),
    /// The bar has other colours, perhaps.
    #[cfg(windows)]
    ColoursChanged,
    /// There is a new bar, which the icon was put into as it was at first.
    #[cfg(windows)]
    BarIsNew,
}

/// Runs `work` on the runtime until it is done, and the system's event loop on this thread, which must be the program's
/// first. `None` if it panicked.
pub fn beside<F, T>(runtime: &Runtime, work: impl FnOnce(Bar) -> F) -> Option<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut events = EventLoopBuilder::<Order>::with_user_event().build();
    system::stay_in_the_background(&mut events);
    let orders = events.create_proxy();
    let (ending, ended) = watch::channel(false);
    let work = runtime.spawn(work(Bar(orders.clone())));
    let result = runtime.spawn(async move {
        let result = work.await;
        ending.send_replace(true);
        // A loop that the system has ended needs no telling.
        let _ = orders.send_event(Order::End);
        result.ok()
    });
    let mut keeper = Keeper {
        orders: events.create_proxy(),
        end: End { runtime: runtime.handle().clone(), ended },
        icon: None,
        waiting: Vec::new(),
        choices: None,
    };
    events.run_return(|event, _, flow| match event {
        Event::NewEvents(StartCause::Init) => *flow = ControlFlow::Wait,
        Event::UserEvent(Order::End) => *flow = ControlFlow::Exit,
        Event::UserEvent(order) => keeper.carry_out(order),
        // Files for the program: let go over its icon in the Dock or the Finder, or opened with it.
        Event::Opened { urls } => {
            let files: Vec<_> = urls.iter().filter_map(|url| url.to_file_path().ok()).collect();
            if !files.is_empty() {
                keeper.choose(Choice::PushArchives(files));
            }
        }
        // Started once more, by its icon.
        Event::Reopen { .. } => keeper.choose(Choice::Open(None)),
        // By ourselves, or the system ends the session: the process may be gone with the end of this.
        Event::LoopDestroyed => {
            if let Some(choices) = &keeper.choices {
                keeper.end.in_order(choices);
            }
        }
        _ => {}
    });
    drop(keeper);
    runtime.block_on(result).ok().flatten()
}

/// Keeps the icon in the bar, and makes it look like the latest of `looks`, until that has no sender any more. `placed`
/// says whether it is there.
pub async fn keep(
    bar: Bar,
    mut looks: watch::Receiver<Look>,
    choices: mpsc::UnboundedSender<Choice>,
    placed: watch::Sender<bool>,
) {
    let Bar(orders) = bar;
    let look = looks.borrow_and_update().clone();
    let mut told = orders.send_event(Order::Place(Place { look, choices, placed }));
    while told.is_ok() && looks.changed().await.is_ok() {
        let look = looks.borrow_and_update().clone();
        told = orders.send_event(Order::Show(look));
    }
    // Without a loop there is no icon any more.
    let _ = orders.send_event(Order::Remove);
}

/// The end of the app, for a thread that has to wait for it.
#[derive(Debug, Clone)]
struct End {
    runtime: Handle,
    ended: watch::Receiver<bool>,
}

impl End {
    /// Asks the app to end, unless it has, and waits until it has.
    fn in_order(&self, choices: &mpsc::UnboundedSender<Choice>) {
        let mut ended = self.ended.clone();
        if *ended.borrow() || choices.send(Choice::Quit).is_err() {
            return;
        }
        let waited =
            self.runtime.block_on(async { timeout(PATIENCE, ended.wait_for(|has| *has)).await.is_ok() });
        if !waited {
            tracing::warn!("the app did not end in time; leaving anyway");
        }
    }
}

/// What the loop's thread has.
struct Keeper {
    orders: EventLoopProxy<Order>,
    end: End,
    icon: Option<Icon>,
    choices: Option<mpsc::UnboundedSender<Choice>>,
    /// What was chosen before there was anybody to tell.
    waiting: Vec<Choice>,
}

impl Keeper {
    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Place(place) => self.place(place),
            Order::Show(look) => {
                if let Some(icon) = &mut self.icon {
                    icon.show(look);
                }
            }
            Order::Remove => self.icon = None,
            // The loop's own.
            Order::End => {}
            Order::Happened(happened) => self.happened(happened),
        }
    }

    fn place(&mut self, place: Place) {
        let Place { look, choices, placed } = place;
        for choice in self.waiting.drain(..) {
            // The app is ending: so be it.
            let _ = choices.send(choice);
        }
        let end = {
            let (end, choices) = (self.end.clone(), choices.clone());
            move || end.in_order(&choices)
        };
        self.choices = Some(choices);
        match Icon::place(look, &self.orders, end) {
            Ok(icon) => {
                self.icon = Some(icon);
                placed.send_replace(true);
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the system takes no icon for its bar")
            }
        }
    }

    fn happened(&mut self, happened: Happened) {
        let Some(icon) = &mut self.icon else { return };
        match happened {
            #[cfg(windows)]
            Happened::IconClicked => self.choose(Choice::Open(None)),
            Happened::LineClicked(number) => {
                if let Some(choice) = icon.clicked(&number) {
                    self.choose(choice);
                }
            }
            Happened::MenuOpened => icon.opened(),
            Happened::MenuClosed(0) => icon.closed(),
            Happened::MenuClosed(turns) => {
                // The loop's own thread: the loop is there.
                let _ = self.orders.send_event(Order::Happened(Happened::MenuClosed(turns - 1)));
            }
            #[cfg(windows)]
            Happened::ColoursChanged => icon.recolour(),
            #[cfg(windows)]
            Happened::BarIsNew => icon.again(),
        }
    }

    fn choose(&mut self, choice: Choice) {
        match &self.choices {
            // The app is ending: so be it.
            Some(choices) => drop(choices.send(choice)),
            None => self.waiting.push(choice),
        }
    }
}
