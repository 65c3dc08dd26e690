//! Whether the desktop has a tray at all. Without one a hidden start would show nothing whatever.

/// Whether a tray is there or appears within seconds, as it does while a desktop session is starting.
#[cfg(target_os = "linux")]
pub async fn tray_exists() -> bool {
    tokio::time::timeout(PATIENCE, watcher_appears()).await.is_ok_and(|found| found.unwrap_or(false))
}

/// Windows and macOS always have one.
#[cfg(not(target_os = "linux"))]
pub async fn tray_exists() -> bool {
    true
}

/// How long a starting desktop may take to bring up its tray.
#[cfg(target_os = "linux")]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The name that a tray owns (StatusNotifierItem specification, "StatusNotifierWatcher", as all desktops use it).
#[cfg(target_os = "linux")]
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

#[cfg(target_os = "linux")]
async fn watcher_appears() -> zbus::Result<bool> {
    use futures::StreamExt as _;
    let bus = zbus::Connection::session().await?;
    let names = zbus::fdo::DBusProxy::new(&bus).await?;
    let mut changes = names.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    if names.name_has_owner(WATCHER.try_into()?).await? {
        return Ok(true);
    }
    while let Some(change) = changes.next().await {
        if change.args()?.new_owner().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
