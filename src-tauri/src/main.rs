//! Dockline's desktop shell: a tray icon, a window when one is wanted, notifications. Nothing is decided here
//! that the core could decide; the shell shows its state and passes the person's wishes on.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod bridge;
mod demo;
mod desktop;
mod drops;
#[cfg(test)]
mod fixtures;
mod notifications;
mod session;
mod state;
mod stop;
mod tray;
mod watcher;
mod window;

use anyhow::Context as _;
use bridge::{Bridge, Link};
use clap::Parser;
use demo::Demo;
use desktop::Desktop;
use dockline_core::Paths;
use tauri::{Manager, RunEvent, WindowEvent};
use tokio::sync::watch;

/// SSH tunnels to your own container registries: the tray icon and the window.
#[derive(Debug, Parser)]
#[command(name = "dockline-desktop", version)]
struct Arguments {
    /// Start in the tray, without a window.
    #[arg(long, visible_alias = "hidden")]
    tray: bool,
    /// Try Dockline on a registry host inside this program; nothing of yours is read or changed.
    #[arg(long)]
    demo: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("DOCKLINE_LOG").unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();

    // The toolkit's own check panics, which tells a person nothing.
    #[cfg(target_os = "linux")]
    gtk::init().context(
        "Dockline finds no display to show itself on (DISPLAY or WAYLAND_DISPLAY); `dockline` works without one",
    )?;

    // The demo is an app of its own: it must not show the real one's window instead of starting.
    let name_on_the_bus = if arguments.demo { "org.dockline.demo" } else { "org.dockline.desktop" };
    let first_instance = tauri_plugin_single_instance::Builder::new()
        .dbus_id(name_on_the_bus)
        .callback(|app, arguments, _folder| {
            if !Arguments::try_parse_from(arguments).is_ok_and(|again| again.tray) {
                window::open(app);
            }
        })
        .build();

    let app = tauri::Builder::default()
        .plugin(first_instance)
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(tauri::generate_handler![
            bridge::dispatch,
            bridge::demo_sample,
            bridge::choose_archive,
            bridge::take_wish
        ])
        .on_window_event(|window, event| {
            if let WindowEvent::DragDrop(drag) = event {
                drops::forward(window, drag);
            }
        })
        .setup(move |app| {
            if let Err(error) = start(app.handle(), &arguments) {
                // Tauri would panic with it.
                eprintln!("Error: {error:?}");
                std::process::exit(1);
            }
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("Dockline's window system cannot be started")?;
    app.run(|app, event| {
        // Without a code it is the last window that was closed: the tray stays.
        if let RunEvent::ExitRequested { code: None, api, .. } = &event {
            api.prevent_exit();
        }
        if let RunEvent::Exit = &event
            && let Some(demo) = app.state::<Option<Demo>>().as_ref()
        {
            demo.clean_up();
        }
    });
    Ok(())
}

/// Everything that happens once per start, when the toolkit is ready and this is known to be the only instance.
fn start(app: &tauri::AppHandle, arguments: &Arguments) -> anyhow::Result<()> {
    let demo = if arguments.demo { Some(tauri::async_runtime::block_on(Demo::start())?) } else { None };
    let paths = match &demo {
        Some(demo) => demo.paths().clone(),
        None => Paths::from_process()?,
    };
    let (link, links) = watch::channel(Link::Opening);
    app.manage(Bridge::new(links));
    app.manage(demo);
    app.manage(bridge::OpenWish::default());

    let face = Desktop::new(app.clone(), tray::Tray::new(app, desktop::clicked)?);
    let keeper = app.clone();
    tauri::async_runtime::spawn(async move {
        session::keep(paths, keeper.state::<Option<Demo>>().as_ref(), link, face).await;
    });
    let stopped = app.clone();
    tauri::async_runtime::spawn(async move {
        stop::requested().await;
        desktop::quit(&stopped);
    });
    if arguments.tray {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            if !watcher::tray_exists().await {
                tracing::info!("there is no tray on this desktop, so the window is shown");
                window::open(&app);
            }
        });
    } else {
        window::open(app);
    }
    Ok(())
}
