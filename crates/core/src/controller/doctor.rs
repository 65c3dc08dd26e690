//! Examinations on behalf of faces.

use super::{FaceId, Message, access::Access, actor::Actor, registries::unknown, transfers::unix_now};
use crate::{
    config::{self, Config},
    doctor::{self, Case, Noting, Stage},
    setup::Setup,
};
use dockline_model::{
    Change, Code, DoctorId, DoctorReport, LeaseHolder, LinkView, Patient, RegistrySpec, RegistryView, Reply,
    Target, UiError,
};
use dockline_tunnel::Tunnel;
use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};
use tokio::{sync::watch, task::AbortHandle};

/// Examinations under way at a time; each dials.
const AT_ONCE: usize = 4;

/// All of them. Belongs to the actor.
#[derive(Debug, Default)]
pub(super) struct Doctors {
    last: u64,
    entries: BTreeMap<DoctorId, Entry>,
}

#[derive(Debug)]
struct Entry {
    report: DoctorReport,
    face: FaceId,
    task: AbortHandle,
}

impl Doctors {
    pub(super) fn view(&self) -> Vec<DoctorReport> {
        self.entries.values().map(|entry| entry.report.clone()).collect()
    }

    fn under_way(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.report.finished.is_none())
    }
}

impl Actor {
    pub(super) fn doctor(
        &mut self,
        face: FaceId,
        patient: Patient,
        round_trip: bool,
    ) -> Result<Reply, UiError> {
        if self.doctors.under_way().count() >= AT_ONCE {
            return Err(UiError::new(
                Code::OwnerBusy,
                format!("{AT_ONCE} examinations are under way already."),
            )
            .hint("Wait for one of them to end, or stop one."));
        }
        let (spec, is_candidate) = match patient {
            Patient::Registry { registry } => {
                let found = self.registry(&registry).map(|registry| registry.spec.clone());
                (found.ok_or_else(|| unknown(&registry))?, false)
            }
            Patient::Candidate { target } => (self.candidate(&target)?, true),
        };
        self.doctors.last += 1;
        let id = DoctorId(self.doctors.last);
        let report = DoctorReport {
            id,
            registry: spec.name.clone(),
            is_candidate,
            links: doctor::links(),
            started: unix_now(),
            finished: None,
            summary: None,
            text: None,
        };
        let task = self.examine(face, spec, round_trip, report.clone());
        self.doctors.entries.insert(id, Entry { report: report.clone(), face, task });
        self.publish(Change::Doctor { report });
        Ok(Reply::Doctor { id })
    }

    /// As it would be configured; at an address that is free now, even if one of its name is configured.
    fn candidate(&self, target: &Target) -> Result<RegistrySpec, UiError> {
        let others = self.specs().into_iter().filter(|spec| spec.name != target.name).collect();
        let config = Config { registries: others, settings: self.settings.clone(), ..Config::default() };
        let ours = self.registry(&target.name).map(|registry| registry.spec.address);
        let target = Target {
            address: target.address.filter(|_| ours.is_none()),
            // At 127.0.0.1 it is the port that is taken.
            port: target.port.filter(|_| ours != Some(Ipv4Addr::LOCALHOST)),
            ..target.clone()
        };
        let spec = config::complete(&config, &target, None).map_err(|error| UiError::from(&error))?;
        Ok(RegistrySpec { ca: target.ca, ..spec })
    }

    fn examine(
        &self,
        face: FaceId,
        spec: RegistrySpec,
        round_trip: bool,
        report: DoctorReport,
    ) -> AbortHandle {
        let is_candidate = report.is_candidate;
        let mailbox = self.mailbox.clone();
        let slot =
            self.registry(&spec.name).filter(|_| !is_candidate).map(super::registries::Registry::tunnel);
        let (stage_sender, stage) = watch::channel(Stage::Dialling);
        let asker = Arc::new(Noting { inner: self.asker.as_ref().clone(), stage: stage_sender });
        let config = self.tunnel_config(&spec);
        // Of its own, so that what it keeps open goes when the examination ends.
        let access = match self.registry(&spec.name).filter(|_| !is_candidate) {
            Some(registry) => registry.access.at(spec.clone()),
            None => Access::new(spec.clone(), &self.paths, self.asker.clone()),
        };
        let views: Vec<RegistryView> =
            self.registries.iter().map(super::registries::Registry::view).collect();
        let setup = Setup::new(&self.paths, views, Some(spec.name.clone()))
            .with_context(self.settings.context.clone());
        let (paths, around) = (self.paths.clone(), self.engines.around());
        let task = tokio::spawn(async move {
            let mut report = report;
            let tunnel = match slot {
                _ if !spec.has_tunnel() => None,
                Some(mut slot) => match slot.ready().await {
                    Ok(tunnel) => Some(tunnel),
                    // Removed in this very moment: nobody is left to examine.
                    Err(_) => return,
                },
                None => Some(Tunnel::start(config, asker).await),
            };
            let case = Case {
                spec,
                is_candidate,
                round_trip,
                tunnel: tunnel.clone(),
                client: access.quiet_client(),
                holder: LeaseHolder::Face { connection: face.0 },
                stage,
                paths,
                around,
                setup,
            };
            let so_far = report.clone();
            let tell = |links: &[LinkView]| {
                let report = DoctorReport { links: links.to_vec(), ..so_far.clone() };
                mailbox.post(Message::Doctor { report });
            };
            report.links = doctor::examine(case, tell).await;
            report.finished = Some(unix_now());
            report.summary = Some(doctor::summary(report.registry.as_str(), &report.links));
            report.text = Some(doctor::text(&report));
            mailbox.post(Message::Doctor { report });
            if let Some(tunnel) = tunnel.filter(|_| is_candidate) {
                tunnel.stop().await;
            }
        });
        task.abort_handle()
    }

    pub(super) fn doctor_report(&mut self, report: DoctorReport) {
        let Some(entry) = self.doctors.entries.get_mut(&report.id) else { return };
        entry.report = report.clone();
        if report.finished.is_some() {
            let replaced = self.doctors.entries.values().map(|entry| &entry.report);
            let is_older = |other: &&DoctorReport| {
                other.id != report.id && other.registry == report.registry && other.finished.is_some()
            };
            let replaced: Vec<DoctorId> = replaced.filter(is_older).map(|other| other.id).collect();
            replaced.into_iter().for_each(|id| self.forget_doctor(id));
        }
        self.publish(Change::Doctor { report });
    }

    pub(super) fn end_doctor(&mut self, id: DoctorId) -> Result<Reply, UiError> {
        if !self.doctors.entries.contains_key(&id) {
            return Err(UiError::new(Code::NotFound, "That examination has been forgotten already."));
        }
        self.forget_doctor(id);
        Ok(Reply::Done)
    }

    /// Nobody hears of the rest of what `face` asked for.
    pub(super) fn end_doctors_of(&mut self, face: FaceId) {
        let own = self.doctors.under_way().filter(|entry| entry.face == face);
        let own: Vec<DoctorId> = own.map(|entry| entry.report.id).collect();
        own.into_iter().for_each(|id| self.forget_doctor(id));
    }

    fn forget_doctor(&mut self, id: DoctorId) {
        if let Some(entry) = self.doctors.entries.remove(&id) {
            entry.task.abort();
            self.publish(Change::DoctorGone { id });
        }
    }
}
