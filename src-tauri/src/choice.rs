//! What a person can choose outside of the window: in the tray's menu, and on a notification.

use crate::words::Wish;
use dockline_model::{Command, OfferId, RegistryName, SettingsChange, TransferId};
use std::path::PathBuf;

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Take the manual lease.
    Connect(RegistryName),
    /// Drop the manual lease; what others hold stays up.
    Disconnect(RegistryName),
    /// Close a tunnel that only others hold. The text says whom that interrupts.
    DisconnectOthers(RegistryName),
    /// Take an offer back. The text says whose.
    Withdraw(OfferId),
    /// Push an image of the engine's.
    Push {
        /// Its name there.
        image: String,
        /// Where to.
        registry: RegistryName,
    },
    /// Put a registry's address, as it stands in an image's name, onto the clipboard.
    CopyAddress(String),
    /// Ask once more for what a transfer was asked for.
    Retry(TransferId),
    /// Hold back what waits, and halt what can be halted.
    PauseAll,
    /// Let it go on.
    ResumeAll,
    /// Start with the desktop session, or no longer.
    StartAtLogin(bool),
    /// Show the window.
    Open(Option<Wish>),
    /// Push these files: archives that were let go over the program's icon, where the platform passes them on.
    #[cfg_attr(
        all(target_os = "linux", not(test)),
        expect(dead_code, reason = "Linux' desktops start the program with them")
    )]
    PushArchives(Vec<PathBuf>),
    /// End the app. The text says what that interrupts.
    Quit,
}

/// The wish for these files to be pushed.
#[must_use]
pub fn archives(paths: &[PathBuf]) -> Wish {
    Wish::Archives { paths: paths.iter().map(|path| path.to_string_lossy().into_owned()).collect() }
}

/// What a choice comes down to.
#[derive(Debug, PartialEq)]
pub enum Deed {
    /// The owner is asked.
    Ask(Box<Command>),
    /// This text goes onto the clipboard.
    Copy(String),
    /// The window is shown, and in it the wish.
    Show(Option<Wish>),
    /// The app ends.
    Quit,
}

impl Choice {
    /// What is to be done.
    #[must_use]
    pub fn deed(self) -> Deed {
        let command = match self {
            Self::Connect(registry) => Command::Connect { registry, hold: false },
            Self::Disconnect(registry) => Command::Disconnect { registry, force: false },
            Self::DisconnectOthers(registry) => Command::Disconnect { registry, force: true },
            Self::Withdraw(offer) => Command::Withdraw { offer },
            Self::Push { image, registry } => Command::Push {
                image,
                registry,
                reference: None,
                host: None,
                extent: dockline_model::Extent::default(),
                options: dockline_model::PushOptions::default(),
            },
            Self::Retry(transfer) => Command::Retry { transfer },
            Self::PauseAll => Command::PauseAll,
            Self::ResumeAll => Command::ResumeAll,
            Self::StartAtLogin(on) => {
                let change = SettingsChange { start_at_login: Some(on), ..SettingsChange::default() };
                Command::ChangeSettings { change }
            }
            Self::CopyAddress(address) => return Deed::Copy(address),
            Self::Open(wish) => return Deed::Show(wish),
            Self::PushArchives(paths) => return Deed::Show(Some(archives(&paths))),
            Self::Quit => return Deed::Quit,
        };
        Deed::Ask(Box::new(command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_on_the_icon_are_for_the_window_to_judge() {
        let dropped = Choice::PushArchives(vec!["/tmp/app.tar".into(), "/tmp/notes.txt".into()]);
        let paths = vec!["/tmp/app.tar".to_owned(), "/tmp/notes.txt".to_owned()];
        assert_eq!(dropped.deed(), Deed::Show(Some(Wish::Archives { paths })));
    }
}
