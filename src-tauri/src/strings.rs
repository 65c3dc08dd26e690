//! All that the tray's program says by itself, in both languages, side by side: the menu, the icon's tooltip, the
//! notifications. What the owner says (why something failed) comes as it is.

use dockline_model::{Language, TransferKind};

/// A language that the program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    English,
    /// Dutch.
    Dutch,
}

use Tongue::{Dutch, English};

impl Tongue {
    /// The one that the person chose, or their system's.
    #[must_use]
    pub fn of(chosen: Language) -> Self {
        match chosen {
            Language::En => English,
            Language::Nl => Dutch,
            Language::System => Self::of_system(),
        }
    }

    /// The system's.
    #[must_use]
    pub fn of_system() -> Self {
        Self::named(&crate::locale::preferred())
    }

    /// `nl_NL.UTF-8`, `nl-NL`, or a list of such.
    fn named(list: &str) -> Self {
        let known = list.split(':').find_map(|name| match name.get(..2)? {
            "nl" => Some(Dutch),
            "en" => Some(English),
            _ => None,
        });
        known.unwrap_or(English)
    }

    const fn either(self, english: &'static str, dutch: &'static str) -> &'static str {
        match self {
            English => english,
            Dutch => dutch,
        }
    }

    /// Before anything is known.
    pub const fn starting(self) -> &'static str {
        self.either("Starting…", "Start…")
    }

    pub const fn open(self) -> &'static str {
        self.either("Open Dockline", "Dockline openen")
    }

    pub const fn quit(self) -> &'static str {
        self.either("Quit Dockline", "Dockline afsluiten")
    }

    pub fn quit_interrupting(self, what: &str) -> String {
        match self {
            English => format!("Quit Dockline (interrupts {what})"),
            Dutch => format!("Dockline afsluiten (breekt {what} af)"),
        }
    }

    pub const fn no_registry(self) -> &'static str {
        self.either("No registry yet", "Nog geen registry")
    }

    pub const fn unreadable_configuration(self) -> &'static str {
        self.either("The configuration cannot be read", "De configuratie is niet te lezen")
    }

    pub const fn resume_all(self) -> &'static str {
        self.either("Resume transfers", "Overdrachten hervatten")
    }

    pub const fn pause_all(self) -> &'static str {
        self.either("Pause all transfers", "Alle overdrachten pauzeren")
    }

    pub const fn set_up(self) -> &'static str {
        self.either("Make docker push work here…", "docker push hier laten werken…")
    }

    pub const fn start_at_login(self) -> &'static str {
        self.either("Start at login", "Starten als ik inlog")
    }

    pub const fn push(self) -> &'static str {
        self.either("Push", "Pushen")
    }

    pub fn push_to(self, registry: &str) -> String {
        match self {
            English => format!("Push to {registry}"),
            Dutch => format!("Pushen naar {registry}"),
        }
    }

    pub const fn copy_address(self) -> &'static str {
        self.either("Copy address", "Adres kopiëren")
    }

    pub fn connect(self, registry: &str) -> String {
        match self {
            English => format!("Connect to {registry}"),
            Dutch => format!("Verbinden met {registry}"),
        }
    }

    pub fn direct(self, registry: &str) -> String {
        match self {
            English => format!("{registry}, without a tunnel"),
            Dutch => format!("{registry}, zonder tunnel"),
        }
    }

    pub fn disconnect(self, registry: &str) -> String {
        match self {
            English => format!("Disconnect {registry}"),
            Dutch => format!("{registry} verbreken"),
        }
    }

    pub fn disconnect_others(self, registry: &str, cut_off: &str) -> String {
        match self {
            English => format!("Disconnect {registry} (cuts off {cut_off})"),
            Dutch => format!("{registry} verbreken (breekt {cut_off} af)"),
        }
    }

    pub const fn connecting(self) -> &'static str {
        self.either("connecting", "verbinden")
    }

    pub const fn is_open(self) -> &'static str {
        self.either("open", "open")
    }

    pub const fn unused(self) -> &'static str {
        self.either("unused, closes by itself", "ongebruikt, sluit vanzelf")
    }

    pub const fn reconnecting(self) -> &'static str {
        self.either("reconnecting", "opnieuw verbinden")
    }

    /// `state` is one of the four above.
    pub fn state_for(self, state: &str, holders: &str) -> String {
        match self {
            English => format!("{state} for {holders}"),
            Dutch => format!("{state} voor {holders}"),
        }
    }

    pub fn stop_offering(self, host: &str) -> String {
        match self {
            English => format!("Stop offering to {host}"),
            Dutch => format!("Niet meer aanbieden aan {host}"),
        }
    }

    pub fn offering(self, what: &str, port: u16) -> String {
        match self {
            English => format!("offering {what} at its port {port}"),
            Dutch => format!("biedt {what} aan op zijn poort {port}"),
        }
    }

    pub const fn you(self) -> &'static str {
        self.either("you", "u")
    }

    pub const fn a_program(self) -> &'static str {
        self.either("a program", "een programma")
    }

    pub const fn terminals(self) -> [&'static str; 2] {
        match self {
            English => ["terminal", "terminals"],
            Dutch => ["terminal", "terminals"],
        }
    }

    pub const fn pushes(self) -> [&'static str; 2] {
        match self {
            English => ["push", "pushes"],
            Dutch => ["push", "pushes"],
        }
    }

    pub const fn pulls(self) -> [&'static str; 2] {
        match self {
            English => ["pull", "pulls"],
            Dutch => ["pull", "pulls"],
        }
    }

    pub const fn transfers(self) -> [&'static str; 2] {
        match self {
            English => ["transfer", "transfers"],
            Dutch => ["overdracht", "overdrachten"],
        }
    }

    /// “the push of app:v1”.
    pub fn the_transfer(self, kind: TransferKind, what: &str) -> String {
        let kind = match kind {
            TransferKind::Push => self.either("push", "push"),
            TransferKind::Pull => self.either("pull", "pull"),
            TransferKind::Ship => self.either("shipment", "zending"),
            TransferKind::Copy => self.either("copy", "kopie"),
        };
        match self {
            English => format!("the {kind} of {what}"),
            Dutch => format!("de {kind} van {what}"),
        }
    }

    pub fn doing(self, kind: TransferKind, what: &str) -> String {
        match self {
            English => {
                let doing = match kind {
                    TransferKind::Push => "Pushing",
                    TransferKind::Pull => "Pulling",
                    TransferKind::Ship => "Shipping",
                    TransferKind::Copy => "Copying",
                };
                format!("{doing} {what}")
            }
            Dutch => {
                let doing = match kind {
                    TransferKind::Push => "pushen",
                    TransferKind::Pull => "ophalen",
                    TransferKind::Ship => "sturen",
                    TransferKind::Copy => "kopiëren",
                };
                format!("{what} {doing}")
            }
        }
    }

    /// Bytes over the line, where that is all that is known.
    pub fn crossed(self, kind: TransferKind, megabytes: u64) -> String {
        let gone = match kind {
            TransferKind::Push | TransferKind::Ship => self.either("sent", "verstuurd"),
            TransferKind::Pull => self.either("received", "ontvangen"),
            TransferKind::Copy => self.either("moved", "verplaatst"),
        };
        format!("{megabytes} MB {gone}")
    }

    pub const fn waiting(self) -> &'static str {
        self.either("waiting", "wacht")
    }

    pub const fn paused(self) -> &'static str {
        self.either("paused", "gepauzeerd")
    }

    pub const fn verifying(self) -> &'static str {
        self.either("comparing digests", "digests vergelijken")
    }

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

    /// In the menu.
    pub fn see_newer_version(self, version: &str) -> String {
        match self {
            English => format!("Dockline {version} is available…"),
            Dutch => format!("Dockline {version} is beschikbaar…"),
        }
    }

    pub const fn icon_idle(self) -> &'static str {
        self.either("Dockline: no tunnel is open", "Dockline: er is geen tunnel open")
    }

    pub const fn icon_connecting(self) -> &'static str {
        self.either("Dockline: connecting", "Dockline: wordt verbonden")
    }

    pub const fn icon_up(self) -> &'static str {
        self.either("Dockline: connected", "Dockline: verbonden")
    }

    pub const fn icon_busy(self) -> &'static str {
        self.either("Dockline: an image is on its way", "Dockline: er is een image onderweg")
    }

    pub const fn icon_error(self) -> &'static str {
        self.either("Dockline: something needs your attention", "Dockline: iets heeft uw aandacht nodig")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_known_is_spoken() {
        assert_eq!(Tongue::named("nl_NL.UTF-8"), Dutch);
        assert_eq!(Tongue::named("fy:nl:en"), Dutch);
        assert_eq!(Tongue::named("en_GB:nl"), English);
        for other in ["", "C", "POSIX", "fr_FR.UTF-8", "ñ"] {
            assert_eq!(Tongue::named(other), English, "{other}");
        }
        assert_eq!(Tongue::of(Language::Nl), Dutch);
    }
}
