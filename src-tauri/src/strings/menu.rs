//! The tray's menu and the icon's tooltip.

use super::Tongue::{self, Dutch, English};
use dockline_model::{Code, PassedOver, RouteView, SshTarget, TransferKind};

impl Tongue {
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

    /// “via b, since a does not answer”; nothing where the preferred host is in use.
    pub fn detour(self, route: &RouteView) -> Option<String> {
        if self == English || route.passed_over.is_empty() {
            return route.detour();
        }
        // Two hosts behind one address differ in their port.
        let is_ambiguous = route.passed_over.iter().any(|passed| passed.ssh.host == route.ssh.host);
        let named = |ssh: &SshTarget| if is_ambiguous { ssh.to_string() } else { ssh.host.clone() };
        let because =
            |passed: &PassedOver| format!("{} {}", named(&passed.ssh), predicate(passed.error.code));
        let reasons: Vec<String> = route.passed_over.iter().map(because).collect();
        Some(format!("via {}, want {}", named(&route.ssh), reasons.join(" en ")))
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

/// Why a host is passed over, as [`PassedOver::predicate`] has it in English.
fn predicate(code: Code) -> &'static str {
    if matches!(code, Code::SshHostNotFound) {
        "is niet te vinden"
    } else if matches!(code, Code::SshAuth | Code::SshKeyUnusable) {
        "laat ons niet inloggen"
    } else if matches!(code, Code::HostKeyUnknown) {
        "is nog niet bekend"
    } else if matches!(code, Code::HostKeyChanged | Code::HostKeyRevoked) {
        "toont een hostsleutel die niet mag"
    } else if matches!(code, Code::SshJump) {
        "is niet bereikbaar via zijn tussenhost"
    } else if matches!(code, Code::RemoteClosed | Code::RegistryUnreachable) {
        "heeft geen registry die antwoordt"
    } else if matches!(code, Code::ForwardForbidden) {
        "staat het doorsturen niet toe"
    } else {
        "antwoordt niet"
    }
}
