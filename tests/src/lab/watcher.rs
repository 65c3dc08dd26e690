//! A face of the test's own on the owner's control socket, so that a test waits for states and not for a while.

use super::dockline::Dockline;
use dockline_model::{
    Change, Command, Envelope, FaceKind, Hello, PROTOCOL_VERSION, RegistryName, Reply, Request, Response,
    Snapshot, TunnelView,
};
use serde::Serialize;
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// Sees every change of every tunnel from the moment it is made.
#[derive(Debug)]
pub struct Watcher {
    views: Receiver<(RegistryName, TunnelView)>,
    latest: HashMap<RegistryName, TunnelView>,
}

impl Watcher {
    /// Joins the owner that serves `dockline`'s control socket.
    ///
    /// # Panics
    /// When there is no owner, or it speaks another language than the model's.
    #[must_use]
    pub fn join(dockline: &Dockline) -> Self {
        let path = dockline.home().join("run/control.sock");
        let stream = UnixStream::connect(&path)
            .unwrap_or_else(|error| panic!("no owner at {}: {error}", path.display()));
        say(&stream, &Hello { protocol: PROTOCOL_VERSION, face: FaceKind::Cli, can_answer: false });
        say(&stream, &Request { id: 1, command: Command::Snapshot });
        let (sender, views) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
            lines.try_for_each(|line| {
                tunnels(&line).into_iter().try_for_each(|view| sender.send(view).map_err(drop))
            })
        });
        Self { views, latest: HashMap::new() }
    }

    /// Waits until the tunnel is as `expected`, which it may be already, and returns it.
    ///
    /// # Panics
    /// When it is not within `patience`; the message says what it was instead.
    #[track_caller]
    pub fn wait_for(
        &mut self,
        registry: &RegistryName,
        what: &str,
        patience: Duration,
        expected: impl Fn(&TunnelView) -> bool,
    ) -> TunnelView {
        let deadline = Instant::now() + patience;
        loop {
            // What has come meanwhile is the present; a state that has passed is not waited for.
            for (name, view) in self.views.try_iter() {
                self.latest.insert(name, view);
            }
            if let Some(view) = self.latest.get(registry).filter(|view| expected(view)) {
                return view.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok((name, view)) = self.views.recv_timeout(left) else {
                panic!("the tunnel of {registry} is not {what} but {:#?}", self.latest.get(registry));
            };
            self.latest.insert(name, view);
        }
    }
}

fn say(mut stream: &UnixStream, message: &impl Serialize) {
    let mut line = serde_json::to_string(message).expect("the model's types are JSON");
    line.push('\n');
    stream.write_all(line.as_bytes()).expect("the owner listens");
}

/// The tunnels that a line of the owner's tells of.
fn tunnels(line: &str) -> Vec<(RegistryName, TunnelView)> {
    let of_snapshot = |snapshot: Snapshot| {
        snapshot.registries.into_iter().map(|registry| (registry.spec.name, registry.tunnel)).collect()
    };
    let envelope: Envelope =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("the owner said “{line}”: {error}"));
    match envelope {
        Envelope::Welcome { .. } => Vec::new(),
        // The owner ends; so does the stream.
        Envelope::Goodbye { .. } => Vec::new(),
        Envelope::Response(Response { result, .. }) => match result {
            Ok(reply) => {
                let Reply::Snapshot { snapshot } = reply else { return Vec::new() };
                of_snapshot(snapshot)
            }
            Err(error) => panic!("the owner refused a snapshot: {error}"),
        },
        Envelope::Event(event) => {
            if let Change::Resync { snapshot } = event.change {
                return of_snapshot(snapshot);
            }
            let Change::Registry { registry } = event.change else { return Vec::new() };
            vec![(registry.spec.name, registry.tunnel)]
        }
    }
}
