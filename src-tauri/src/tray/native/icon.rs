//! The icon and its menu, as the system's libraries have them: does what [`steps`](super::super::steps) says.

use super::{
    super::{
        Look, MenuEntry,
        layout::Node,
        steps::{Step, Steps, spelled},
    },
    Happened, Order, system,
};
use crate::choice::Choice;
use anyhow::Context as _;
use muda::{CheckMenuItem, IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use std::collections::HashMap;
use tao::event_loop::EventLoopProxy;
use tray_icon::{TrayIcon, TrayIconBuilder, TrayIconEvent};

/// The icon in the bar. It goes when this is dropped.
pub struct Icon {
    // Before the icon, whose window it may be at.
    _watch: system::Watch,
    icon: TrayIcon,
    lines: Lines,
    steps: Steps,
}

/// The lines that can be changed, by their numbers.
type Lines = HashMap<i32, Line>;

enum Line {
    Plain(MenuItem),
    Checked(CheckMenuItem),
    Menu(Submenu),
}

impl Icon {
    /// Puts the icon into the bar, once for each process. `end` ends the app in order, and returns when it has; only this thread calls it.
    ///
    /// # Errors
    /// What the system says.
    pub fn place(
        look: Look,
        orders: &EventLoopProxy<Order>,
        end: impl Fn() + 'static,
    ) -> anyhow::Result<Self> {
        let tell = {
            let orders = orders.clone();
            move |happened| {
                // The loop is ending: so be it.
                let _ = orders.send_event(Order::Happened(happened));
            }
        };
        // Both before there is an icon: the libraries ask for it once, with the first event at the latest.
        let clicked = tell.clone();
        MenuEvent::set_event_handler(Some(move |event: MenuEvent| {
            clicked(Happened::LineClicked(event.id().0.clone()));
        }));
        let clicked = tell.clone();
        TrayIconEvent::set_event_handler(Some(move |event| {
            if let Some(happened) = system::meant(&event) {
                clicked(happened);
            }
        }));
        let steps = Steps::new(look, system::tone());
        let (menu, lines) = menu(steps.nodes())?;
        let (state, tone) = steps.picture();
        let icon = TrayIconBuilder::new()
            .with_id("dockline")
            .with_icon(system::picture(state, tone)?)
            .with_icon_as_template(system::COLOURS_ICONS)
            .with_tooltip(steps.tooltip())
            .with_menu(Box::new(menu))
            .with_menu_on_left_click(system::LEFT_CLICK_IS_FOR_THE_MENU)
            .build()
            .context("the icon")?;
        let watch = system::Watch::start(&icon, tell, end).context("what happens to the menu")?;
        Ok(Self { _watch: watch, icon, lines, steps })
    }

    /// Shows something else.
    pub fn show(&mut self, look: Look) {
        let steps = self.steps.show(look);
        self.take(steps);
    }

    /// The menu was opened.
    pub fn opened(&mut self) {
        self.steps.opened();
    }

    /// The menu was closed.
    pub fn closed(&mut self) {
        let step = self.steps.closed();
        self.take(step);
    }

    /// What a click on that line chooses.
    pub fn clicked(&mut self, number: &str) -> Option<Choice> {
        let (choice, back) = self.steps.clicked(number);
        self.take(back);
        choice
    }

    /// The bar may have other colours.
    #[cfg(windows)]
    pub fn recolour(&mut self) {
        let steps = self.steps.recolour(system::tone());
        self.take(steps);
    }

    /// The bar is a new one.
    #[cfg(windows)]
    pub fn again(&mut self) {
        let steps = self.steps.again();
        self.take(steps);
    }

    fn take(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            if let Err(error) = self.step(step) {
                tracing::warn!(error = format!("{error:#}"), "the tray was not told of a change");
            }
        }
    }

    fn step(&mut self, step: Step) -> anyhow::Result<()> {
        match step {
            Step::Picture(state, tone) => system::show(&self.icon, system::picture(state, tone)?)?,
            Step::Tooltip(text) => self.icon.set_tooltip(Some(text))?,
            Step::Texts(nodes) => {
                for node in nodes {
                    if let Some(line) = self.lines.get(&node.id) {
                        line.say(&node.entry);
                    }
                }
            }
            Step::Lines => {
                let (menu, lines) = menu(self.steps.nodes())?;
                self.icon.set_menu(Some(Box::new(menu)));
                self.lines = lines;
            }
        }
        Ok(())
    }
}

impl Line {
    fn say(&self, entry: &MenuEntry) {
        let text = spelled(entry.text().unwrap_or_default());
        match self {
            Self::Plain(line) => line.set_text(text),
            Self::Menu(line) => line.set_text(text),
            Self::Checked(line) => {
                line.set_text(text);
                line.set_checked(matches!(entry, MenuEntry::Check { on: true, .. }));
            }
        }
    }
}

/// A menu with these lines.
fn menu(nodes: &[Node]) -> anyhow::Result<(Menu, Lines)> {
    let (menu, mut lines) = (Menu::new(), Lines::new());
    fill(nodes, &mut lines, &|line| menu.append(line)).context("the menu")?;
    Ok((menu, lines))
}

fn fill(
    nodes: &[Node],
    lines: &mut Lines,
    append: &dyn Fn(&dyn IsMenuItem) -> muda::Result<()>,
) -> muda::Result<()> {
    for node in nodes {
        let (number, text) = (node.id.to_string(), spelled(node.entry.text().unwrap_or_default()));
        let line = match &node.entry {
            MenuEntry::Separator => {
                append(&PredefinedMenuItem::separator())?;
                continue;
            }
            MenuEntry::Action { .. } | MenuEntry::Note { .. } => {
                let can_be_clicked = node.entry.choice().is_some();
                let line = MenuItem::with_id(number, text, can_be_clicked, None);
                append(&line)?;
                Line::Plain(line)
            }
            MenuEntry::Check { on, .. } => {
                let line = CheckMenuItem::with_id(number, text, true, *on, None);
                append(&line)?;
                Line::Checked(line)
            }
            MenuEntry::Submenu { .. } => {
                let line = Submenu::with_id(number, text, true);
                fill(&node.children, lines, &|below| line.append(below))?;
                append(&line)?;
                Line::Menu(line)
            }
        };
        lines.insert(node.id, line);
    }
    Ok(())
}
