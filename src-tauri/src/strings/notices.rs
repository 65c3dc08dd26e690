//! The notifications.

use super::Tongue::{self, Dutch, English};
use dockline_model::TransferKind;

impl Tongue {
    pub fn done(self, kind: TransferKind, what: &str) -> String {
        match self {
            English => {
                let done = match kind {
                    TransferKind::Push => "Pushed",
                    TransferKind::Pull => "Pulled",
                    TransferKind::Ship => "Shipped",
                    TransferKind::Copy => "Copied",
                };
                format!("{done} {what}")
            }
            Dutch => format!("{what} is {}", participle(kind)),
        }
    }

    pub fn not_done(self, kind: TransferKind, what: &str) -> String {
        match self {
            English => {
                let done = match kind {
                    TransferKind::Push => "pushed",
                    TransferKind::Pull => "pulled",
                    TransferKind::Ship => "shipped",
                    TransferKind::Copy => "copied",
                };
                format!("{what} was not {done}")
            }
            Dutch => format!("{what} is niet {}", participle(kind)),
        }
    }

    pub const fn same_digest(self) -> &'static str {
        self.either("The registry has the same digest.", "De registry heeft dezelfde digest.")
    }

    pub fn another_host_key(self, registry: &str) -> String {
        match self {
            English => format!("{registry} shows another host key"),
            Dutch => format!("{registry} toont een andere hostsleutel"),
        }
    }

    pub fn no_tunnel(self, registry: &str) -> String {
        match self {
            English => format!("No tunnel to {registry}"),
            Dutch => format!("Geen tunnel naar {registry}"),
        }
    }

    pub const fn connect_again(self) -> &'static str {
        self.either("Connect again", "Opnieuw verbinden")
    }

    pub const fn try_again(self) -> &'static str {
        self.either("Try again", "Opnieuw proberen")
    }

    pub const fn show(self) -> &'static str {
        self.either("Show", "Tonen")
    }

    pub fn newer_version(self, version: &str) -> String {
        match self {
            English => format!("Dockline {version} is available"),
            Dutch => format!("Dockline {version} is beschikbaar"),
        }
    }

    pub const fn newer_version_how(self) -> &'static str {
        self.either("The settings have the page about it.", "In de instellingen staat de pagina erover.")
    }
}

const fn participle(kind: TransferKind) -> &'static str {
    match kind {
        TransferKind::Push => "gepusht",
        TransferKind::Pull => "opgehaald",
        TransferKind::Ship => "gestuurd",
        TransferKind::Copy => "gekopieerd",
    }
}
