//! `dockline images`.

use crate::{
    face::Face,
    format,
    output::{Output, columns},
    prompts::Answers,
};
use console::Term;
use dockline_model::{Change, Command, EngineState, EngineView, ImageView, UiError};

/// The engine's images, newest first.
pub async fn images(output: Output) -> Result<(), UiError> {
    let (face, _) = Face::open_configured(Answers::Nobody, output).await?;
    let told = match asked_engine(&face).await {
        Ok(EngineView { state: EngineState::Unavailable { error }, .. }) | Err(error) => Err(error),
        Ok(EngineView { state: EngineState::Unknown | EngineState::Ready { .. }, images }) => {
            output.result(&images, || text(&images))
        }
    };
    face.close_when_unneeded().await;
    told
}

/// The engine after it was asked again.
async fn asked_engine(face: &Face) -> Result<EngineView, UiError> {
    let mut events = face.events();
    face.request(Command::RefreshImages).await?;
    let mut engine = face.snapshot().await?.engine;
    while engine.state == EngineState::Unknown {
        let Some(event) = events.next().await else { break };
        if let Change::Engine { engine: now } = event.change {
            engine = now;
        } else if let Change::Resync { snapshot } = event.change {
            engine = snapshot.engine;
        }
    }
    Ok(engine)
}

fn text(images: &[ImageView]) -> String {
    if images.is_empty() {
        return "The engine has no images.".to_owned();
    }
    let now = format::now();
    let rows: Vec<Vec<String>> = images.iter().flat_map(|image| image_rows(image, now)).collect();
    let width = columns(&Term::stdout());
    format::table(&["IMAGE", "SIZE", "AGE", "ID"], &rows, width)
}

/// A row for each of its names.
fn image_rows(image: &ImageView, now: dockline_model::UnixMillis) -> Vec<Vec<String>> {
    let id: String = image.id.trim_start_matches("sha256:").chars().take(12).collect();
    let age = format::seconds(format::seconds_between(image.created, now));
    let names = if image.tags.is_empty() { &["<none>".to_owned()][..] } else { &image.tags };
    names.iter().map(|name| vec![name.clone(), format::bytes(image.size), age.clone(), id.clone()]).collect()
}
