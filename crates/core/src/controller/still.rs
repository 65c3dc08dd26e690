//! What there is to see while nobody owns the tunnels: the configuration, and whether the names lead to it.

use super::{
    history, load,
    registries::{names, read_hosts},
};
use crate::{
    Paths,
    updates::{Kept, RUNNING},
};
use dockline_model::{
    EngineState, EngineView, RegistrySpec, RegistryView, Settings, Snapshot, TunnelView, UiError,
};

/// Reads it. Nothing is bound, dialled or written.
///
/// # Errors
/// If the configuration cannot be read.
pub(crate) async fn snapshot(paths: &Paths) -> Result<Snapshot, UiError> {
    let config = load(paths).await?;
    let hosts = read_hosts(&paths.hosts_file).await;
    let view = |spec: RegistrySpec| RegistryView {
        alias_ready: names(&hosts, &spec),
        spec,
        tunnel: TunnelView::idle(),
    };
    let updates =
        Kept::read(&paths.updates_file()).view(config.settings.update_url.as_deref(), RUNNING, false);
    Ok(Snapshot {
        sequence: 0,
        config_path: paths.config_file.display().to_string(),
        config_error: None,
        registries: config.registries.into_iter().map(view).collect(),
        transfers: history::read(&paths.transfers_file()).into_iter().map(|past| past.view).collect(),
        engine: EngineView { state: EngineState::Unknown, images: Vec::new() },
        offers: Vec::new(),
        prompts: Vec::new(),
        setup: None,
        settings: Settings { start_at_login: paths.autostart().is_on(), ..config.settings },
        places: paths.places(),
        paused: false,
        doctors: Vec::new(),
        updates,
    })
}
