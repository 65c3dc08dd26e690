//! `dockline setup`: make docker push work here, or undo it.

use crate::{
    arguments::Setup as Arguments,
    diff,
    face::{self, Face},
    output::{Output, wrapped_for_stdout},
    printable::style,
    prompts::{self, Answers},
    terminal,
};
use dockline_core::{
    Paths,
    setup::{ALIAS_FADES, Setup},
};
use dockline_model::{
    AppliedChange, CheckOutcome, Code, Command, LeftForYou, RegistryName, RegistryView, Reply, SetupAction,
    SetupPlan, SetupReport, SetupVerdict, Snapshot, StepBy, UiError,
};

/// Shows what has to change, and changes it if that is wanted.
pub async fn setup(arguments: Arguments, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
    let result = match &arguments.registry {
        Some(name) => face::find(&snapshot, name).map(drop),
        None => Ok(()),
    };
    let result = match result {
        Ok(()) => plan_and_apply(&face, snapshot, &arguments, output).await,
        Err(error) => Err(error),
    };
    face.close().await;
    result
}

/// In this process and not by the owner: sudo asks on this terminal, and this shell's `DOCKER_HOST` is meant. The
/// owner, which may be this process, too, has the listeners.
async fn plan_and_apply(
    face: &Face,
    snapshot: Snapshot,
    arguments: &Arguments,
    output: Output,
) -> Result<(), UiError> {
    let paths = Paths::from_process().map_err(|error| UiError::from(&error))?;
    let mut setup = Setup::new(&paths, snapshot.registries, arguments.registry.clone())
        .with_context(snapshot.settings.context);
    if let Some(path) = &arguments.ca {
        setup = setup.with_authority(std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    }
    let (action, changes) = match &arguments.undo {
        None => (SetupAction::Apply, Vec::new()),
        Some(None) => (SetupAction::Undo, Vec::new()),
        Some(Some(change)) => (SetupAction::Undo, vec![chosen(change, &setup.applied().await?)?]),
    };
    let plan = setup.plan(action, &changes).await?;
    let is_needed = match &plan.verdict {
        SetupVerdict::Needed { .. } => true,
        SetupVerdict::AlreadySatisfied { .. } => false,
        SetupVerdict::Refused { error } => return Err(error.clone()),
    };
    if !output.is_json() {
        output.result(&plan, || plan_text(&plan))?;
        tell_of_surprises(&plan, output);
    }
    let may_go_on = is_needed && !arguments.plan;
    if !prompts::goes_on(&plan, may_go_on, arguments.yes, output)? {
        return Ok(());
    }
    prompts::agreed_or_nobody(arguments.yes, question(&plan), "Nothing was changed").await?;
    setup = configured(face, setup, &plan).await?;
    let report = setup.apply(plan, |progress| output.remark(format!("{}…", progress.words))).await?;
    output.result(&report, || report_text(&report))?;
    match report.failure() {
        Some(error) => Err(error.clone()),
        None => Ok(()),
    }
}

/// Before a registry is removed: shows what was set up for it and takes it back, if that is wanted. Returns whether any
/// of it is left.
pub async fn take_back(
    registries: Vec<RegistryView>,
    registry: &RegistryName,
    yes: bool,
    output: Output,
) -> Result<bool, UiError> {
    let paths = Paths::from_process().map_err(|error| UiError::from(&error))?;
    let has_alias = registries.iter().any(|view| view.spec.name == *registry && view.alias_ready);
    let setup = Setup::new(&paths, registries, Some(registry.clone()));
    if !has_alias && !dockline_core::setup::is_among(&setup.applied().await?, registry) {
        return Ok(false);
    }
    let plan = setup.plan(SetupAction::Undo, &[]).await?;
    match &plan.verdict {
        SetupVerdict::Needed { .. } => {}
        SetupVerdict::AlreadySatisfied { .. } => return Ok(false),
        SetupVerdict::Refused { error } => {
            output.warn(&error.message);
            return Ok(true);
        }
    }
    if !yes && !terminal::can_answer() {
        return Ok(true);
    }
    if !output.is_json() {
        output.result(&plan, || plan_text(&plan))?;
        tell_of_surprises(&plan, output);
    }
    if !yes && !prompts::agreed(question(&plan).to_owned()).await? {
        return Ok(true);
    }
    let report = setup.apply(plan, |progress| output.remark(format!("{}…", progress.words))).await?;
    report.done.iter().for_each(|done| output.remark(done));
    if let Some(failed) = report.failed {
        let command = |left: &LeftForYou| match left.command.is_empty() {
            true => left.words.clone(),
            false => format!("{} {}", left.words, left.command.join(" ")),
        };
        report.left.iter().for_each(|left| output.warn(command(left)));
        return Err(failed);
    }
    // The port is given up only when nothing leads there any more.
    output.remark("Waiting six seconds, since engines remember a name for so long…");
    tokio::time::sleep(ALIAS_FADES).await;
    Ok(false)
}

/// Has the owner give the registries the settings that the plan needs of them: it has the listeners.
async fn configured(face: &Face, setup: Setup, plan: &SetupPlan) -> Result<Setup, UiError> {
    let settings = setup.settings(plan);
    if settings.is_empty() {
        return Ok(setup);
    }
    for target in settings {
        face.request(Command::ChangeRegistry { target, was: None }).await?;
    }
    let Reply::Snapshot { snapshot } = face.request(Command::Snapshot).await? else {
        return Err(UiError::new(Code::Internal, "The owner did not answer with what it has."));
    };
    Ok(setup.with_registries(snapshot.registries))
}

/// The id of the change that a person means: by id, by the file's path, or by the id's first part.
fn chosen(text: &str, applied: &[AppliedChange]) -> Result<String, UiError> {
    let by = |is_it: &dyn Fn(&&AppliedChange) -> bool| {
        let mut found = applied.iter().filter(|change| is_it(change));
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only.id.clone()),
            (None, _) | (Some(_), Some(_)) => None,
        }
    };
    by(&|change| change.id == text)
        .or_else(|| by(&|change| change.path == text))
        .or_else(|| by(&|change| change.id.split(':').next() == Some(text)))
        .ok_or_else(|| {
            let error =
                UiError::new(Code::NotFound, format!("Dockline has made no change called “{text}” here."));
            match applied {
                [] => error.hint("It has made none at all."),
                some => {
                    let ids: Vec<&str> = some.iter().map(|change| change.id.as_str()).collect();
                    error.hint(format!("It has made these: {}.", ids.join(", ")))
                }
            }
        })
}

fn plan_text(plan: &SetupPlan) -> String {
    let mut lines = vec![format!("Engine: {}", plan.engine.label)];
    match &plan.verdict {
        SetupVerdict::Needed { why } | SetupVerdict::AlreadySatisfied { why } => {
            lines.push(wrapped_for_stdout(why));
        }
        SetupVerdict::Refused { error } => lines.push(wrapped_for_stdout(&error.message)),
    }
    lines.extend(plan.listens.iter().map(|listener| wrapped_for_stdout(&listener.why)));
    for change in &plan.changes {
        lines.push(String::new());
        lines.push(wrapped_for_stdout(&change.why));
        lines.push(diff::coloured(&change.diff));
        lines.extend(change.in_place_note.iter().map(|note| wrapped_for_stdout(note)));
    }
    if !plan.steps.is_empty() {
        lines.push(String::new());
    }
    for step in &plan.steps {
        let who = match (step.by, step.optional) {
            (StepBy::Person, _) => "For you to do: ",
            (StepBy::Helper | StepBy::Dockline, true) => "If you like: ",
            (StepBy::Helper | StepBy::Dockline, false) => "Then: ",
        };
        lines.push(wrapped_for_stdout(&format!("{who}{}", step.words)));
        if !step.command.is_empty() {
            lines.push(format!("  {}", step.command.join(" ")));
        }
    }
    lines.join("\n")
}

fn tell_of_surprises(plan: &SetupPlan, output: Output) {
    for warning in plan.changes.iter().flat_map(|change| &change.warnings) {
        output.warn(warning);
    }
    let stops = plan.stops();
    if !stops.is_empty() {
        output.warn(format!("This restarts the engine, which stops {}.", stops.join(", ")));
    }
}

fn report_text(report: &SetupReport) -> String {
    let mut lines: Vec<String> =
        report.done.iter().map(|done| format!("{} {done}", style("✓").green())).collect();
    lines.push(wrapped_for_stdout(&report.summary));
    for check in &report.checks {
        match &check.outcome {
            CheckOutcome::Reached { login_wanted: true } => {
                lines.push(format!("The registry wants a login: docker login {}", check.authority));
            }
            CheckOutcome::NotAsked { why } => lines.push(wrapped_for_stdout(why)),
            CheckOutcome::Reached { login_wanted: false }
            | CheckOutcome::Withdrawn
            | CheckOutcome::NotReached { .. } => {}
        }
    }
    for left in &report.left {
        lines.push(wrapped_for_stdout(&format!("Left for you: {}", left.words)));
        if !left.command.is_empty() {
            lines.push(format!("  {}", left.command.join(" ")));
        }
    }
    lines.join("\n")
}

/// What the person who has just seen everything is asked, once.
fn question(plan: &SetupPlan) -> &'static str {
    match plan.action {
        SetupAction::Apply => "Make these changes?",
        SetupAction::Undo => "Undo these changes?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{SettingsFile, UnixMillis};

    fn applied(id: &str, path: &str) -> AppliedChange {
        AppliedChange {
            id: id.to_owned(),
            file: SettingsFile::Hosts,
            path: path.to_owned(),
            entries: Vec::new(),
            at: UnixMillis(0),
            needs_admin: true,
        }
    }

    #[test]
    fn a_change_is_named_by_id_path_or_kind_and_never_guessed() {
        let made = [
            applied("hosts", "/etc/hosts"),
            applied("registry-hosts:docker:a.example:5000", "/etc/docker/certs.d/a.example:5000/hosts.toml"),
            applied("registry-hosts:docker:b.example:5000", "/etc/docker/certs.d/b.example:5000/hosts.toml"),
            applied("daemon-json:native", "/etc/docker/daemon.json"),
        ];
        for (text, id) in [
            ("hosts", "hosts"),
            ("/etc/docker/daemon.json", "daemon-json:native"),
            ("daemon-json", "daemon-json:native"),
            ("registry-hosts:docker:b.example:5000", "registry-hosts:docker:b.example:5000"),
        ] {
            assert_eq!(chosen(text, &made).unwrap(), id);
        }
        for text in ["registry-hosts", "", "cr.boss.org"] {
            let error = chosen(text, &made).unwrap_err();
            assert_eq!(error.code, Code::NotFound);
            assert!(error.hint.is_some_and(|hint| hint.contains("daemon-json:native")));
        }
        assert_eq!(chosen("hosts", &[]).unwrap_err().hint.as_deref(), Some("It has made none at all."));
    }
}
