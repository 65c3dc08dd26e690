//! What Dockline runs itself, as the person, so that new settings take effect.

use dockline_engine::{Engine, EngineEndpoint, Surroundings, facts};
use dockline_model::{Code, EngineKind, LeftForYou, SettingsFile, SetupPlan, StepBy, StepView, UiError};
use std::{process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// Docker Desktop takes most of a minute to restart.
const PATIENCE: Duration = Duration::from_secs(180);

/// Podman's service keeps registries.conf in memory; its command line reads it each time.
pub(super) fn of_podman(plan: &SetupPlan) -> Option<StepView> {
    let is_here = matches!(plan.engine.kind, EngineKind::Podman | EngineKind::PodmanRootless);
    let is_due = plan.changes.iter().any(|change| change.file == SettingsFile::RegistriesConf);
    (is_here && is_due).then(|| StepView {
        words: "Podman's service reads its settings again (SIGHUP); no container stops.".to_owned(),
        done: "Podman's service has read its settings again; no container stopped.".to_owned(),
        by: StepBy::Dockline,
        command: Vec::new(),
        optional: false,
        stops: Vec::new(),
    })
}

/// The step of [`of_podman`].
///
/// # Errors
/// With what the person can do instead.
pub(super) async fn reload_podman(around: &Surroundings) -> Result<(), UiError> {
    let engine = EngineEndpoint::of(around).and_then(Engine::connect);
    let engine = engine.map_err(|error| UiError::from(&error))?;
    facts::reload_podman(&engine).await.map(drop).map_err(|error| {
        UiError::new(
            Code::EngineFailed,
            format!(
                "Podman's service could not be told to read its settings again ({error}); restart it: systemctl \
                 restart podman.service. No container stops."
            ),
        )
    })
}

/// All of them, in order: one that fails keeps none of the others. Returns what is left for the person to do, and why the
/// first that failed did.
pub(super) async fn carry_out(
    steps: &[&StepView],
    around: &Surroundings,
    tell: impl Fn(String),
    done: &mut Vec<String>,
) -> (Vec<LeftForYou>, Option<UiError>) {
    let (mut left, mut first) = (Vec::new(), None);
    for step in steps {
        tell(step.words.clone());
        let ended = match step.command.as_slice() {
            [] => reload_podman(around).await,
            _ => run(step).await,
        };
        match ended {
            Ok(()) => done.push(step.done.clone()),
            Err(error) => {
                left.push(LeftForYou { words: with_last_words(&error), command: step.command.clone() });
                first.get_or_insert(error);
            }
        }
    }
    (left, first)
}

fn with_last_words(error: &UiError) -> String {
    let said = error.details.as_deref().unwrap_or_default().trim().lines().last().unwrap_or_default();
    if said.is_empty() { error.message.clone() } else { format!("{} It said: {said}", error.message) }
}

/// Runs the step's command to its end.
async fn run(step: &StepView) -> Result<(), UiError> {
    let Some((program, arguments)) = step.command.split_first() else { return Ok(()) };
    let typed = step.command.join(" ");
    let failed = |message: String| UiError::new(Code::EngineFailed, message);
    let mut command = Command::new(program);
    dockline_programs::prepare(command.as_std_mut());
    let running = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    match timeout(PATIENCE, running).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            // What it says last is why.
            let words = [output.stdout, output.stderr].concat();
            Err(failed(format!("`{typed}` failed, so the engine does not go by the new settings yet."))
                .details(String::from_utf8_lossy(&words).trim().to_owned()))
        }
        Ok(Err(error)) => Err(failed(format!("`{typed}` could not be started: {error}."))),
        Err(_) => Err(failed(format!("`{typed}` did not end within {} seconds.", PATIENCE.as_secs()))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn step(command: &[&str]) -> StepView {
        StepView {
            words: String::new(),
            done: String::new(),
            by: StepBy::Dockline,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            optional: false,
            stops: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told_with_its_own_words() {
        run(&step(&[])).await.unwrap();
        run(&step(&["true"])).await.unwrap();
        let error = run(&step(&["sh", "-c", "echo no such unit >&2; exit 3"])).await.unwrap_err();
        assert_eq!(error.code, Code::EngineFailed);
        assert_eq!(error.details.as_deref(), Some("no such unit"));
        let missing = run(&step(&["/nowhere/docker", "desktop", "restart"])).await.unwrap_err();
        assert!(missing.message.contains("/nowhere/docker desktop restart"), "{missing}");
    }

    /// `rdctl shutdown` may fail, and `rdctl start` is due all the same.
    #[tokio::test]
    async fn a_step_that_fails_keeps_none_of_the_others() {
        let home = tempfile::tempdir().unwrap();
        let marker = home.path().join("ran");
        let touch = ["touch", &marker.to_string_lossy()].map(str::to_owned);
        let steps = [
            step(&["sh", "-c", "echo one; echo no such machine >&2; exit 1"]),
            StepView { command: touch.to_vec(), done: "It has started.".to_owned(), ..step(&[]) },
            step(&["/nowhere/colima", "restart"]),
        ];
        let told = std::cell::RefCell::new(0);
        let mut done = Vec::new();
        let around = Surroundings::from_process();
        let all: Vec<&StepView> = steps.iter().collect();
        let (left, error) = carry_out(&all, &around, |_| *told.borrow_mut() += 1, &mut done).await;
        assert!(marker.exists());
        assert_eq!((done, *told.borrow()), (vec!["It has started.".to_owned()], 3));
        assert_eq!(error.map(|error| error.code), Some(Code::EngineFailed));
        let [first, last] = left.as_slice() else { panic!("{left:?}") };
        assert!(
            first.words.contains("failed") && first.words.ends_with("It said: no such machine"),
            "{first:?}"
        );
        assert_eq!(first.command, steps[0].command);
        assert_eq!(last.command, ["/nowhere/colima", "restart"]);
    }
}
