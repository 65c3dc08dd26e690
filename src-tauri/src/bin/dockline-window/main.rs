//! `dockline-window`: the window, as a face of the owner. `dockline-desktop` starts it when one is wanted; it ends when it
//! is closed, or with the one who started it.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod announce;
mod bridge;
mod drops;
mod files;
mod follow;
mod page;
mod release;

use anyhow::Context as _;
use dockline_desktop::{
    link::{Bridge, Link},
    log_to_stderr,
    words::{self, Begin, FromWindow, ToWindow},
};
use tauri::{Manager as _, WindowEvent};
use tokio::sync::watch;

fn main() -> anyhow::Result<()> {
    log_to_stderr();
    let begin = match words::hear(&mut std::io::stdin().lock()) {
        Ok(Some(ToWindow::Begin(begin))) => begin,
        Ok(Some(ToWindow::Raise { .. }) | None) | Err(_) => {
            anyhow::bail!("dockline-window is started by dockline-desktop: start that one")
        }
    };
    // The toolkit's own check panics, which tells a person nothing.
    #[cfg(target_os = "linux")]
    gtk::init().context("Dockline finds no display to show its window on (DISPLAY or WAYLAND_DISPLAY)")?;
    let app = tauri::Builder::default();
    let app = if begin.bare { page::serve_bare(app) } else { app };
    let drags = drops::Drags::start().context("Dockline's window cannot be shown")?;
    app.plugin(tauri_plugin_dialog::init())
        .invoke_handler(tauri::generate_handler![
            announce::announce,
            bridge::dispatch,
            bridge::demo_sample,
            bridge::take_wish,
            bridge::keep_wishes,
            files::choose_file,
            files::choose_save,
            files::save_team_file,
            release::open_release,
        ])
        .on_window_event(move |window, event| {
            if let WindowEvent::DragDrop(drag) = event {
                drags.pass_on(window, drag);
            } else if let WindowEvent::Focused(watched) = event {
                page::tell_tray(&FromWindow::Watched { watched: *watched });
            }
        })
        .setup(move |app| {
            if let Err(error) = start(app.handle(), begin) {
                // Tauri would panic with it.
                eprintln!("Error: {error:?}");
                std::process::exit(1);
            }
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("Dockline's window cannot be shown")?
        .run(|app, event| drops::on_the_dock(app, &event));
    Ok(())
}

/// Everything that happens once, when the toolkit is ready.
fn start(app: &tauri::AppHandle, begin: Begin) -> anyhow::Result<()> {
    let (link, links) = watch::channel(Link::Opening);
    app.manage(Bridge::new(links));
    app.manage(bridge::Sample(begin.sample));
    app.manage(bridge::OpenWishes::new(begin.wishes, begin.left));
    page::open(app, begin.bare)?;
    if !begin.bare {
        tauri::async_runtime::spawn(follow::keep(begin.runtime, app.clone(), link));
    }
    let app = app.clone();
    std::thread::Builder::new().name("tray".to_owned()).spawn(move || listen(&app))?;
    Ok(())
}

/// Does what the tray says, until it says no more.
fn listen(app: &tauri::AppHandle) {
    loop {
        match words::hear(&mut std::io::stdin().lock()) {
            Ok(Some(ToWindow::Raise { wish })) => {
                if let Some(wish) = wish {
                    bridge::wish(app, wish);
                }
                page::raise(app);
            }
            Ok(Some(ToWindow::Begin(_))) => tracing::warn!("a window begins once"),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                tracing::warn!(%error, "the tray said something that is not known");
            }
            Ok(None) | Err(_) => return app.exit(0),
        }
    }
}
