//! Figures for people and for programs.

use super::{Figure, Target};

/// Under what circumstances the figures came about.
#[derive(Debug, Clone)]
pub struct Heading {
    /// The day.
    pub date: String,
    /// Processor, memory, system, versions.
    pub machine: String,
}

/// The list for programs.
///
/// # Panics
/// Never: figures are plain numbers.
#[must_use]
pub fn json(figures: &[Figure]) -> String {
    serde_json::to_string_pretty(figures).expect("figures are plain numbers") + "\n"
}

/// A table for a terminal.
#[must_use]
pub fn table(figures: &[Figure]) -> String {
    let mut text = format!(
        "{:<22} {:>9} {:>9} {:>7} {:>13} {:<6} {:<8} {:>17} {:>17}  pairs\n",
        "", "Dockline", "peer", "ratio", "target", "", "", "Dockline from-to", "peer from-to"
    );
    for figure in figures {
        text += &format!(
            "{:<22} {:>9} {:>9} {:>7.2} {:>13} {:<6} {:<8} {:>17} {:>17}  {}\n",
            figure.id,
            number(figure.ours),
            number(figure.peer),
            figure.ratio,
            target(figure),
            verdict(figure),
            figure.unit,
            spread(figure.ours_spread),
            spread(figure.peer_spread),
            figure.pairs
        );
    }
    text
}

/// The same for a page of documentation.
#[must_use]
pub fn markdown(figures: &[Figure], heading: &Heading) -> String {
    let pairs = figures.iter().map(|figure| figure.pairs).min().unwrap_or(0);
    let mut text = format!(
        "Measured on {}; medians of {pairs} turns, in brackets the smallest and the largest. {}\n\n\
         | id | Dockline | peer | unit | ratio | wanted | |\n|---|---|---|---|---|---|---|\n",
        heading.date, heading.machine
    );
    for figure in figures {
        text += &format!(
            "| {} | {} ({}) | {} ({}) | {} | {:.2} | {} | {} |\n",
            figure.id,
            number(figure.ours),
            spread(figure.ours_spread),
            number(figure.peer),
            spread(figure.peer_spread),
            figure.unit,
            figure.ratio,
            target(figure),
            verdict(figure),
        );
    }
    text
}

fn verdict(figure: &Figure) -> &'static str {
    match figure.reached {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    }
}

fn target(figure: &Figure) -> String {
    let Target { ratio, ours } = figure.target;
    let ratio = ratio.map(|ratio| format!("{ratio:.1}"));
    let ours = ours.map(|ours| format!("own {}", number(ours)));
    [ratio, ours].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn spread([low, high]: [f64; 2]) -> String {
    format!("{}-{}", number(low), number(high))
}

/// Three digits or so.
fn number(value: f64) -> String {
    let digits = if value.abs() < 1.0 {
        3
    } else if value.abs() < 10.0 {
        2
    } else if value.abs() < 1000.0 {
        1
    } else {
        0
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Better, Sample},
        *,
    };

    #[test]
    fn a_loss_is_as_plain_as_a_win() {
        let mut ours = Sample::default();
        ours.push(1.0);
        let mut peer = Sample::default();
        peer.push(2000.0);
        let target = Target { ratio: Some(1.5), ours: Some(0.5) };
        let figure = Figure::of("up", "MiB/s", Better::Higher, &ours, &peer, target);
        let heading = Heading { date: "today".to_owned(), machine: "This one.".to_owned() };
        let page = markdown(std::slice::from_ref(&figure), &heading);
        assert!(
            page.contains(
                "| up | 1.00 (1.00-1.00) | 2000 (2000-2000) | MiB/s | 0.00 | 1.5, own 0.500 | **no** |"
            ),
            "{page}"
        );
        assert!(table(&[figure]).contains("**no**"));
    }
}
