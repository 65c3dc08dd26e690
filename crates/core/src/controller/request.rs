//! From what a person asked for to a transfer that can be queued: references read, registries found.

use super::{
    Answerer, FaceId, Message,
    actor::Actor,
    archives::{check_folder, images, reading, wait_in_the_list},
    offers::asked_as,
    registries::unknown,
    run::Job,
    ship::{Freight, check_name},
    transfers::Order,
};
use dockline_model::{
    Code, Command, Compression, Extent, PushOptions, RegistryName, RegistrySpec, Road, SshTarget, TransferId,
    TransferKind, UiError,
};
use dockline_registry::{InvalidPlatform, Reference, Scope, Wanted};
use std::{path::Path, pin::pin, time::Duration};
use tokio::time::timeout;

/// An archive that is read for longer stands in the list meanwhile. Most are read before anybody would see it there.
const MOMENT: Duration = Duration::from_millis(200);

impl Actor {
    /// Checks a push or pull and queues it. Reading an archive's names may take a while, so this is a task.
    /// `replaces`: a finished transfer that is forgotten for it.
    pub(super) fn order(
        &self,
        face: FaceId,
        command: Command,
        replaces: Option<TransferId>,
        answer: Answerer,
    ) {
        let specs: Vec<RegistrySpec> = self.registries.iter().map(|registry| registry.spec.clone()).collect();
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            let slow = reading(&specs, &command, replaces);
            let order = async {
                let order = prepare(&specs, command.clone()).await?;
                Ok(Order { command, replaces, ..order })
            };
            let mut order = pin!(order);
            let ordered = match (timeout(MOMENT, order.as_mut()).await, slow) {
                (Ok(ordered), _) => ordered,
                (Err(_), None) => order.await,
                (Err(_), Some(reading)) => {
                    return wait_in_the_list((face, reading), order, &mailbox, answer).await;
                }
            };
            match ordered {
                Ok(order) => mailbox.post(Message::Enqueue { face, order: Box::new(order), answer }),
                Err(error) => {
                    // A face that has gone does not hear it.
                    let _ = answer.send(Err(error));
                }
            }
        });
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller's own list says which commands are transfers")]
async fn prepare(specs: &[RegistrySpec], command: Command) -> Result<Order, UiError> {
    match command {
        Command::Push { image, registry, reference, options, host, extent } => {
            let options = checked(at_one_of_several(options, host.as_ref()))?;
            let all_platforms = of_an_engine(extent, options)?;
            let spec = find(specs, &registry)?;
            let target = match &reference {
                Some(reference) => place(spec, &parse(reference)?)?,
                None => parse(&image).map_err(|e| e.hint(NAME_IT))?.without_host().normalised(),
            };
            if target.digest().is_some() {
                return Err(
                    UiError::new(Code::ReferenceInvalid, "A push needs a tag, not a digest.").hint(NAME_IT)
                );
            }
            let job =
                Job::PushImage { image: image.clone(), reference: target.clone(), options, all_platforms };
            let order = order(TransferKind::Push, Road::Engine, spec, image, &target, job)?;
            at_host(order, spec, host)
        }
        Command::PushArchive { path, registry, reference, image, options, host, extent } => {
            let options = checked(at_one_of_several(options, host.as_ref()))?;
            if options.road == Some(Road::Engine) {
                return Err(UiError::new(
                    Code::InvalidArgument,
                    "An archive goes to the registry directly; no engine takes part.",
                )
                .hint("Leave --engine out, or load the archive into the engine first."));
            }
            let spec = find(specs, &registry)?;
            absolute(&path)?;
            let target = match &reference {
                Some(reference) => {
                    let target = place(spec, &parse(reference)?)?;
                    check_folder(&path).await?;
                    target
                }
                None => name_in(&path, image.as_deref()).await?,
            };
            let source = file_name(&path);
            let scope = scope(extent, None)?;
            let job = Job::PushArchive { path, image, reference: target.clone(), options, scope };
            let order = order(TransferKind::Push, Road::Direct, spec, source, &target, job)?;
            at_host(order, spec, host)
        }
        Command::Pull { reference, platform, road } => {
            platform.as_deref().map(wanted).transpose()?;
            let (spec, target) = locate(specs, &reference)?;
            let job = Job::PullImage { reference: target.clone(), platform, road };
            order(TransferKind::Pull, road.unwrap_or(Road::Engine), spec, reference, &target, job)
        }
        Command::PullArchive { reference, path, format, platform, extent } => {
            let (spec, target) = locate(specs, &reference)?;
            absolute(&path)?;
            if tokio::fs::try_exists(&path).await.unwrap_or(false) {
                return Err(UiError::new(Code::FileIo, format!("{} exists already.", path.display()))
                    .hint("Choose another file name, or remove it first."));
            }
            let scope = scope(extent, platform.as_deref())?;
            let job = Job::PullArchive { reference: target.clone(), path, format, scope };
            order(TransferKind::Pull, Road::Direct, spec, reference, &target, job)
        }
        Command::Ship { image, host, reference } => {
            let reference = match &reference {
                Some(reference) => parse(reference)?,
                None => parse(&image).map_err(|error| error.hint(NAME_IT_THERE))?,
            };
            if reference.digest().is_some() {
                return Err(UiError::new(
                    Code::ReferenceInvalid,
                    "A shipped image needs a tag, not a digest.",
                )
                .hint(NAME_IT_THERE));
            }
            check_name(&reference)?;
            let registry = asked_as(&host)?;
            let shown = reference.to_string();
            Ok(Order {
                kind: TransferKind::Ship,
                road: Road::Direct,
                registry,
                host: Some(host.clone()),
                source: image.clone(),
                reference: shown,
                job: Job::Ship(Freight { image, host, reference }),
                command: Command::Snapshot,
                replaces: None,
            })
        }
        Command::Copy { from, to, host, platform, extent } => {
            let (origin, source) = locate(specs, &from)?;
            let (spec, target) = match find_by_text(specs, &to) {
                Some(spec) => (spec, source.clone()),
                None => locate(specs, &to)?,
            };
            if target.digest().is_some() {
                return Err(UiError::new(Code::ReferenceInvalid, "A copy needs a tag, not a digest.")
                    .hint("Say what it is to be called there: cr.boss.org/app:v1"));
            }
            if origin.name == spec.name && source == target && host.is_none() {
                return Err(UiError::new(
                    Code::InvalidArgument,
                    "The copy would have the place and the name of the original.",
                )
                .hint("Give it another registry, or another name."));
            }
            let job = Job::Copy {
                registry: origin.name.clone(),
                from: source,
                reference: target.clone(),
                scope: scope(extent, platform.as_deref())?,
            };
            let order = order(TransferKind::Copy, Road::Direct, spec, from, &target, job)?;
            at_host(order, spec, host)
        }
        other => Err(UiError::new(Code::Internal, format!("{other:?} is no transfer."))),
    }
}

/// The same transfer to one host of the registry's.
fn at_host(order: Order, spec: &RegistrySpec, host: Option<SshTarget>) -> Result<Order, UiError> {
    if let Some(host) = &host
        && spec.hosts().all(|known| known != host)
    {
        return Err(UiError::new(Code::InvalidArgument, format!("{host} is no host of {}.", spec.name))
            .hint("`dockline status` shows the hosts of a registry."));
    }
    Ok(Order { host, ..order })
}

/// Whoever names a host does so for each that stands in for the others.
fn at_one_of_several(options: PushOptions, host: Option<&SshTarget>) -> PushOptions {
    if host.is_some() { options.alike_everywhere() } else { options }
}

/// Whether all that an engine has of an image is sent.
fn of_an_engine(extent: Extent, options: PushOptions) -> Result<bool, UiError> {
    let wrong = |text: &str, hint: &str| Err(UiError::new(Code::InvalidArgument, text).hint(hint));
    if extent.referrers {
        return wrong(
            "An engine keeps nothing that refers to an image: no signatures, and no SBOMs beside it.",
            "From registry to registry all of it can be moved: dockline copy FROM TO --all-platforms --referrers",
        );
    }
    if extent.all_platforms && options.road == Some(Road::Engine) {
        return wrong(
            "An engine decides itself how much of an image it sends.",
            "Leave --engine out, or --all-platforms.",
        );
    }
    Ok(extent.all_platforms)
}

fn scope(extent: Extent, platform: Option<&str>) -> Result<Scope, UiError> {
    if extent.all_platforms && platform.is_some() {
        return Err(UiError::new(Code::InvalidArgument, "Either all platforms or one of them."));
    }
    Ok(Scope {
        all_platforms: extent.all_platforms,
        platform: platform.map(wanted).transpose()?,
        referrers: extent.referrers,
    })
}

pub(super) fn wanted(platform: &str) -> Result<Wanted, UiError> {
    platform
        .parse()
        .map_err(|error: InvalidPlatform| UiError::new(Code::InvalidArgument, format!("{error}.")))
}

/// A registry by its bare name, with its port or without.
fn find_by_text<'a>(specs: &'a [RegistrySpec], text: &str) -> Option<&'a RegistrySpec> {
    specs.iter().find(|spec| text == spec.name.as_str() || text == spec.authority())
}

const NAME_IT_THERE: &str = "Say what it is to be called there: --as app:v1";
const NAME_IT: &str = "Say what it is to be called at the registry, such as app:v1.";

fn order(
    kind: TransferKind,
    road: Road,
    spec: &RegistrySpec,
    source: String,
    target: &Reference,
    job: Job,
) -> Result<Order, UiError> {
    let reference = target.with_host(&spec.authority()).map_err(|error| invalid(&error))?.to_string();
    Ok(Order {
        kind,
        road,
        registry: spec.name.clone(),
        host: None,
        source,
        reference,
        job,
        command: Command::Snapshot,
        replaces: None,
    })
}

fn find<'a>(specs: &'a [RegistrySpec], name: &RegistryName) -> Result<&'a RegistrySpec, UiError> {
    specs.iter().find(|spec| spec.name == *name).ok_or_else(|| unknown(name))
}

fn parse(text: &str) -> Result<Reference, UiError> {
    text.parse().map_err(|error| invalid(&error))
}

fn invalid(error: &dockline_registry::InvalidReference) -> UiError {
    UiError::new(Code::ReferenceInvalid, format!("{error}."))
}

/// A reference within `spec`: without a host, or with that registry's own.
fn place(spec: &RegistrySpec, reference: &Reference) -> Result<Reference, UiError> {
    if reference.host().is_some() && !is_at(spec, reference) {
        return Err(UiError::new(
            Code::InvalidArgument,
            format!("{reference} is not a reference of {}.", spec.authority()),
        )
        .hint("Leave the registry out of it: team/app:v1."));
    }
    Ok(reference.without_host().normalised())
}

/// By name or by address; the port may be left out.
fn is_at(spec: &RegistrySpec, reference: &Reference) -> bool {
    let Some(host) = reference.host() else { return false };
    let host_fits = match &spec.url {
        Some(url) => host == url.host() || host == spec.name.as_str(),
        None => host == spec.name.as_str() || host == spec.address.to_string(),
    };
    host_fits && reference.port().is_none_or(|port| port == spec.port)
}

fn locate<'a>(specs: &'a [RegistrySpec], text: &str) -> Result<(&'a RegistrySpec, Reference), UiError> {
    let reference = parse(text)?;
    let Some(authority) = reference.authority() else {
        return Err(UiError::new(
            Code::InvalidArgument,
            format!("“{text}” does not say which registry is meant."),
        )
        .hint("Write it as cr.boss.org/app:v1."));
    };
    let spec = specs.iter().find(|spec| is_at(spec, &reference)).ok_or_else(|| {
        UiError::new(Code::RegistryUnknown, format!("No registry named {authority} is configured."))
            .hint("`dockline list` shows the configured ones; `dockline add` adds one.")
    })?;
    Ok((spec, reference.without_host().normalised()))
}

/// The owner runs in another folder than the face.
fn absolute(path: &Path) -> Result<(), UiError> {
    if path.is_absolute() {
        return Ok(());
    }
    Err(UiError::new(Code::InvalidArgument, format!("{} is not an absolute path.", path.display())))
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Options that make sense together; what they leave open stays open.
fn checked(options: PushOptions) -> Result<PushOptions, UiError> {
    let wrong = |text: String| Err(UiError::new(Code::InvalidArgument, text));
    let packs = options.compression.is_some() || options.level.is_some();
    if options.road == Some(Road::Engine) && packs {
        return wrong("The engine decides itself how it compresses layers.".to_owned())
            .map_err(|error: UiError| error.hint("Leave --engine out, or --compression and --level."));
    }
    let levels = options.compression.unwrap_or(Compression::Gzip).levels();
    match (options.level, levels) {
        (Some(_), None) => wrong("There are no levels where nothing is compressed.".to_owned()),
        (Some(level), Some((lowest, highest))) if level < lowest || level > highest => {
            wrong(format!("There is no level {level}; the levels are {lowest} to {highest}."))
        }
        (Some(_) | None, _) => Ok(options),
    }
}

/// The name the archive gives its one image, or the one that was asked for.
async fn name_in(path: &Path, image: Option<&str>) -> Result<Reference, UiError> {
    if let Some(image) = image {
        return Ok(parse(image)?.without_host().normalised());
    }
    let images = images(path).await?;
    let names: Vec<&String> = images.iter().flat_map(|image| &image.names).collect();
    let file = file_name(path);
    match (images.len(), names.first()) {
        (1, Some(name)) => Ok(parse(name)?.without_host().normalised()),
        (1, None) => {
            Err(UiError::new(Code::InvalidArgument, format!("The image in {file} has no name."))
                .hint(NAME_IT))
        }
        (n, _) => {
            let list: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            Err(UiError::new(Code::InvalidArgument, format!("{file} holds {n} images: {}.", list.join(", ")))
                .hint("Say which of them to push (--image), or its repository and tag at the registry."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specs() -> Vec<RegistrySpec> {
        crate::config::parse(
            "[[registry]]\nname = \"cr.boss.org\"\nssh = \"h\"\naddress = \"127.77.1.1\"\n\
             [[registry]]\nname = \"cr.other.org\"\nssh = \"h\"\nport = 5001\n",
        )
        .unwrap()
        .registries
    }

    async fn push(image: &str, reference: Option<&str>) -> Result<String, Code> {
        let command = Command::Push {
            image: image.to_owned(),
            registry: "cr.boss.org".parse().unwrap(),
            reference: reference.map(str::to_owned),
            host: None,
            extent: Extent::default(),
            options: PushOptions::default(),
        };
        prepare(&specs(), command).await.map(|order| order.reference).map_err(|error| error.code)
    }

    async fn pull(reference: &str) -> Result<String, Code> {
        let command = Command::Pull { reference: reference.to_owned(), platform: None, road: None };
        prepare(&specs(), command).await.map(|order| order.reference).map_err(|error| error.code)
    }

    #[test]
    fn hosts_that_stand_in_for_each_other_get_the_same_bytes() {
        let host: SshTarget = "deploy@a".parse().unwrap();
        let packed = |compression, level| {
            let options = PushOptions { road: None, compression, level };
            assert_eq!(at_one_of_several(options, None), options, "the line decides");
            at_one_of_several(options, Some(&host)).level
        };
        assert_eq!(packed(None, None), Some(6));
        assert_eq!(packed(Some(Compression::Zstd), None), Some(7));
        assert_eq!(packed(None, Some(1)), Some(1), "the person's own choice stays");
        assert_eq!(packed(Some(Compression::None), None), None);
        let engine = PushOptions { road: Some(Road::Engine), ..PushOptions::default() };
        assert_eq!(at_one_of_several(engine, Some(&host)), engine, "the engine packs as it likes");
    }

    #[tokio::test]
    async fn a_push_is_named_as_at_the_engine_or_as_asked() {
        assert_eq!(push("app", None).await.unwrap(), "cr.boss.org:5000/app:latest");
        assert_eq!(push("ghcr.io/team/app:v1", None).await.unwrap(), "cr.boss.org:5000/team/app:v1");
        assert_eq!(push("0123456789ab", Some("app:v2")).await.unwrap(), "cr.boss.org:5000/app:v2");
        assert_eq!(push("app", Some("cr.boss.org/x:1")).await.unwrap(), "cr.boss.org:5000/x:1");
        assert_eq!(push("app", Some("cr.other.org/x:1")).await, Err(Code::InvalidArgument));
        assert_eq!(push("APP", None).await, Err(Code::ReferenceInvalid));
        let digest = format!("app@sha256:{}", "a".repeat(64));
        assert_eq!(push(&digest, None).await, Err(Code::ReferenceInvalid));
    }

    #[tokio::test]
    async fn a_pull_names_its_registry() {
        assert_eq!(pull("cr.boss.org/app").await.unwrap(), "cr.boss.org:5000/app:latest");
        assert_eq!(pull("127.77.1.1:5000/app:v1").await.unwrap(), "cr.boss.org:5000/app:v1");
        assert_eq!(pull("cr.other.org/app").await.unwrap(), "cr.other.org:5001/app:latest");
        assert_eq!(pull("cr.other.org:5000/app").await, Err(Code::RegistryUnknown));
        assert_eq!(pull("app:v1").await, Err(Code::InvalidArgument));
        assert_eq!(pull("unknown.org/app:v1").await, Err(Code::RegistryUnknown));
    }

    #[tokio::test]
    async fn a_shipped_image_is_not_called_by_an_ipv6_address() {
        let ship = async |image: &str, name: Option<&str>| {
            let (image, reference) = (image.to_owned(), name.map(str::to_owned));
            let command = Command::Ship { image, host: "deploy@prod".parse().unwrap(), reference };
            prepare(&specs(), command).await.map(|order| order.reference).map_err(|error| error.code)
        };
        assert_eq!(ship("app", Some("[fd00::1]:5000/x")).await, Err(Code::ReferenceInvalid));
        assert_eq!(ship("[fd00::1]:5000/x", None).await, Err(Code::ReferenceInvalid));
        assert!(ship("[fd00::1]:5000/x", Some("team/x:v1")).await.is_ok());
    }

    #[tokio::test]
    async fn a_copy_may_be_of_one_platform() {
        let copy = |platform: &str, all_platforms| Command::Copy {
            from: "cr.boss.org/app:v1".to_owned(),
            to: "cr.other.org".to_owned(),
            host: None,
            platform: Some(platform.to_owned()),
            extent: Extent { all_platforms, referrers: false },
        };
        let order = prepare(&specs(), copy("linux/arm64", false)).await.unwrap();
        let Job::Copy { scope, .. } = order.job else { panic!("{:?}", order.job) };
        assert_eq!(scope.platform.map(|wanted| wanted.to_string()).as_deref(), Some("linux/arm64"));
        for wrong in [copy("linux/arm64", true), copy("linux//arm64", false)] {
            assert_eq!(prepare(&specs(), wrong).await.err().map(|e| e.code), Some(Code::InvalidArgument));
        }
    }
}
