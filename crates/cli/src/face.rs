//! This program as a face of the core: the session, and who answers its questions.

use crate::{
    interrupts::Interrupts,
    output::Output,
    progress::Screen,
    prompts::{self, Answers},
};
use dockline_core::{EventStream, Mode, Paths, Session};
use dockline_model::{
    Code, Command, FaceKind, Hello, PROTOCOL_VERSION, RegistryName, RegistryView, Reply, Snapshot, UiError,
};
use tokio::task::JoinHandle;

/// Owners that may end in front of a command, one after the other, before it takes that for what it is told.
const OWNERS_TRIED: u32 = 3;

/// An open session.
pub struct Face {
    session: Session,
    screen: Screen,
    prompter: Option<JoinHandle<()>>,
}

impl Face {
    /// Finds the owner or becomes it. Questions are put to `answers`.
    pub async fn open(mode: Mode, answers: Answers, output: Output) -> Result<Self, UiError> {
        let paths = Paths::from_process().map_err(|error| UiError::from(&error))?;
        Self::open_at(paths, mode, answers, output).await
    }

    /// The same with files in other places than this account's.
    pub async fn open_at(
        paths: Paths,
        mode: Mode,
        answers: Answers,
        output: Output,
    ) -> Result<Self, UiError> {
        let can_answer = answers.can_answer();
        let hello = Hello { protocol: PROTOCOL_VERSION, face: FaceKind::Cli, can_answer };
        let session = Session::open(paths.clone(), hello, mode).await?;
        let screen = Screen::new(output);
        let prompter = can_answer
            .then(|| tokio::spawn(prompts::answer_all(session.clone(), answers, screen.clone(), paths)));
        Ok(Self { session, screen, prompter })
    }

    /// Like [`Self::open`], and fails if the configuration cannot be read: what the commands would show or use
    /// otherwise is an older one, or nothing.
    pub async fn open_configured(answers: Answers, output: Output) -> Result<(Self, Snapshot), UiError> {
        Self::open_in(Mode::OwnIfNone, answers, output).await
    }

    async fn open_in(mode: Mode, answers: Answers, output: Output) -> Result<(Self, Snapshot), UiError> {
        let mut owners = 1..=OWNERS_TRIED;
        let (face, snapshot) = loop {
            let is_last = owners.next() == Some(OWNERS_TRIED);
            let face = Self::open(mode, answers.clone(), output).await?;
            match face.snapshot().await {
                Ok(snapshot) => break (face, snapshot),
                // It was another command, which ended just then: the next owner is found, or is this one.
                Err(error) if error.code == Code::OwnerGone && !is_last => face.close().await,
                Err(error) => return Err(error),
            }
        };
        match &snapshot.config_error {
            Some(error) if face.is_owner() => {
                let error = error.clone();
                face.close().await;
                Err(error)
            }
            Some(error) => {
                output.warn(format!("{} The registries as they were before are used.", error.message));
                Ok((face, snapshot))
            }
            None => Ok((face, snapshot)),
        }
    }

    /// Looks at the owner that runs, or at the configuration where none does: nothing is listened on or dialled for
    /// it, and commands cannot be given then.
    pub async fn look(output: Output) -> Result<(Self, Snapshot), UiError> {
        Self::open_in(Mode::Look, Answers::Nobody, output).await
    }

    /// Carries out one command.
    pub async fn request(&self, command: Command) -> Result<Reply, UiError> {
        self.session.request(command).await
    }

    /// The whole state.
    pub async fn snapshot(&self) -> Result<Snapshot, UiError> {
        let reply = self.request(Command::Snapshot).await?;
        let Reply::Snapshot { snapshot } = reply else { return Err(unexpected(&reply)) };
        Ok(snapshot)
    }

    /// One registry as it is now.
    pub async fn registry(&self, name: &RegistryName) -> Result<RegistryView, UiError> {
        find(&self.snapshot().await?, name).cloned()
    }

    /// Every change from now on.
    pub fn events(&self) -> EventStream {
        self.session.events()
    }

    /// Whether this process owns the tunnels.
    pub fn is_owner(&self) -> bool {
        self.session.is_owner()
    }

    /// Whether any process does.
    pub fn has_owner(&self) -> bool {
        self.session.has_owner()
    }

    /// Waits until the owner ends.
    pub async fn ended(&self) -> Option<UiError> {
        self.session.ended().await
    }

    /// Where progress is drawn.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Ends the session once nobody else needs it: tunnels that this command opened may carry the transfer of another
    /// `dockline` meanwhile, or be held by one. Ctrl-C ends it at once.
    pub async fn close_when_unneeded(self) {
        if let Ok(mut interrupts) = Interrupts::new() {
            let unneeded = self.session.unneeded_by_others();
            tokio::pin!(unneeded);
            // The owner takes things in order: with the second answer there, the first is, too, if there is one.
            let is_needed = tokio::select! {
                biased;
                () = &mut unneeded => false,
                snapshot = self.snapshot() => snapshot.is_ok(),
            };
            if is_needed {
                self.screen
                    .say("Another dockline needs what this one opened; waiting for it. Ctrl-C cuts it off.");
                tokio::select! {
                    () = unneeded => {}
                    () = interrupts.next() => {}
                }
            }
        }
        self.close().await;
    }

    /// Ends the session in order.
    pub async fn close(self) {
        if let Some(prompter) = &self.prompter {
            prompter.abort();
        }
        self.session.close().await;
    }
}

/// The registry of that name.
pub fn find<'a>(snapshot: &'a Snapshot, name: &RegistryName) -> Result<&'a RegistryView, UiError> {
    snapshot
        .registries
        .iter()
        .find(|registry| registry.spec.name == *name)
        .ok_or_else(|| unknown(snapshot, name))
}

/// No registry of that name is configured.
pub fn unknown(snapshot: &Snapshot, name: &RegistryName) -> UiError {
    let error = UiError::new(Code::RegistryUnknown, format!("No registry named {name} is configured."));
    let names: Vec<&str> = snapshot.registries.iter().map(|r| r.spec.name.as_str()).collect();
    match names.as_slice() {
        [] => error.hint(format!("Add it: dockline add {name} --ssh user@host")),
        names => error.hint(format!("Configured: {}.", names.join(", "))),
    }
}

/// An answer that does not fit its question.
pub fn unexpected(reply: &Reply) -> UiError {
    UiError::new(Code::Internal, format!("The owner answered something else: {reply:?}."))
}
