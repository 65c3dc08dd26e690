//! The menu as the desktop has it: numbered lines, and what may change under an open menu.
//!
//! A number belongs to one choice for as long as the app runs, so that a click that crosses a change on its way does what
//! the person clicked on. A menu that is open keeps its lines where they are; only their texts change.

use super::MenuEntry;
use crate::choice::Choice;
use std::collections::HashMap;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub id: i32,
    /// What it is; a submenu's own lines are in `children`.
    pub entry: MenuEntry,
    /// The lines below it.
    pub children: Vec<Node>,
}

/// What a desktop has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Nothing.
    None,
    /// These lines say something else.
    Texts(Vec<Node>),
    /// There are other lines.
    Lines,
}

/// The whole menu.
#[derive(Debug, Default)]
pub struct Layout {
    revision: u32,
    nodes: Vec<Node>,
    numbers: HashMap<Choice, i32>,
    last: i32,
    is_open: bool,
    waiting: Option<Vec<MenuEntry>>,
}

impl Layout {
    /// Shows `entries`, or keeps them back while the menu is open and its lines would move.
    pub fn show(&mut self, entries: Vec<MenuEntry>) -> Update {
        self.waiting = None;
        if same_lines(&self.nodes, &entries) {
            let mut changed = Vec::new();
            say(&mut self.nodes, entries, &mut changed);
            return if changed.is_empty() { Update::None } else { Update::Texts(changed) };
        }
        if self.is_open {
            self.waiting = Some(entries);
            return Update::None;
        }
        self.nodes = self.number(entries);
        self.revision += 1;
        Update::Lines
    }

    /// Somebody is about to look: what was kept back is shown now. Whether there was anything. Desktops that never say
    /// that they closed the menu say this, so nothing is kept back for good.
    #[cfg_attr(
        not(any(target_os = "linux", test)),
        expect(dead_code, reason = "others say that they closed it")
    )]
    pub fn about_to_show(&mut self) -> bool {
        self.closed()
    }

    /// The menu was opened.
    pub fn opened(&mut self) {
        self.is_open = true;
    }

    /// The menu was closed: what was kept back is shown now. Whether there was anything.
    pub fn closed(&mut self) -> bool {
        self.is_open = false;
        self.settle()
    }

    fn settle(&mut self) -> bool {
        self.waiting.take().is_some_and(|entries| self.show(entries) == Update::Lines)
    }

    /// Grows with every change of lines.
    #[cfg_attr(
        not(any(target_os = "linux", test)),
        expect(dead_code, reason = "only dbusmenu numbers its changes")
    )]
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// The lines of the menu itself.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The line with that number.
    #[must_use]
    pub fn find(&self, id: i32) -> Option<&Node> {
        find(&self.nodes, id)
    }

    /// What a click on that line chooses; nothing for a line that is no choice, or is gone.
    #[must_use]
    pub fn choice(&self, id: i32) -> Option<Choice> {
        self.find(id)?.entry.choice().cloned()
    }

    fn number(&mut self, entries: Vec<MenuEntry>) -> Vec<Node> {
        entries
            .into_iter()
            .map(|mut entry| {
                let id = match entry.choice() {
                    Some(choice) => match self.numbers.get(choice) {
                        Some(id) => *id,
                        None => {
                            self.last += 1;
                            self.numbers.insert(choice.clone(), self.last);
                            self.last
                        }
                    },
                    None => {
                        self.last += 1;
                        self.last
                    }
                };
                let below = entry.take_entries();
                Node { id, entry, children: self.number(below) }
            })
            .collect()
    }
}

fn find(nodes: &[Node], id: i32) -> Option<&Node> {
    nodes.iter().find_map(|node| if node.id == id { Some(node) } else { find(&node.children, id) })
}

fn same_lines(nodes: &[Node], entries: &[MenuEntry]) -> bool {
    nodes.len() == entries.len()
        && nodes
            .iter()
            .zip(entries)
            .all(|(node, entry)| node.entry.same_place(entry) && same_lines(&node.children, entry.entries()))
}

/// Puts the texts of `entries` into `nodes`, which have the same places.
fn say(nodes: &mut [Node], entries: Vec<MenuEntry>, changed: &mut Vec<Node>) {
    for (node, mut entry) in nodes.iter_mut().zip(entries) {
        let below = entry.take_entries();
        if node.entry != entry {
            node.entry = entry;
            changed.push(Node { children: Vec::new(), ..node.clone() });
        }
        say(&mut node.children, below, changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(choice: Choice, text: &str) -> MenuEntry {
        MenuEntry::Action { choice, text: text.to_owned() }
    }

    fn note(text: &str) -> MenuEntry {
        MenuEntry::Note { text: text.to_owned() }
    }

    fn connect(name: &str) -> MenuEntry {
        action(Choice::Connect(name.parse().unwrap()), "Connect")
    }

    #[test]
    fn texts_change_in_place() {
        let mut layout = Layout::default();
        assert_eq!(layout.show(vec![note("42 %"), action(Choice::Quit, "Quit")]), Update::Lines);
        let revision = layout.revision();
        assert_eq!(layout.show(vec![note("42 %"), action(Choice::Quit, "Quit")]), Update::None);
        let Update::Texts(changed) = layout.show(vec![note("43 %"), action(Choice::Quit, "Quit")]) else {
            panic!("{layout:?}")
        };
        assert_eq!(changed.len(), 1);
        assert_eq!((changed[0].id, &changed[0].entry), (layout.nodes()[0].id, &note("43 %")));
        assert_eq!(layout.revision(), revision);
    }

    #[test]
    fn a_choice_keeps_its_number_whatever_comes_before_it() {
        let mut layout = Layout::default();
        layout.show(vec![action(Choice::Quit, "Quit")]);
        let quit = layout.nodes()[0].id;
        layout.show(vec![connect("a.example"), connect("b.example"), action(Choice::Quit, "Quit")]);
        assert_eq!(layout.nodes()[2].id, quit);
        let a = layout.nodes()[0].id;
        layout.show(vec![connect("b.example"), action(Choice::Quit, "Quit")]);
        assert_eq!(layout.choice(a), None, "a line that is gone chooses nothing");
        layout.show(vec![connect("b.example"), connect("a.example")]);
        assert_eq!(layout.nodes()[1].id, a);
        assert_eq!(layout.choice(a), Some(Choice::Connect("a.example".parse().unwrap())));
    }

    #[test]
    fn an_open_menu_keeps_its_lines_until_it_is_closed() {
        let mut layout = Layout::default();
        layout.show(vec![note("42 %"), action(Choice::Quit, "Quit")]);
        let before = layout.nodes().to_vec();
        layout.opened();
        assert_eq!(layout.show(vec![action(Choice::Quit, "Quit")]), Update::None);
        assert_eq!(layout.nodes(), before);
        assert!(matches!(layout.show(vec![note("50 %"), action(Choice::Quit, "Quit")]), Update::Texts(_)));
        assert_eq!(layout.show(vec![action(Choice::Quit, "Quit")]), Update::None);
        assert!(layout.closed());
        assert_eq!(layout.nodes().len(), 1);
        assert!(!layout.closed());

        layout.opened();
        layout.show(vec![note("50 %")]);
        assert!(layout.about_to_show(), "it was closed without a word, and is opened again");
        assert_eq!(layout.nodes()[0].entry, note("50 %"));
    }

    #[test]
    fn submenus_have_lines_of_their_own() {
        let menu = |image: &str| {
            let push = Choice::Push { image: image.to_owned(), registry: "a.example".parse().unwrap() };
            vec![MenuEntry::Submenu { text: "Push".to_owned(), entries: vec![action(push, image)] }]
        };
        let mut layout = Layout::default();
        layout.show(menu("app:v1"));
        let (push, image) = (layout.nodes()[0].id, layout.nodes()[0].children[0].id);
        assert_ne!(push, image);
        assert!(layout.choice(push).is_none() && layout.choice(image).is_some());
        assert_eq!(layout.show(menu("app:v1")), Update::None);
        assert_eq!(layout.show(menu("app:v2")), Update::Lines);
        assert_ne!(layout.nodes()[0].children[0].id, image);
    }
}
