//! Why a registry's garbage was not collected: the script's words for it, and a person's.

/// Why the script did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Nothing,
    NoLeave,
    Kind,
    ByHand,
    Vanishes,
    Orchestrated,
    NoVolume,
    Changed,
    OldUntagged,
    Stop,
    Start,
    Failed,
    Unknown,
}

impl Why {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "nothing" => Self::Nothing,
            "no-leave" => Self::NoLeave,
            "kind" => Self::Kind,
            "by-hand" => Self::ByHand,
            "vanishes" => Self::Vanishes,
            "orchestrated" => Self::Orchestrated,
            "no-volume" => Self::NoVolume,
            "changed" => Self::Changed,
            "old-untagged" => Self::OldUntagged,
            "stop" => Self::Stop,
            "start" => Self::Start,
            "failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// What happened, and what to do.
    pub(super) fn told(self, host: &str, port: u16, who: &str) -> (String, String) {
        let told = |message: String, hint: &str| (message, hint.to_owned());
        match self {
            Self::Nothing => told(
                format!("Nothing listens at port {port} of {host}."),
                "Start the registry there; `dockline doctor` shows what the tunnel meets with.",
            ),
            Self::NoLeave => told(
                format!("{who} may not look after the registry on {host}: that takes Docker's group, sudo or root."),
                "Name a login that may: --ssh root@HOST",
            ),
            Self::Kind => told(
                format!("What listens at port {port} of {host} is not Distribution's registry."),
                "Nexus, Harbor, Zot and others collect their garbage by themselves, or in their own settings.",
            ),
            Self::ByHand => told(
                format!("The registry on {host} is neither a container nor a systemd service, so it cannot be stopped \
                         and started from here."),
                "Stop it there, run its own collector (registry garbage-collect CONFIG), and start it again.",
            ),
            Self::Vanishes => told(
                format!("The registry's container on {host} is removed when it is stopped (--rm)."),
                "Start it without --rm, or collect by hand: docker exec CONTAINER registry garbage-collect CONFIG, \
                 while nobody pushes, and then restart it.",
            ),
            Self::Orchestrated => told(
                format!("The registry on {host} belongs to a cluster, which would start it again at once."),
                "Scale it down there, collect, and scale it up again.",
            ),
            Self::NoVolume => told(
                format!("The registry on {host} keeps its images in the container itself, not in a volume."),
                "Collect by hand while nobody pushes: docker exec CONTAINER registry garbage-collect CONFIG; then \
                 restart it.",
            ),
            Self::Changed => told(
                format!("The registry on {host} is another one than when the plan was shown."),
                "Look again, and then collect.",
            ),
            Self::OldUntagged => told(
                "Before version 3.0, a registry that removes what has no tag removes the platforms of multi-platform \
                 images with it."
                    .to_owned(),
                "Leave --untagged out, or update the registry to version 3 first.",
            ),
            Self::Stop => told(
                format!("The registry on {host} could not be stopped. It serves on, and nothing was removed."),
                "The host's own words are in the details.",
            ),
            Self::Start => told(
                format!("The registry on {host} was stopped and did not come back."),
                "Start it there, and look into its log.",
            ),
            Self::Failed => told(
                format!("The registry's collector failed on {host}. The registry serves."),
                "Its own words are in the details.",
            ),
            Self::Unknown => told(format!("{host} did not say what became of it."), "See there whether the registry runs."),
        }
    }
}
