//! The app in the tray, from its start to its end.

use crate::{
    choice::{self, Choice, Deed},
    demo::Demo,
    desktop::Desktop,
    instance::{self, First, Wanted},
    link::{Bridge, Link},
    notifier::Notifier,
    session, stop,
    strings::Tongue,
    tray::{self, Bar, IconState, Look, Tray},
    window::Window,
    words::{Begin, Wish},
};
use anyhow::Context as _;
use clap::Parser;
use dockline_core::{Paths, Session};
use dockline_model::Command;
use std::{
    env,
    path::{self, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// How long quitting waits for tunnels and transfers to end in order.
const ORDERLY_END: Duration = Duration::from_secs(5);

/// How long everything else leaves the processors to the icon, which a person looks for.
const HEAD_START: Duration = Duration::from_millis(100);

/// SSH tunnels to your own container registries: the tray icon and the window.
#[derive(Debug, Clone, Parser)]
#[command(name = "dockline-desktop", version)]
pub struct Arguments {
    /// Start in the tray, without a window.
    #[arg(long, visible_alias = "hidden")]
    tray: bool,
    /// Try Dockline on a registry host inside this program; nothing of yours is read or changed.
    #[arg(long)]
    demo: bool,
    /// An icon and an empty window, without tunnels or anything to show: what the rest is measured against.
    #[arg(long, hide = true, conflicts_with = "demo")]
    bare: bool,
    /// Image archives to push.
    #[arg(value_name = "FILE", conflicts_with = "tray")]
    files: Vec<PathBuf>,
}

/// Runs the app until somebody ends it.
///
/// # Errors
/// If there is no display, or nothing to show itself with.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let is_set = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
    anyhow::ensure!(
        cfg!(not(target_os = "linux")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"),
        "Dockline finds no display to show itself on (DISPLAY or WAYLAND_DISPLAY); `dockline` works without one"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let arguments = arguments.clone();
    let ended = tray::beside(&runtime, |bar| live(arguments, bar));
    // Whatever still looks something up in the background has nothing to lose.
    runtime.shutdown_background();
    ended.context("Dockline's main task failed")?.map(|()| ExitCode::SUCCESS)
}

async fn live(arguments: Arguments, bar: Bar) -> anyhow::Result<()> {
    let account = Paths::from_process()?;
    // The demo is an app of its own: it must not show the real one's window instead of starting.
    let own_folder = match arguments.demo || arguments.bare {
        true => Paths::in_folder(&account.runtime_dir.join(if arguments.demo { "demo" } else { "bare" })),
        false => account.clone(),
    };
    let wanted = Wanted { show: !arguments.tray, wish: wish(&arguments.files) };
    let Some(mut first) = instance::first(&own_folder, &wanted).await? else { return Ok(()) };
    let demo = if arguments.demo { Some(Arc::new(Demo::start().await?)) } else { None };
    let paths = demo.as_ref().map_or(account, |demo| demo.paths().clone());

    let (failures, not_shown) = mpsc::unbounded_channel();
    let begin = Begin {
        runtime: paths.runtime_dir.clone(),
        sample: demo.as_ref().map(|demo| demo.sample().to_owned()),
        wishes: Vec::new(),
        left: Vec::new(),
        bare: arguments.bare,
    };
    let window = Window::new(begin, failures);
    // Before all else, since it takes longest.
    if wanted.show {
        window.open(wanted.wish);
    }
    let (choices, chosen) = mpsc::unbounded_channel();
    let tongue = Tongue::of_system();
    let tray = Tray::start(
        bar,
        Look { entries: tray::while_opening(tongue), icon: IconState::Idle, tongue },
        choices.clone(),
    );
    let notifier = Notifier::start(choices);
    let (link, links) = watch::channel(Link::Opening);
    let app = App { window, tray, bridge: Bridge::new(links) };

    if arguments.tray {
        let (tray, window) = (app.tray.clone(), app.window.clone());
        tokio::spawn(async move {
            if !tray.appears().await {
                tracing::info!("there is no tray on this desktop, so the window is shown");
                window.open(None);
            }
        });
    }
    let keeper = {
        let (demo, face) = (demo.clone(), Desktop::new(app.tray.clone(), app.window.clone(), notifier));
        let (is_bare, tray) = (arguments.bare, app.tray.clone());
        async move {
            if is_bare {
                // Nobody waits for a session that will not come.
                drop(link);
                return std::future::pending().await;
            }
            tray.is_placed_within(HEAD_START).await;
            session::keep(paths, demo.as_deref(), link, face).await;
        }
    };
    let lived = app.run(&mut first, chosen, not_shown, tokio::spawn(keeper)).await;
    app.end().await;
    if let Some(demo) = demo {
        demo.clean_up();
    }
    lived
}

/// The files that were named, for the window to push. Relative ones belong to the folder that this was started in.
fn wish(files: &[PathBuf]) -> Option<Wish> {
    let absolute = |file: &PathBuf| path::absolute(file).unwrap_or_else(|_| file.clone());
    let files: Vec<PathBuf> = files.iter().map(absolute).collect();
    (!files.is_empty()).then(|| choice::archives(&files))
}

/// What there is to act on.
struct App {
    window: Window,
    tray: Tray,
    bridge: Bridge<Session>,
}

impl App {
    /// Does what is chosen until the end is.
    async fn run(
        &self,
        first: &mut First,
        mut chosen: mpsc::UnboundedReceiver<Choice>,
        mut not_shown: mpsc::UnboundedReceiver<crate::window::NotShown>,
        mut keeper: tokio::task::JoinHandle<()>,
    ) -> anyhow::Result<()> {
        let mut asked_to_stop = std::pin::pin!(stop::requested());
        loop {
            tokio::select! {
                () = &mut asked_to_stop => return Ok(()),
                Some(choice) = chosen.recv() => match choice.deed() {
                    Deed::Ask(command) => self.ask(*command),
                    Deed::Copy(text) => copy(text),
                    Deed::Show(wish) => self.window.open(wish),
                    Deed::Quit => return Ok(()),
                },
                Some(wish) = first.wanted.recv() => self.window.open(wish),
                Some(_) = not_shown.recv() => {
                    // Without either, nobody would know that it runs.
                    anyhow::ensure!(
                        self.tray.appears().await,
                        "Dockline's window cannot be shown, and this desktop has no tray"
                    );
                }
                // Somebody told the owner, which is this process, to end.
                ended = &mut keeper => return ended.context("the session's task failed"),
            }
        }
    }

    fn ask(&self, command: Command) {
        let bridge = self.bridge.clone();
        tokio::spawn(async move {
            // How it went is part of the state, which the tray, the window and a notification show.
            let asked = async { bridge.session().await?.request(command).await };
            if let Err(error) = asked.await {
                tracing::info!(%error, "a choice from the tray failed");
            }
        });
    }

    /// Ends the window and the session, in order if that does not take long.
    async fn end(&self) {
        let session = async {
            if let Ok(session) = self.bridge.session().await {
                session.close().await;
            }
        };
        let both = async { tokio::join!(self.window.close(), session) };
        if tokio::time::timeout(ORDERLY_END, both).await.is_err() {
            tracing::warn!("the session did not end within 5 seconds; leaving anyway");
        }
    }
}

fn copy(text: String) {
    // The clipboard is the display's, which answers when it likes.
    tokio::task::spawn_blocking(move || {
        if let Err(error) = crate::clipboard::put(text) {
            tracing::warn!(%error, "the clipboard cannot be used");
        }
    });
}
