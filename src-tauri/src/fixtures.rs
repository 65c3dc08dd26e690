//! States to test the pure parts with.

use dockline_model::{
    EngineState, EngineView, LeaseHolder, LeaseView, OfferId, OfferSpec, OfferState, OfferView, Places,
    RegistrySpec, RegistryView, RemoteEnd, Road, Settings, Snapshot, TransferId, TransferKind, TransferState,
    TransferView, TunnelState, TunnelView, UnixMillis,
};

pub fn snapshot() -> Snapshot {
    Snapshot {
        sequence: 0,
        config_path: "config.toml".to_owned(),
        config_error: None,
        registries: Vec::new(),
        transfers: Vec::new(),
        engine: EngineView { state: EngineState::Unknown, images: Vec::new() },
        offers: Vec::new(),
        prompts: Vec::new(),
        setup: None,
        settings: Settings::default(),
        places: Places::default(),
        paused: false,
        doctors: Vec::new(),
        updates: dockline_model::UpdatesView::default(),
    }
}

pub fn registry(name: &str, state: TunnelState) -> RegistryView {
    RegistryView {
        spec: RegistrySpec {
            name: name.parse().unwrap(),
            ssh: "dockercr@88.88.88.88".parse().unwrap(),
            fallbacks: Vec::new(),
            remote: RemoteEnd::default(),
            address: [127, 77, 1, 2].into(),
            port: 5000,
            linger_seconds: 10,
            gateway: None,
            localhost_port: None,
            ca: None,
            keep_open: false,
            url: None,
            client_certificate: None,
            open_at_start: false,
            limits: dockline_model::TrafficLimits::default(),
        },
        alias_ready: true,
        tunnel: TunnelView { state, ..TunnelView::idle() },
    }
}

pub fn transfer(id: u64, state: TransferState) -> TransferView {
    TransferView {
        id: TransferId(id),
        kind: TransferKind::Push,
        road: Road::Engine,
        why: None,
        registry: "cr.boss.org".parse().unwrap(),
        host: None,
        source: "app:v1".to_owned(),
        reference: "cr.boss.org:5000/app:v1".to_owned(),
        state,
        layers: Vec::new(),
        current: 42,
        total: 100,
        share: Some(420),
        sent: 0,
        skipped: 0,
        rate: None,
        seconds_left: None,
        started: UnixMillis(0),
        finished: None,
    }
}

pub fn lease(holder: LeaseHolder, program: Option<&str>) -> LeaseView {
    LeaseView { holder, since: UnixMillis(0), program: program.map(str::to_owned), is_own: false }
}

pub fn offer(id: u64, state: OfferState) -> OfferView {
    OfferView {
        id: OfferId(id),
        spec: OfferSpec { ssh: "root@prod.boss.org".parse().unwrap(), port: 5001, to: OfferSpec::DEFAULT_TO },
        kept: false,
        state,
        connections: 0,
        error: None,
        bytes_up: 0,
        bytes_down: 0,
    }
}
