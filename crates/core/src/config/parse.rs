//! Reading the configuration: all problems at once, each with its line and column.

mod reader;
mod registries;
#[cfg(test)]
mod tests;

pub use reader::Problem;

use super::{Config, listener::binding_of_address};
use crate::updates::Address;
use dockline_model::{
    ClientCertificate, Notices, OfferSpec, RegistryName, RegistrySpec, RegistryUrl, RemoteEnd, Settings,
    SshTarget, TrafficLimits,
};
use reader::{InvalidValue, Reader, span_of};
use registries::{Bind, Draft};
use std::{net::Ipv4Addr, ops::Range, path::PathBuf};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

const REGISTRY_KEYS: &[&str] = &[
    "name",
    "ssh",
    "identity",
    "jump",
    "remote",
    "address",
    "gateway",
    "port",
    "localhost-port",
    "ca",
    "linger-seconds",
    "keep-open",
    "url",
    "client-certificate",
    "client-key",
    "open-at-start",
    "limit-up",
    "limit-down",
];
const OFFER_KEYS: &[&str] = &["ssh", "identity", "jump", "port", "to"];
/// What only a tunnel has.
pub(super) const TUNNEL_KEYS: &[&str] = &[
    "ssh",
    "identity",
    "jump",
    "remote",
    "address",
    "gateway",
    "port",
    "localhost-port",
    "linger-seconds",
    "keep-open",
];
const SETTINGS_KEYS: &[&str] = &[
    "transfers-per-registry",
    "linger-seconds",
    "keepalive-seconds",
    "keyring",
    "notifications",
    "theme",
    "language",
    "text-percent",
    "docker-context",
    "update-check",
    "update-url",
];
const NOTICES_KEYS: &[&str] = &["done", "failed", "host-key", "tunnel-lost", "update"];

/// What the settings with numbers may be, in the file and wherever else they are changed.
pub(crate) mod bounds {
    use std::ops::RangeInclusive;

    pub(crate) const TRANSFERS_PER_REGISTRY: RangeInclusive<u32> = 1..=8;
    pub(crate) const LINGER_SECONDS: RangeInclusive<u32> = 0..=86_400;
    /// Longer, and a router has forgotten the connection before it is asked about.
    pub(crate) const KEEPALIVE_SECONDS: RangeInclusive<u32> = 1..=300;
    /// Up to 200 is what WCAG 2.2 asks for (1.4.4).
    pub(crate) const TEXT_PERCENT: RangeInclusive<u32> = 100..=200;
}

/// Reads the whole of a configuration file. Registries without an address get one that depends on their name, so
/// that it stays the same from reading to reading; where this machine has 127.0.0.1 alone, they get a port like that.
///
/// # Errors
/// Every problem there is, in the file's order.
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    parse_with(text, &binding_of_address)
}

/// The same on a machine that has the addresses that `bind` knows.
fn parse_with(text: &str, bind: Bind<'_>) -> Result<Config, Vec<Problem>> {
    let mut reader = Reader { text, problems: Vec::new() };
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in syntax {
        let span = error.span().unwrap_or(0..0);
        reader.problem(span, error.message());
    }
    // After a syntax error the rest is guesswork: what follows would be reported as missing or unknown.
    let config =
        if reader.problems.is_empty() { reader.config(document.get_ref(), bind) } else { Config::default() };
    if reader.problems.is_empty() {
        Ok(config)
    } else {
        reader.problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(reader.problems)
    }
}

/// Container networks are private ones (RFC 1918, RFC 6598).
fn is_private(address: &Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private() || (first == 100 && second & 0xc0 == 64)
}
impl Reader<'_> {
    fn config(&mut self, document: &DeTable<'_>, bind: Bind<'_>) -> Config {
        let mut config = Config::default();
        // The settings first, wherever they stand: they have defaults for the registries.
        if let Some(value) = document.get("settings") {
            config.settings = self.settings(value);
        }
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "settings" => {}
                "registry" => {
                    config.registries = self.registries(value, config.settings.linger_seconds, bind);
                }
                "offer" => config.offers = self.offers(value),
                other => self.problem(
                    key.span(),
                    format!(
                        "“{other}” is not a part of the configuration; it knows [settings], [[registry]] and [[offer]]"
                    ),
                ),
            }
        }
        config
    }

    fn settings(&mut self, value: &Spanned<DeValue<'_>>) -> Settings {
        let mut settings = Settings::default();
        let Some(table) = value.get_ref().as_table() else {
            self.problem(value.span(), "“settings” must be a table: write [settings] on a line of its own");
            return settings;
        };
        self.reject_unknown(table, SETTINGS_KEYS, "a setting");
        let mut number = |key, allowed, to: &mut u32| {
            if let Some(number) = self.whole(table, key, allowed) {
                *to = number;
            }
        };
        number(
            "transfers-per-registry",
            bounds::TRANSFERS_PER_REGISTRY,
            &mut settings.transfers_per_registry,
        );
        number("linger-seconds", bounds::LINGER_SECONDS, &mut settings.linger_seconds);
        number("keepalive-seconds", bounds::KEEPALIVE_SECONDS, &mut settings.keepalive_seconds);
        number("text-percent", bounds::TEXT_PERCENT, &mut settings.text_percent);
        settings.context = self.text(table, "docker-context").filter(|name| !name.is_empty());
        settings.theme = self.one_of(table, "theme").unwrap_or_default();
        settings.language = self.one_of(table, "language").unwrap_or_default();
        settings.update_check = self.one_of(table, "update-check").unwrap_or_default();
        let address = self.parsed_with(table, "update-url", |text| match text.is_empty() {
            true => Ok(None),
            false => text.parse::<Address>().map(|address| Some(address.to_string())),
        });
        settings.update_url = address.flatten();
        if let Some(value) = table.get("notifications") {
            settings.notices = self.notices(value);
        }
        if let Some(keyring) = self.truth(table, "keyring") {
            settings.keyring = keyring;
        }
        settings
    }

    fn notices(&mut self, value: &Spanned<DeValue<'_>>) -> Notices {
        let all = Notices::default();
        let Some(table) = value.get_ref().as_table() else {
            self.problem(
                value.span(),
                "notifications must be a table, such as notifications = { done = false }",
            );
            return all;
        };
        self.reject_unknown(table, NOTICES_KEYS, "a kind of notification");
        Notices {
            done: self.truth(table, "done").unwrap_or(all.done),
            failed: self.truth(table, "failed").unwrap_or(all.failed),
            host_key: self.truth(table, "host-key").unwrap_or(all.host_key),
            tunnel_lost: self.truth(table, "tunnel-lost").unwrap_or(all.tunnel_lost),
            update: self.truth(table, "update").unwrap_or(all.update),
        }
    }

    fn registry(&mut self, span: Range<usize>, table: &DeTable<'_>, linger_seconds: u32) -> Option<Draft> {
        self.reject_unknown(table, REGISTRY_KEYS, "a setting of a registry");
        let name = self.required::<RegistryName>(span.clone(), table, "name", "cr.boss.org");
        let url = self.parsed::<RegistryUrl>(table, "url");
        let hosts = match &url {
            Some(url) => self.without_tunnel(table, url),
            None => self.hosts(span.clone(), table),
        };
        let client_certificate = self.client_certificate(span, table);
        let identity = self.text(table, "identity").and_then(|text| self.path(table, "identity", text));
        let jump = self.text(table, "jump").and_then(|text| self.jump(table, text));
        let remote = self.parsed::<RemoteEnd>(table, "remote").unwrap_or_default();
        let address = self.parsed_with(table, "address", |text| {
            let address = text.parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_loopback);
            address.ok_or_else(|| InvalidValue::NoLoopback(text.to_owned()))
        });
        let gateway = self.parsed_with(table, "gateway", |text| {
            let gateway = text.parse::<Ipv4Addr>().ok().filter(is_private);
            gateway.ok_or_else(|| InvalidValue::NoGateway(text.to_owned()))
        });
        let port = self.whole(table, "port", 1..=u16::MAX);
        let localhost_port = self.whole(table, "localhost-port", 1..=u16::MAX);
        let ca = self.text(table, "ca").and_then(|text| self.path(table, "ca", text));
        let linger = self.whole(table, "linger-seconds", bounds::LINGER_SECONDS);
        let keep_open = self.truth(table, "keep-open").unwrap_or(false);
        let open_at_start = self.truth(table, "open-at-start").unwrap_or(false);
        let limits = TrafficLimits { up: self.rate(table, "limit-up"), down: self.rate(table, "limit-down") };
        let mut hosts =
            hosts?.into_iter().map(|ssh| SshTarget { identity: identity.clone(), jump: jump.clone(), ..ssh });
        Some(Draft {
            name: name?,
            ssh: hosts.next()?,
            fallbacks: hosts.collect(),
            remote,
            address,
            gateway,
            port: url.as_ref().map(RegistryUrl::port).or(port),
            localhost_port,
            ca,
            linger_seconds: linger.unwrap_or(linger_seconds),
            keep_open,
            url: url.map(Box::new),
            client_certificate: client_certificate.map(Box::new),
            open_at_start,
            limits,
        })
    }

    fn rate(&mut self, table: &DeTable<'_>, key: &str) -> Option<u64> {
        self.parsed_with(table, key, TrafficLimits::parse_rate)
    }

    fn offers(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<OfferSpec> {
        let Some(array) = value.get_ref().as_array() else {
            self.problem(value.span(), "offers are a list: write [[offer]], with two brackets");
            return Vec::new();
        };
        let mut offers: Vec<OfferSpec> = Vec::new();
        for entry in array.iter() {
            let Some(table) = entry.get_ref().as_table() else {
                self.problem(entry.span(), "an offer must be a table: write [[offer]]");
                continue;
            };
            let Some(offer) = self.offer(entry.span(), table) else { continue };
            if offers.iter().any(|other| other.is_same_place(&offer)) {
                self.problem(
                    span_of(table, "ssh", entry.span()),
                    format!("port {} of {} is offered already", offer.port, offer.ssh),
                );
            }
            offers.push(offer);
        }
        offers
    }

    fn offer(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<OfferSpec> {
        self.reject_unknown(table, OFFER_KEYS, "a setting of an offer");
        if !table.contains_key("ssh") {
            let message = "this offer has no ssh; add a line such as ssh = \"root@prod.boss.org\"";
            self.problem(span, message);
        }
        let ssh = self.parsed::<SshTarget>(table, "ssh");
        let identity = self.text(table, "identity").and_then(|text| self.path(table, "identity", text));
        let jump = self.text(table, "jump").and_then(|text| self.jump(table, text));
        let port = self.whole(table, "port", 1..=u16::MAX);
        let to = self.parsed_with(table, "to", OfferSpec::parse_to);
        Some(OfferSpec {
            ssh: SshTarget { identity, jump, ..ssh? },
            port: port.unwrap_or(RegistrySpec::DEFAULT_PORT),
            to: to.unwrap_or(OfferSpec::DEFAULT_TO),
        })
    }

    /// One host, or a list of them with the preferred one first.
    fn hosts(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<Vec<SshTarget>> {
        let Some(value) = table.get("ssh").filter(|value| value.get_ref().as_array().is_some()) else {
            return self.required(span, table, "ssh", "dockercr@88.88.88.88").map(|ssh| vec![ssh]);
        };
        let mut hosts: Vec<SshTarget> = Vec::new();
        for entry in value.get_ref().as_array().into_iter().flat_map(|array| array.iter()) {
            let read = match entry.get_ref().as_str() {
                Some(text) => text.parse::<SshTarget>().map_err(|error| error.to_string()),
                None => Err("each host must be a text in quotes".to_owned()),
            };
            match read {
                Ok(host) if hosts.contains(&host) => {
                    self.problem(entry.span(), format!("“{host}” is in the list already"));
                }
                Ok(host) => hosts.push(host),
                Err(message) => self.problem(entry.span(), message),
            }
        }
        if value.get_ref().as_array().is_some_and(|array| array.is_empty()) {
            self.problem(value.span(), "the list of hosts is empty; put the preferred one first");
        }
        Some(hosts).filter(|hosts| !hosts.is_empty())
    }

    /// A registry that is reached at its own address: whatever is about a tunnel has no place there.
    fn without_tunnel(&mut self, table: &DeTable<'_>, url: &RegistryUrl) -> Option<Vec<SshTarget>> {
        for key in TUNNEL_KEYS {
            if let Some(value) = table.get(*key) {
                let message = format!("a registry with a url has no tunnel, so {key} means nothing here");
                self.problem(value.span(), message);
            }
        }
        Some(vec![SshTarget::of(url)])
    }

    fn client_certificate(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<ClientCertificate> {
        let mut path = |key| self.text(table, key).and_then(|text| self.path(table, key, text));
        let (certificate, key) = (path("client-certificate"), path("client-key"));
        match (certificate, key) {
            (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let has_both =
                    ["client-certificate", "client-key"].iter().all(|key| table.contains_key(*key));
                if !has_both {
                    let message = "client-certificate and client-key belong together: give both or neither";
                    self.problem(span, message);
                }
                None
            }
        }
    }

    fn path(&mut self, table: &DeTable<'_>, key: &str, text: String) -> Option<PathBuf> {
        let path = PathBuf::from(&text);
        // The agent and the desktop start in different folders, so a relative path would name different files.
        if path.is_absolute() || text.starts_with("~/") {
            return Some(path);
        }
        let message = format!("“{text}” must be an absolute path, or begin with ~/");
        self.problem(span_of(table, key, 0..0), message);
        None
    }

    fn jump(&mut self, table: &DeTable<'_>, text: String) -> Option<String> {
        for hop in text.split(',') {
            if let Err(error) = hop.parse::<SshTarget>() {
                self.problem(span_of(table, "jump", 0..0), error.to_string());
                return None;
            }
        }
        Some(text)
    }
}
