//! `dockline connect` and `dockline disconnect`.

use crate::{
    arguments::{Connect, Disconnect},
    face::{Face, find},
    format,
    interrupts::{Interrupts, cancelled},
    output::Output,
    prompts::{self, Answers},
    terminal,
};
use dockline_core::{EventStream, Mode};
use dockline_model::{Change, Code, Command, RegistryName, RegistryView, Reply, TunnelState, UiError};
use std::sync::{Mutex, PoisonError};

/// Opens the tunnel. Where there is no owner, or with `--hold`, keeps it until Ctrl-C.
pub async fn connect(connect: Connect, output: Output) -> Result<(), UiError> {
    let answers = match connect.password_stdin {
        true => Answers::from_stdin(connect.registry.clone()).map_err(|error| {
            UiError::new(Code::FileIo, format!("Standard input could not be read: {error}."))
        })?,
        false => Answers::Terminal,
    };
    let (face, snapshot) = Face::open_configured(answers, output).await?;
    let result = match find(&snapshot, &connect.registry) {
        Ok(view) => {
            Holding { face: &face, name: view.spec.name.clone(), news: News::default(), output }
                .run(connect.hold)
                .await
        }
        Err(error) => Err(error),
    };
    face.close_when_unneeded().await;
    result
}

/// A tunnel that is being opened and held by this command.
struct Holding<'a> {
    face: &'a Face,
    name: RegistryName,
    news: News,
    output: Output,
}

impl Holding<'_> {
    async fn run(&self, hold: bool) -> Result<(), UiError> {
        let mut interrupts = Interrupts::new()?;
        let mut events = self.face.events();
        let is_owner = self.face.is_owner();
        if is_owner {
            self.output.remark(
                "Neither the desktop app nor an agent runs, so this command holds the tunnel itself until Ctrl-C.",
            );
        }
        let opened = self.open(hold && !is_owner, &mut events, &mut interrupts).await;
        if opened.is_err() && !is_owner && !hold {
            self.tell_of_further_tries().await;
        }
        opened?;
        let view = self.face.registry(&self.name).await?;
        self.output.result(&view, || connected_text(&view))?;
        if is_owner {
            self.hold_as_owner(&mut events, &mut interrupts).await
        } else if hold {
            self.output.remark("Ctrl-C lets go of it.");
            self.until_interrupted(&mut events, &mut interrupts).await
        } else {
            Ok(())
        }
    }

    /// The wish stays with an owner that goes on running, however impatient this command is.
    async fn tell_of_further_tries(&self) {
        let Ok(view) = self.face.registry(&self.name).await else { return };
        if let TunnelState::Reconnecting { .. } = view.tunnel.state {
            let name = &self.name;
            self.output.remark(format!(
                "Dockline goes on trying in the background; this stops it: dockline disconnect {name}"
            ));
        }
    }

    /// Waits for the tunnel to be up, telling what happens meanwhile.
    async fn open(
        &self,
        hold: bool,
        events: &mut EventStream,
        interrupts: &mut Interrupts,
    ) -> Result<(), UiError> {
        let request = self.face.request(Command::Connect { registry: self.name.clone(), hold });
        tokio::pin!(request);
        loop {
            tokio::select! {
                biased;
                () = interrupts.next() => {
                    // What is only held for this command ends with it; what others hold is theirs.
                    if !hold {
                        let disconnect = Command::Disconnect { registry: self.name.clone(), force: false };
                        self.face.request(disconnect).await?;
                    }
                    return Err(cancelled());
                }
                result = &mut request => return result.map(drop),
                event = events.next() => match event {
                    Some(event) => self.tell(event.change),
                    None => return Err(self.owner_gone().await),
                },
            }
        }
    }

    /// Tells what becomes of the tunnel until Ctrl-C.
    async fn until_interrupted(
        &self,
        events: &mut EventStream,
        interrupts: &mut Interrupts,
    ) -> Result<(), UiError> {
        loop {
            tokio::select! {
                () = interrupts.next() => return Ok(()),
                event = events.next() => match event {
                    Some(event) => self.tell(event.change),
                    None => return Err(self.owner_gone().await),
                },
            }
        }
    }

    /// The first Ctrl-C lets go and waits for others that still use the tunnel; the second does not wait.
    async fn hold_as_owner(
        &self,
        events: &mut EventStream,
        interrupts: &mut Interrupts,
    ) -> Result<(), UiError> {
        self.until_interrupted(events, interrupts).await?;
        self.face.request(Command::Disconnect { registry: self.name.clone(), force: false }).await?;
        let mut view = self.face.registry(&self.name).await?;
        if !view.tunnel.leases.is_empty() {
            let holders = format::holders(&view.tunnel.leases);
            self.output.remark(format!("Still in use by {holders}. Waiting; Ctrl-C again cuts it off."));
        }
        while !view.tunnel.leases.is_empty() {
            tokio::select! {
                () = interrupts.next() => {
                    self.face
                        .request(Command::Disconnect { registry: self.name.clone(), force: true })
                        .await?;
                    return Ok(());
                }
                event = events.next() => match event {
                    Some(event) => {
                        if let Some(now) = registry_in(event.change, &self.name) {
                            view = now;
                        }
                    }
                    None => return Err(self.owner_gone().await),
                },
            }
        }
        Ok(())
    }

    fn tell(&self, change: Change) {
        if let Some(view) = registry_in(change, &self.name) {
            self.news.tell(&view, self.face);
        }
    }

    async fn owner_gone(&self) -> UiError {
        self.face
            .ended()
            .await
            .unwrap_or_else(|| UiError::new(Code::OwnerGone, "The owner of the tunnels has ended."))
    }
}

fn connected_text(view: &RegistryView) -> String {
    let spec = &view.spec;
    let place = if view.alias_ready { spec.authority() } else { spec.listen().to_string() };
    format!("Connected to {}. Push to {place}/…", spec.name)
}

/// What becomes of a tunnel that somebody waits for, each thing said once.
#[derive(Default)]
pub struct News {
    last: Mutex<String>,
}

impl News {
    /// Says it if it is new and of interest.
    pub fn tell(&self, view: &RegistryView, face: &Face) {
        let name = &view.spec.name;
        let text = match &view.tunnel.state {
            TunnelState::Connecting { .. } => format!("{name}: connecting to {}", view.spec.ssh),
            TunnelState::Reconnecting { failures, error, .. } => {
                format!("{name}: not connected yet ({}): {}", tries(*failures), error.message)
            }
            TunnelState::Failed { error } => format!("{name}: failed: {}", error.message),
            TunnelState::Idle
            | TunnelState::Up { .. }
            | TunnelState::Lingering { .. }
            | TunnelState::Closing => return,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != text {
            face.screen().say(&text);
            *last = text;
        }
    }
}

fn tries(failures: u32) -> String {
    match failures {
        0 => "the connection was lost".to_owned(),
        1 => "tried once".to_owned(),
        count => format!("tried {count} times"),
    }
}

/// The registry as `change` leaves it.
pub fn registry_in(change: Change, name: &RegistryName) -> Option<RegistryView> {
    if let Change::Resync { snapshot } = change {
        return snapshot.registries.into_iter().find(|view| view.spec.name == *name);
    }
    let Change::Registry { registry } = change else { return None };
    (registry.spec.name == *name).then_some(registry)
}

/// Lets go of a tunnel that the desktop app or the agent holds. What others still do through it is said, and on a
/// terminal asked about.
pub async fn disconnect(disconnect: Disconnect, output: Output) -> Result<(), UiError> {
    let Disconnect { registry, force } = disconnect;
    let face = match Face::open(Mode::RequireOwner, Answers::Nobody, output).await {
        Ok(face) => face,
        Err(error) if error.code == Code::OwnerGone => return nothing_open(&registry, output).await,
        Err(error) => return Err(error),
    };
    let disconnected = disconnect_through(&face, &registry, force, output).await;
    face.close().await;
    disconnected
}

async fn disconnect_through(
    face: &Face,
    registry: &RegistryName,
    force: bool,
    output: Output,
) -> Result<(), UiError> {
    find(&face.snapshot().await?, registry)?;
    let command = |force| Command::Disconnect { registry: registry.clone(), force };
    let mut reply = face.request(command(force)).await?;
    if let Reply::StillOpen { interrupts, .. } = &reply
        && !output.is_json()
        && terminal::can_answer()
    {
        let used = format::interruptions(interrupts);
        let question = format!("{registry} is still in use: {used}. Close it now and cut that off?");
        if prompts::agreed(question).await? {
            reply = face.request(command(true)).await?;
        }
    }
    let view = face.registry(registry).await?;
    output.result(&view, || {
        let Reply::StillOpen { interrupts, .. } = &reply else {
            return format!("Disconnected from {registry}.");
        };
        format!(
            "Let go of {registry}. It closes when this is done: {}.\nTo cut it off: dockline disconnect {registry} --force",
            format::interruptions(interrupts)
        )
    })
}

/// Without an owner no tunnel is open; the name is checked all the same.
async fn nothing_open(registry: &RegistryName, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::look(output).await?;
    face.close().await;
    let view = find(&snapshot, registry)?;
    output.result(view, || format!("{registry} is not connected: neither the desktop app nor an agent runs."))
}

#[cfg(test)]
mod tests {
    use super::tries;

    #[test]
    fn one_try_is_not_several() {
        assert_eq!(tries(0), "the connection was lost");
        assert_eq!(tries(1), "tried once");
        assert_eq!(tries(2), "tried 2 times");
    }
}
