//! What a bar that keeps icon and menu by itself (macOS, Windows) is to be told, step by step: a pure function of what it
//! shows and what it should. Lines are changed in place by their numbers; a menu that is open keeps them where they are.

use super::{
    IconState, Look, MenuEntry,
    layout::{Layout, Node, Update},
    tone::Tone,
};
use crate::{choice::Choice, strings::Tongue};

/// One thing to tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The icon has this picture.
    Picture(IconState, Tone),
    /// The icon says this under the pointer.
    Tooltip(&'static str),
    /// These lines say something else, or their marks do.
    Texts(Vec<Node>),
    /// There are other lines.
    Lines,
}

/// What the bar shows.
#[derive(Debug)]
pub struct Steps {
    layout: Layout,
    icon: IconState,
    tongue: Tongue,
    tone: Tone,
}

impl Steps {
    /// What it shows first.
    #[must_use]
    pub fn new(look: Look, tone: Tone) -> Self {
        let Look { entries, icon, tongue } = look;
        let mut layout = Layout::default();
        layout.show(entries);
        Self { layout, icon, tongue, tone }
    }

    /// Shows something else.
    pub fn show(&mut self, look: Look) -> Vec<Step> {
        let Look { entries, icon, tongue } = look;
        let mut steps = Vec::new();
        if self.icon != icon {
            self.icon = icon;
            steps.push(Step::Picture(icon, self.tone));
        }
        let said = self.tooltip();
        self.tongue = tongue;
        if self.icon.description(tongue) != said || !steps.is_empty() {
            steps.push(Step::Tooltip(self.tooltip()));
        }
        steps.extend(match self.layout.show(entries) {
            Update::None => None,
            Update::Texts(nodes) => Some(Step::Texts(nodes)),
            Update::Lines => Some(Step::Lines),
        });
        steps
    }

    /// Fits a bar of that brightness.
    #[cfg(any(windows, test))]
    pub fn recolour(&mut self, tone: Tone) -> Vec<Step> {
        match std::mem::replace(&mut self.tone, tone) == tone {
            true => Vec::new(),
            false => vec![Step::Picture(self.icon, tone)],
        }
    }

    /// The bar is a new one, which may not have heard the latest.
    #[cfg(any(windows, test))]
    #[must_use]
    pub fn again(&self) -> Vec<Step> {
        vec![Step::Picture(self.icon, self.tone), Step::Tooltip(self.tooltip())]
    }

    /// The menu was opened.
    pub fn opened(&mut self) {
        self.layout.opened();
    }

    /// The menu was closed: what was kept back is shown now.
    pub fn closed(&mut self) -> Option<Step> {
        self.layout.closed().then_some(Step::Lines)
    }

    /// What a click on the line of that number chooses, if anything. The bar has turned the mark of a checked line over by
    /// itself; it is put back until what was chosen is so.
    #[must_use]
    pub fn clicked(&self, number: &str) -> (Option<Choice>, Option<Step>) {
        let Ok(id) = number.parse() else { return (None, None) };
        let checked = self.layout.find(id).filter(|node| matches!(node.entry, MenuEntry::Check { .. }));
        (self.layout.choice(id), checked.map(|node| Step::Texts(vec![node.clone()])))
    }

    /// The picture it shows.
    #[must_use]
    pub const fn picture(&self) -> (IconState, Tone) {
        (self.icon, self.tone)
    }

    /// What it says under the pointer.
    #[must_use]
    pub const fn tooltip(&self) -> &'static str {
        self.icon.description(self.tongue)
    }

    /// The lines it has.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        self.layout.nodes()
    }
}

/// The text as menus of these systems want it: a single `&` would mark the key that chooses the line.
#[must_use]
pub fn spelled(text: &str) -> String {
    text.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(icon: IconState, entries: Vec<MenuEntry>) -> Look {
        Look { entries, icon, tongue: Tongue::English }
    }

    fn note(text: &str) -> MenuEntry {
        MenuEntry::Note { text: text.to_owned() }
    }

    fn quit() -> MenuEntry {
        MenuEntry::Action { choice: Choice::Quit, text: "Quit".to_owned() }
    }

    #[test]
    fn only_what_is_different_is_told() {
        let mut steps = Steps::new(look(IconState::Idle, vec![note("1 %"), quit()]), Tone::DarkBar);
        assert_eq!(steps.show(look(IconState::Idle, vec![note("1 %"), quit()])), []);
        let told = steps.show(look(IconState::Busy, vec![note("2 %"), quit()]));
        let [Step::Picture(IconState::Busy, Tone::DarkBar), Step::Tooltip(_), Step::Texts(texts)] =
            told.as_slice()
        else {
            panic!("{told:?}")
        };
        assert_eq!(texts.len(), 1);
        assert_eq!((texts[0].id, &texts[0].entry), (steps.nodes()[0].id, &note("2 %")));
        assert_eq!(steps.recolour(Tone::DarkBar), []);
        assert_eq!(steps.recolour(Tone::LightBar), [Step::Picture(IconState::Busy, Tone::LightBar)]);
        assert_eq!(steps.picture(), (IconState::Busy, Tone::LightBar));
        let busy = IconState::Busy;
        assert_eq!(steps.again(), [Step::Picture(busy, Tone::LightBar), Step::Tooltip(steps.tooltip())]);
        let dutch = Look { tongue: Tongue::Dutch, ..look(IconState::Busy, vec![note("2 %"), quit()]) };
        assert_eq!(steps.show(dutch), [Step::Tooltip(IconState::Busy.description(Tongue::Dutch))]);
    }

    #[test]
    fn an_open_menu_is_changed_in_place_or_after_it_was_closed() {
        let mut steps = Steps::new(look(IconState::Idle, vec![note("1 %"), quit()]), Tone::DarkBar);
        let number = steps.nodes()[1].id.to_string();
        steps.opened();
        assert!(matches!(
            steps.show(look(IconState::Idle, vec![note("2 %"), quit()])).as_slice(),
            [Step::Texts(_)]
        ));
        assert_eq!(
            steps.show(look(IconState::Idle, vec![quit()])),
            [],
            "the lines would move under the pointer"
        );
        assert_eq!(steps.clicked(&number).0, Some(Choice::Quit));
        assert_eq!(steps.closed(), Some(Step::Lines));
        assert_eq!(steps.nodes().len(), 1);
        assert_eq!(steps.clicked(&number).0, Some(Choice::Quit), "a number stays with its choice");
        assert_eq!(steps.closed(), None);
    }

    #[test]
    fn a_mark_stands_for_what_is_so_and_not_for_the_click() {
        let check = |on: bool| MenuEntry::Check {
            choice: Choice::StartAtLogin(!on),
            text: "Start at login".to_owned(),
            on,
        };
        let mut steps = Steps::new(look(IconState::Idle, vec![check(false), note("x")]), Tone::DarkBar);
        let node = steps.nodes()[0].clone();
        let (choice, back) = steps.clicked(&node.id.to_string());
        assert_eq!(choice, Some(Choice::StartAtLogin(true)));
        assert_eq!(back, Some(Step::Texts(vec![node])));
        let told = steps.show(look(IconState::Idle, vec![check(true), note("x")]));
        assert!(matches!(told.as_slice(), [Step::Texts(texts)] if texts[0].entry == check(true)));
        for other in [steps.nodes()[1].id.to_string().as_str(), "4711", "x", ""] {
            assert_eq!(steps.clicked(other), (None, None));
        }
    }

    #[test]
    fn names_with_an_ampersand_are_written_out() {
        assert_eq!(spelled("push r&d/app & more"), "push r&&d/app && more");
    }
}
