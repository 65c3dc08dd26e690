//! One API for a face, whether the tunnels are its own or another process's.

use crate::{
    Controller, EventStream, FaceId, Paths,
    control::{Client, Owner, OwnerLock, Unreachable, not_running},
    controller::still,
};
use dockline_model::{Code, Command, FaceKind, Hello, Reply, Snapshot, UiError};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// How long an owner may take to start serving, or to let go of its lock while it ends.
const PATIENCE: Duration = Duration::from_secs(8);
/// Neither has an event that another process could wait for.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// Whether a session may, must or must not be the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Use the owner that runs; become it if there is none (the desktop app, `dockline push`).
    OwnIfNone,
    /// Use the owner that runs; an error if there is none (`dockline agent --stop`).
    RequireOwner,
    /// Become the owner; an error if there is one (`dockline agent`).
    MustOwn,
    /// Look at the owner that runs; at the configuration if there is none (`dockline list`). Nothing is listened on
    /// and nobody dialled, and without an owner [`Command::Snapshot`] is all that is answered.
    Look,
}

/// A face's way to the owner. Cheap to clone; the last clone dropped ends the session, and with it the leases
/// that it held.
#[derive(Debug, Clone)]
pub struct Session(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Local(Arc<Local>),
    Remote(Arc<Client>),
    /// Nobody owns the tunnels: what the configuration says.
    Still(Arc<Snapshot>),
}

#[derive(Debug)]
struct Local {
    controller: Controller,
    face: FaceId,
    /// Serves the control socket while it lives, and holds the owner's lock.
    owner: Owner,
}

impl Drop for Local {
    fn drop(&mut self) {
        self.controller.detach(self.face);
    }
}

impl Session {
    /// Finds the owner of `paths`, or becomes it.
    ///
    /// # Errors
    /// `OwnerGone` (no owner and [`Mode::RequireOwner`]), `OwnerVersion` (one of another version), `OwnerBusy` (an owner
    /// runs and [`Mode::MustOwn`], or one that does not answer), `FileIo` (the folders cannot be used).
    pub async fn open(paths: Paths, hello: Hello, mode: Mode) -> Result<Self, UiError> {
        paths.prepare().map_err(|error| UiError::from(&error))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if mode != Mode::MustOwn {
                match Client::connect(&paths, &hello).await {
                    Ok(client) => return Ok(Self(Kind::Remote(Arc::new(client)))),
                    Err(Unreachable::Refused(error)) => return Err(error),
                    Err(Unreachable::NotThere) => {}
                }
            }
            match mode {
                // An owner that is starting, or ending, is waited for.
                Mode::RequireOwner if !Owner::exists(&paths)? => return Err(not_running()),
                Mode::Look if !Owner::exists(&paths)? => {
                    let snapshot = still::snapshot(&paths).await?;
                    return Ok(Self(Kind::Still(Arc::new(snapshot))));
                }
                Mode::RequireOwner | Mode::Look => {}
                Mode::OwnIfNone | Mode::MustOwn => {
                    if let Some(lock) = Owner::elect(&paths)? {
                        return Self::own(&paths, lock, hello, mode).await;
                    }
                }
            }
            if mode == Mode::MustOwn {
                match Client::connect(&paths, &hello).await {
                    Ok(_) => {
                        return Err(UiError::new(Code::OwnerBusy, "Dockline is running already.")
                            .hint("Use it as it is, or end it first: dockline agent --stop"));
                    }
                    Err(Unreachable::Refused(error)) => return Err(error),
                    Err(Unreachable::NotThere) => {}
                }
            }
            if Instant::now() > deadline {
                return Err(does_not_answer());
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Ends the owner that runs, of whatever version it is: what is left where [`Self::open`] fails with `OwnerVersion`.
    ///
    /// # Errors
    /// `OwnerVersion` (one that is too old to be ended so), `OwnerBusy` (it is in use and not to be forced, or does not
    /// answer), `FileIo` (the lock cannot be looked at).
    pub async fn end_owner(paths: &Paths, force: bool) -> Result<(), UiError> {
        let deadline = Instant::now() + PATIENCE;
        match Client::quit(paths, force).await {
            Ok(()) | Err(Unreachable::NotThere) => {}
            Err(Unreachable::Refused(error)) => return Err(error),
        }
        while Owner::exists(paths)? {
            if Instant::now() > deadline {
                return Err(does_not_answer());
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    async fn own(paths: &Paths, lock: OwnerLock, hello: Hello, mode: Mode) -> Result<Self, UiError> {
        let stays = mode == Mode::MustOwn || hello.face == FaceKind::Desktop;
        let controller = Controller::start(paths.clone()).await?;
        let owner = Owner::serve(paths, lock, controller.clone()).await?;
        let face = controller.attach(hello).await;
        if stays {
            controller.stay();
        }
        Ok(Self(Kind::Local(Arc::new(Local { controller, face, owner }))))
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// Whatever the command's failure is; `OwnerGone` if the owner ended meanwhile.
    pub async fn request(&self, command: Command) -> Result<Reply, UiError> {
        match &self.0 {
            Kind::Local(local) => local.controller.handle(local.face, command).await,
            Kind::Remote(client) => client.request(command).await,
            Kind::Still(snapshot) if command == Command::Snapshot => {
                Ok(Reply::Snapshot { snapshot: Snapshot::clone(snapshot) })
            }
            Kind::Still(_) => Err(not_running()),
        }
    }

    /// Every change from now on. Ask for a [`Command::Snapshot`] *after* this, and skip events whose sequence is
    /// not above the snapshot's.
    #[must_use]
    pub fn events(&self) -> EventStream {
        match &self.0 {
            Kind::Local(local) => local.controller.subscribe(),
            Kind::Remote(client) => client.subscribe(),
            Kind::Still(_) => EventStream::ended(),
        }
    }

    /// Whether this process owns the tunnels.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        match &self.0 {
            Kind::Local(_) => true,
            Kind::Remote(_) | Kind::Still(_) => false,
        }
    }

    /// Whether any process owns the tunnels: not with [`Mode::Look`] while none does.
    #[must_use]
    pub fn has_owner(&self) -> bool {
        match &self.0 {
            Kind::Local(_) | Kind::Remote(_) => true,
            Kind::Still(_) => false,
        }
    }

    /// Waits until the owner has ended: `None` when it was asked to by [`Command::Quit`] (as the owner, call
    /// [`Self::close`] then), the reason when another process's went away.
    pub async fn ended(&self) -> Option<UiError> {
        match &self.0 {
            Kind::Local(local) => {
                local.controller.ended().await;
                None
            }
            Kind::Remote(client) => Some(client.ended().await),
            Kind::Still(_) => Some(not_running()),
        }
    }

    /// As the owner: waits until no other face has a transfer under way or holds a tunnel. A program that owns the
    /// tunnels for the length of one command calls this before [`Self::close`], so as not to cut off another that
    /// was begun meanwhile. Returns at once for a session that is not the owner.
    pub async fn unneeded_by_others(&self) {
        match &self.0 {
            Kind::Local(local) => local.controller.unneeded_by_others(local.face).await,
            Kind::Remote(_) | Kind::Still(_) => {}
        }
    }

    /// Ends the session in order. As the owner: other faces are told, transfers stopped, leases dropped, tunnels
    /// closed, and the control socket removed, whatever clones there still are.
    pub async fn close(self) {
        match &self.0 {
            Kind::Local(local) => {
                local.owner.goodbye();
                local.controller.stop().await;
                local.owner.close().await;
            }
            Kind::Remote(client) => client.close().await,
            Kind::Still(_) => {}
        }
    }
}

fn does_not_answer() -> UiError {
    UiError::new(Code::OwnerBusy, "Another Dockline holds the tunnels but does not answer.")
        .hint("Wait until it has ended; if it does not, end it (its process is named dockline).")
}
