//! What can happen to the way to a registry host: a slow line, a cut cable, packets that vanish, another address.

use super::RegistryHost;
use crate::lab::shell::{run, try_run};
use std::net::Ipv4Addr;

impl RegistryHost {
    /// Lets no more than this through from this machine to the host, as tc(8) writes rates: `20mbit`.
    pub fn limit_link(&self, rate: &str) {
        let near = self.slot.near_interface();
        let shape = ["rate", rate, "burst", "32kbit", "latency", "400ms"];
        run("tc", &[&["qdisc", "replace", "dev", &near, "root", "tbf"][..], &shape[..]].concat());
    }

    /// Has TCP over the cable, and within the host, go without timers between packets, which BBR sets where it is the
    /// machine's default. Reno is what every kernel lets a namespace have.
    pub fn without_pacing(&self) {
        let mut command = self.inside("sysctl");
        command.args(["-q", "-w", "net.ipv4.tcp_congestion_control=reno"]);
        try_run(&mut command).expect_success();
        let (near, far) = (self.slot.near_interface(), format!("{}/32", self.address()));
        let source = self.slot.near_address().to_string();
        run("ip", &["route", "replace", &far, "dev", &near, "src", &source, "congctl", "reno"]);
    }

    /// Pulls the cable: packets vanish both ways, and nobody is told.
    pub fn cut_link(&self) {
        run("ip", &["-netns", &self.slot.namespace(), "link", "set", &self.slot.far_interface(), "down"]);
    }

    /// Plugs it in again.
    pub fn mend_link(&self) {
        run("ip", &["-netns", &self.slot.namespace(), "link", "set", &self.slot.far_interface(), "up"]);
    }

    /// Packets vanish both ways, and nobody is told, not even by the link.
    pub fn swallow_packets(&self) {
        self.answer_nobody(self.slot.near_address());
    }

    /// What this host would send to `address` vanishes.
    pub fn answer_nobody(&self, address: Ipv4Addr) {
        run(
            "ip",
            &["-netns", &self.slot.namespace(), "route", "replace", "blackhole", &format!("{address}/32")],
        );
    }

    /// Takes this machine's own network away: the link to the host, with a word to everyone who wants to hear it.
    pub fn lose_network(&self) {
        // Nor does the default route lead there.
        let (nowhere, metric) = self.slot.unreachable();
        run("ip", &["route", "replace", "unreachable", &nowhere, "metric", metric]);
        run("ip", &["link", "set", &self.slot.near_interface(), "down"]);
    }

    /// Gives it back.
    pub fn regain_network(&self) {
        run("ip", &["link", "set", &self.slot.near_interface(), "up"]);
    }

    /// Gives this machine another address on the link to the host, as another Wi-Fi would. `low` is its last byte.
    pub fn change_own_address(&self, low: u8) {
        let near = self.slot.near_interface();
        let [_, _, high, block] = self.slot.near_address().octets();
        let address = Ipv4Addr::new(10, 214, high, block.wrapping_add(low));
        let other = format!("{address}/32");
        let far = format!("{}/32", self.address());
        run(
            "ip",
            &["-netns", &self.slot.namespace(), "route", "add", &other, "dev", &self.slot.far_interface()],
        );
        run("ip", &["address", "add", &other, "dev", &near]);
        run("ip", &["route", "add", &far, "dev", &near, "src", &address.to_string()]);
        run("ip", &["address", "delete", &format!("{}/30", self.slot.near_address()), "dev", &near]);
    }

    /// A cable from this host to `behind`, which can then be reached from here at its [`Self::address`]. Returns this
    /// host's address at it.
    #[must_use]
    pub fn connect_to(&self, behind: &Self) -> Ipv4Addr {
        let (here, there) = (self.slot.namespace(), behind.slot.namespace());
        let (near, far) =
            (format!("{}b", self.slot.far_interface()), format!("{}a", behind.slot.far_interface()));
        let [_, _, high, low] = self.slot.far_address().octets();
        let address = Ipv4Addr::new(10, 215, high, low);
        run(
            "ip",
            &["link", "add", &near, "netns", &here, "type", "veth", "peer", "name", &far, "netns", &there],
        );
        run("ip", &["-netns", &here, "address", "add", &format!("{address}/32"), "dev", &near]);
        run("ip", &["-netns", &here, "link", "set", &near, "up"]);
        run("ip", &["-netns", &there, "link", "set", &far, "up"]);
        let route =
            ["route", "add", &format!("{}/32", behind.address()), "dev", &near, "src", &address.to_string()];
        run("ip", &[&["-netns", here.as_str()], &route[..]].concat());
        run("ip", &["-netns", &there, "route", "add", &format!("{address}/32"), "dev", &far]);
        address
    }
}
