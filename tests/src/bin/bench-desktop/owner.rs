//! An owner of the bench's own, on the control socket: no real one can be made to send two hundred changes a second.

use dockline_model::{
    Change, Command, EngineState, EngineView, Envelope, Event, LayerState, LayerView, PROTOCOL_VERSION,
    Places, Reply, Request, Response, Road, Settings, Snapshot, TransferId, TransferKind, TransferState,
    TransferView, UnixMillis,
};
use serde::Serialize;
use std::{path::Path, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// Layers of the image that is pushed for ever.
const LAYERS: u64 = 60;
/// Bytes of each.
const LAYER: u64 = 50_000_000;

/// Serves the control socket in `runtime`; every `pause` there is a change for every face, while `on` says so.
///
/// # Panics
/// When the socket cannot be made.
pub fn serve(runtime: &Path, pause: Duration, on: watch::Receiver<bool>) {
    // A face trusts no folder that others may look into.
    let mut folder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(runtime).expect("the folder is ours");
    let listener = UnixListener::bind(runtime.join("control.sock")).expect("the folder is ours");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A face that goes away ends its own conversation.
            tokio::spawn(converse(stream, pause, on.clone()));
        }
    });
}

async fn converse(stream: UnixStream, pause: Duration, mut on: watch::Receiver<bool>) -> std::io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut lines = BufReader::new(input).lines();
    lines.next_line().await?;
    say(&mut output, &Envelope::Welcome { protocol: PROTOCOL_VERSION }).await?;
    let mut sequence = 1;
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        let is_on = *on.borrow_and_update();
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                let Ok(request) = serde_json::from_str::<Request>(&line) else { continue };
                let reply = if request.command == Command::Snapshot {
                    Reply::Snapshot { snapshot: snapshot(sequence) }
                } else {
                    Reply::Done
                };
                say(&mut output, &Envelope::Response(Response { id: request.id, result: Ok(reply) })).await?;
            }
            _ = ticks.tick(), if is_on => {
                sequence += 1;
                let change = Change::Transfer { transfer: transfer(sequence) };
                say(&mut output, &Envelope::Event(Event { sequence, change })).await?;
            }
            changed = on.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                ticks.reset();
            }
        }
    }
}

async fn say(output: &mut OwnedWriteHalf, envelope: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(envelope)?;
    line.push(b'\n');
    output.write_all(&line).await
}

fn snapshot(sequence: u64) -> Snapshot {
    Snapshot {
        sequence,
        config_path: "config.toml".to_owned(),
        config_error: None,
        registries: Vec::new(),
        transfers: vec![transfer(sequence)],
        offers: Vec::new(),
        engine: EngineView { state: EngineState::Unknown, images: Vec::new() },
        prompts: Vec::new(),
        setup: None,
        settings: Settings::default(),
        places: Places::default(),
        paused: false,
        doctors: Vec::new(),
        updates: dockline_model::UpdatesView::default(),
    }
}

/// The push, a little further with every change: five layers at a time move, as many as Docker sends.
fn transfer(sequence: u64) -> TransferView {
    let layers: Vec<LayerView> = (0..LAYERS)
        .map(|number| {
            let is_moving = number % 12 == 0;
            let current = if is_moving { sequence * 20_000 % LAYER } else { 0 };
            let state = if is_moving { LayerState::Transferring } else { LayerState::Waiting };
            LayerView { id: format!("{number:012x}"), state, current, total: Some(LAYER) }
        })
        .collect();
    TransferView {
        id: TransferId(1),
        kind: TransferKind::Push,
        road: Road::Direct,
        why: None,
        registry: "cr.boss.org".parse().expect("a name"),
        host: None,
        source: "team/app:v1".to_owned(),
        reference: "cr.boss.org:5000/team/app:v1".to_owned(),
        state: TransferState::Running,
        current: layers.iter().map(|layer| layer.current).sum(),
        total: LAYERS * LAYER,
        share: Some(u16::try_from(sequence % 1000).unwrap_or_default()),
        layers,
        sent: sequence * 100_000,
        skipped: 0,
        rate: Some(20_000_000 + sequence % 1_000_000),
        seconds_left: Some(120),
        started: UnixMillis(0),
        finished: None,
    }
}
