//! `dockline ls`, `inspect`, `rm` and `du`: what is in a registry.

use super::target::named;
use crate::{
    arguments::Rm,
    face::{Face, unexpected},
    format,
    interrupts::{Interrupts, cancelled},
    output::{Output, columns, wrapped},
    printable::one_line,
    prompts::{self, Answers},
};
use console::Term;
use dockline_model::{
    Change, Code, Command, Contents, DeletePlan, Look, ManifestKind, ManifestView, NamePage, RegistryName,
    RegistrySpec, RegistryUsage, Reply, Snapshot, UiError,
};

/// A page on the way from the owner: large enough that 10,000 tags are ten questions.
const PAGE: u32 = 1000;

/// Tags that are named of an image; some have thousands.
const TAGS: usize = 10;

/// Repositories of a registry, or tags of a repository, printed as they come.
pub async fn list(target: Option<String>, output: Output) -> Result<(), UiError> {
    visit(output, async |face, snapshot| {
        let (registry, repository) = place(target.as_deref(), snapshot)?;
        let mut after = None;
        let mut count = 0;
        loop {
            let look = match &repository {
                Some(repository) => {
                    Look::Tags { repository: repository.clone(), after: after.take(), limit: Some(PAGE) }
                }
                None => Look::Repositories { after: after.take(), limit: Some(PAGE) },
            };
            let (Contents::Repositories { page } | Contents::Tags { page }) =
                look_at(face, &registry, look).await?
            else {
                return Err(other());
            };
            count += page.names.len();
            print_page(&registry, repository.as_deref(), &page, output)?;
            let is_stuck = page.names.is_empty();
            after = page.next;
            if after.is_none() || is_stuck {
                break;
            }
        }
        if count == 0 {
            output.remark(match &repository {
                Some(repository) => format!("{repository} has no tags."),
                None => format!("{registry} is empty."),
            });
        }
        Ok(())
    })
    .await
}

/// A line for each name; with `--json` an object a line.
fn print_page(
    registry: &RegistryName,
    repository: Option<&str>,
    page: &NamePage,
    output: Output,
) -> Result<(), UiError> {
    if page.names.is_empty() {
        return Ok(());
    }
    if !output.is_json() {
        let names: Vec<String> = page.names.iter().map(|name| one_line(name)).collect();
        return output.result(&(), || names.join("\n"));
    }
    for name in &page.names {
        let line = match repository {
            Some(repository) => {
                serde_json::json!({ "registry": registry, "repository": repository, "tag": name })
            }
            None => serde_json::json!({ "registry": registry, "repository": name }),
        };
        output.result(&line, String::new)?;
    }
    Ok(())
}

/// What a tag or digest is made of, and what refers to it.
pub async fn inspect(reference: String, output: Output) -> Result<(), UiError> {
    visit(output, async |face, snapshot| {
        let (registry, repository, reference) = image(&reference, snapshot)?;
        let look = Look::Manifest { repository: repository.clone(), reference };
        let Contents::Manifest { manifest } = look_at(face, &registry, look).await? else {
            return Err(other());
        };
        let look = Look::Referrers { repository, digest: manifest.digest.clone() };
        let Contents::Referrers { referrers } = look_at(face, &registry, look).await? else {
            return Err(other());
        };
        let value = serde_json::json!({ "manifest": manifest, "referrers": referrers });
        output.result(&value, || {
            let referring: String = referrers
                .iter()
                .map(|it| {
                    let kind = it.artifact_type.as_deref().unwrap_or(&it.media_type);
                    format!("  {kind}  {}  {}\n", it.digest, format::bytes(it.size))
                })
                .collect();
            let heading = if referring.is_empty() { "" } else { "\nReferred to by\n" };
            format!("{}{heading}{referring}", manifest_text(&manifest))
        })
    })
    .await
}

fn manifest_text(view: &ManifestView) -> String {
    let kind = match view.kind {
        ManifestKind::Image => "image",
        ManifestKind::Index => "image for several platforms",
        ManifestKind::Artifact => "artifact",
    };
    let kind = match &view.artifact_type {
        Some(artifact) => format!("{kind} ({artifact})"),
        None => kind.to_owned(),
    };
    let mut rows = vec![
        ("digest", view.digest.clone()),
        ("kind", format!("{kind}, {}", view.media_type)),
        ("size", format!("{} in the registry", format::bytes(view.content_size))),
    ];
    rows.extend(view.created.clone().map(|created| ("created", created)));
    rows.extend(view.subject.clone().map(|subject| ("about", subject)));
    if view.kind == ManifestKind::Image {
        rows.extend(view.images.iter().filter_map(|it| it.platform.clone()).map(|it| ("platform", it)));
    }
    if let Some(config) = &view.config {
        let words = |words: &[String]| (!words.is_empty()).then(|| words.join(" "));
        rows.extend(words(&config.entrypoint).map(|text| ("entrypoint", text)));
        rows.extend(words(&config.command).map(|text| ("command", text)));
        rows.extend(words(&config.ports).map(|text| ("ports", text)));
        rows.extend(config.user.clone().map(|text| ("user", text)));
        rows.extend(config.folder.clone().map(|text| ("folder", text)));
    }
    let mut text = format!("{}\n", view.reference);
    text.extend(rows.iter().map(|(label, value)| format!("  {label:<10} {}\n", one_line(value))));
    let width = columns(&Term::stdout());
    if view.kind == ManifestKind::Index {
        let row = |it: &dockline_model::PlatformView| {
            let platform = match (&it.platform, it.is_attestation) {
                (_, true) => "(attestation)",
                (Some(platform), false) => platform,
                (None, false) => "(any)",
            };
            let size = it.content_size.map_or_else(|| "not there".to_owned(), format::bytes);
            vec![platform.to_owned(), size, it.digest.clone()]
        };
        let images: Vec<_> = view.images.iter().map(row).collect();
        text += &format!("\n{}", format::table(&["PLATFORM", "SIZE", "DIGEST"], &images, width));
    } else {
        let row = |it: &dockline_model::BlobView| {
            let short: String = it.digest.chars().take("sha256:".len() + 12).collect();
            vec![short, format::bytes(it.size), it.created_by.clone().unwrap_or_default()]
        };
        let layers: Vec<_> = view.layers.iter().map(row).collect();
        text += &format!("\n{}", format::table(&["LAYER", "SIZE", "MADE BY"], &layers, width.max(60)));
    }
    text
}

/// Shows what deleting an image takes away and frees, asks, and deletes it.
pub async fn remove(rm: Rm, output: Output) -> Result<(), UiError> {
    let Rm { reference, plan: plan_only, yes } = rm;
    visit(output, async |face, snapshot| {
        let (registry, repository, reference) = image(&reference, snapshot)?;
        let look = Look::PlanDelete { repository, reference };
        let Contents::DeletePlan { plan } = look_at(face, &registry, look).await? else {
            return Err(other());
        };
        if !output.is_json() {
            output.result(&plan, || plan_text(&registry, &plan))?;
        }
        if !prompts::goes_on(&plan, !plan_only, yes, output)? {
            return Ok(());
        }
        prompts::agreed_or_nobody(yes, "Delete it?", "Nothing was deleted").await?;
        face.request(Command::DeleteImage { registry, plan: plan.clone() }).await?;
        output.result(&plan, || format!("Deleted {}@{}.", plan.repository, plan.digest))
    })
    .await
}

fn plan_text(registry: &RegistryName, plan: &DeletePlan) -> String {
    let tags = match plan.tags.split_at_checked(TAGS) {
        _ if plan.tags.is_empty() => "no tag".to_owned(),
        Some((first, more @ [_, ..])) => format!("{} and {} more", first.join(", "), more.len()),
        Some((_, [])) | None => plan.tags.join(", "),
    };
    let tags = wrapped(&format!("  tags     {}", one_line(&tags)), columns(&Term::stdout()), &" ".repeat(11));
    let mut text = format!(
        "{registry}/{}@{}\n{tags}\n  unused   {} of layers that nothing else in this repository needs\n  \
         shared   {} of layers that others need as well\n",
        plan.repository,
        plan.digest,
        format::bytes(plan.unused_bytes),
        format::bytes(plan.shared_bytes),
    );
    text.extend(plan.notes.iter().map(|note| format!("{}\n", crate::output::wrapped_for_stdout(note))));
    text
}

/// The room that each repository takes.
pub async fn usage(registry: Option<String>, output: Output) -> Result<(), UiError> {
    visit(output, async |face, snapshot| {
        let (registry, _) = place(registry.as_deref(), snapshot)?;
        let mut events = face.events();
        let mut interrupts = Interrupts::new()?;
        let looking = look_at(face, &registry, Look::Usage);
        tokio::pin!(looking);
        let contents = loop {
            tokio::select! {
                contents = &mut looking => break contents?,
                () = interrupts.next() => return Err(cancelled()),
                Some(event) = events.next() => {
                    if let Change::Usage { progress } = event.change
                        && progress.registry == registry
                        && output.is_json()
                    {
                        output.result(&serde_json::json!({ "progress": progress }), String::new)?;
                    }
                }
            }
        };
        let Contents::Usage { usage } = contents else { return Err(other()) };
        output.result(&usage, || usage_text(&usage))
    })
    .await
}

fn usage_text(usage: &RegistryUsage) -> String {
    let row = |it: &dockline_model::RepositoryUsage| {
        vec![
            it.repository.clone(),
            it.tags.to_string(),
            format::bytes(it.unique_bytes),
            format::bytes(it.shared_bytes),
        ]
    };
    let rows: Vec<_> = usage.repositories.iter().map(row).collect();
    let unread: u64 = usage.repositories.iter().map(|it| it.unread).sum();
    let unread = match unread {
        0 => String::new(),
        n => format!("{n} tags could not be read and are not in these figures.\n"),
    };
    format!(
        "{}{} in all, each layer counted once; what no tag leads to is not seen.\n{unread}",
        format::table(&["REPOSITORY", "TAGS", "OWN", "SHARED"], &rows, columns(&Term::stdout())),
        format::bytes(usage.total_bytes)
    )
}

/// Opens a session, does `work` in it, and leaves.
pub(super) async fn visit(
    output: Output,
    work: impl AsyncFnOnce(&Face, &Snapshot) -> Result<(), UiError>,
) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
    let told = work(&face, &snapshot).await;
    face.close_when_unneeded().await;
    told
}

async fn look_at(face: &Face, registry: &RegistryName, look: Look) -> Result<Contents, UiError> {
    let reply = face.request(Command::Look { registry: registry.clone(), look }).await?;
    let Reply::Contents { contents } = reply else { return Err(unexpected(&reply)) };
    Ok(contents)
}

fn other() -> UiError {
    UiError::new(Code::Internal, "The owner looked at something else.")
}

/// The registry that is meant, and the repository in it; the only registry there is if nothing was said.
pub(super) fn place(
    target: Option<&str>,
    snapshot: &Snapshot,
) -> Result<(RegistryName, Option<String>), UiError> {
    let specs: Vec<RegistrySpec> = snapshot.registries.iter().map(|view| view.spec.clone()).collect();
    let Some(target) = target else {
        return match specs.as_slice() {
            [only] => Ok((only.name.clone(), None)),
            [] => Err(UiError::new(Code::RegistryUnknown, "No registry is configured.")
                .hint("Add one: dockline add cr.boss.org --ssh user@host")),
            several => {
                let names: Vec<&str> = several.iter().map(|spec| spec.name.as_str()).collect();
                Err(UiError::new(Code::InvalidArgument, "There are several registries to look into.")
                    .hint(format!("Name one of them: {}.", names.join(", "))))
            }
        };
    };
    let (authority, repository) = match target.split_once('/') {
        Some((authority, repository)) => (authority, Some(repository.trim_end_matches('/'))),
        None => (target, None),
    };
    let spec = named(authority, &specs)?;
    Ok((spec.name.clone(), repository.filter(|repository| !repository.is_empty()).map(str::to_owned)))
}

/// Registry, repository, and tag or digest; `latest` if nothing was said.
fn image(text: &str, snapshot: &Snapshot) -> Result<(RegistryName, String, String), UiError> {
    let (registry, rest) = place(Some(text), snapshot)?;
    let rest = rest.ok_or_else(|| {
        UiError::new(Code::ReferenceInvalid, format!("{text} names no image."))
            .hint(format!("Write it as {registry}/app:v1; `dockline ls {registry}` shows what there is."))
    })?;
    let (repository, reference) = match rest.split_once('@') {
        Some((name, digest)) => (name.split(':').next().unwrap_or(name), digest),
        None => rest.rsplit_once(':').unwrap_or((&rest, "latest")),
    };
    Ok((registry, repository.to_owned(), reference.to_owned()))
}
