//! The window driven through WebDriver: WebKit's own driver starts the real app and clicks in its page.

use super::{PATIENCE, Screen, app, is_running, screen::screenshots, x11::X11};
use crate::lab::{Daemon, Dockline, free_port};
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    key::Key,
    wd::{Capabilities, TimeoutConfiguration},
};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, kill};
use serde_json::json;
use std::{
    sync::Mutex,
    thread::{self, JoinHandle},
};

/// The driver, the app that it started, and the app's page.
pub struct Browser {
    client: Client,
    driver: Daemon,
    x11: X11,
    pictures: Pictures,
}

/// Pictures being packed; done when it is dropped.
#[derive(Default)]
struct Pictures(Mutex<Vec<JoinHandle<()>>>);

impl Drop for Pictures {
    fn drop(&mut self) {
        for packing in self.0.get_mut().map(std::mem::take).unwrap_or_default() {
            // What went wrong there was said there; a second panic here would hide the first.
            packing.join().ok();
        }
    }
}

impl Browser {
    /// Starts the app with its window and waits until the page has its first snapshot.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn start(screen: &Screen, dockline: &Dockline, arguments: &[&str]) -> Self {
        let port = free_port();
        // The app is its child, and so on the same machine.
        let mut driver = dockline.machine("WebKitWebDriver");
        driver.arg(format!("--port={port}"));
        app::dress(&mut driver, screen, dockline);
        // What tauri-driver sets: it makes the window's web context one that may be automated.
        driver.env("TAURI_AUTOMATION", "true").env("TAURI_WEBVIEW_AUTOMATION", "true");
        let driver = Daemon::spawn("WebKitWebDriver", driver);
        accepts_connections(port).await;

        let mut capabilities = Capabilities::new();
        let options = json!({ "binary": app::desktop_program(), "args": arguments });
        capabilities.insert("webkitgtk:browserOptions".to_owned(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|error| panic!("no WebDriver session: {error}\n{}", driver.log()));
        let timeouts = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None);
        client.update_timeouts(timeouts).await.expect("the driver takes timeouts");
        let browser =
            Self { client, driver, x11: X11::connect(screen.display()), pictures: Pictures::default() };
        browser.see("[data-testid=app][data-ready=true]").await;
        browser
    }

    /// Waits for an element.
    ///
    /// # Panics
    /// When it does not appear.
    pub async fn see(&self, selector: &str) -> Element {
        let found =
            self.client.wait().at_most(PATIENCE).every(super::POLL).for_element(Locator::Css(selector)).await;
        match found {
            Ok(element) => element,
            Err(error) => self.give_up(&format!("{selector} never appeared: {error}")).await,
        }
    }

    /// Waits for the element with this `data-testid`.
    ///
    /// # Panics
    /// When it does not appear.
    pub async fn part(&self, testid: &str) -> Element {
        self.see(&testid_selector(testid)).await
    }

    /// Whether an element is there now.
    ///
    /// # Panics
    /// When the page is gone.
    pub async fn has(&self, selector: &str) -> bool {
        !self.client.find_all(Locator::Css(selector)).await.expect("the page is there").is_empty()
    }

    /// Waits until an element is gone.
    ///
    /// # Panics
    /// When it stays.
    pub async fn see_gone(&self, selector: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.has(selector).await {
            if tokio::time::Instant::now() > deadline {
                self.give_up(&format!("{selector} never went away")).await;
            }
            tokio::time::sleep(super::POLL).await;
        }
    }

    /// Waits until `selector` finds exactly this many elements.
    ///
    /// # Panics
    /// When it never does.
    pub async fn see_as_many(&self, selector: &str, count: usize) {
        let selector = json!(selector);
        self.until(&format!("return document.querySelectorAll({selector}).length === {count}")).await;
    }

    /// Waits for the element that `selector` finds, and clicks it. Pages replace elements while they change; a
    /// click that hits a replaced one is tried again.
    ///
    /// # Panics
    /// When it cannot be clicked.
    pub async fn click(&self, selector: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let refusal: CmdError = match self.see(selector).await.click().await {
                Ok(()) => return,
                Err(error) => error,
            };
            if tokio::time::Instant::now() > deadline {
                self.give_up(&format!("{selector} cannot be clicked: {refusal}")).await;
            }
            tokio::time::sleep(super::POLL).await;
        }
    }

    /// Replaces the text of the field with this `data-testid`.
    ///
    /// # Panics
    /// When it cannot be typed into.
    pub async fn fill(&self, testid: &str, text: &str) {
        let field = self.part(testid).await;
        field.clear().await.expect("the field can be cleared");
        field.send_keys(text).await.expect("the field takes keys");
    }

    /// The text of the element that `selector` finds, whether or not it is scrolled into view.
    ///
    /// # Panics
    /// When there is none.
    pub async fn text(&self, selector: &str) -> String {
        let text = self.see(selector).await.prop("textContent").await.expect("an element has text");
        text.unwrap_or_default().trim().to_owned()
    }

    /// An attribute of the element that `selector` finds.
    ///
    /// # Panics
    /// When there is no such element.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.see(selector).await.attr(name).await.expect("an element has attributes")
    }

    /// Runs JavaScript in the page and returns its value.
    ///
    /// # Panics
    /// When it throws.
    pub async fn run(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs JavaScript that calls its last argument with a value, and returns that value.
    ///
    /// # Panics
    /// When it throws or takes too long.
    pub async fn run_async(&self, script: &str) -> serde_json::Value {
        self.client
            .execute_async(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Types into whatever has the focus, as a person at the keyboard does. `Key`s turn into chords until `Key::Null`.
    ///
    /// # Panics
    /// When nothing takes keys.
    pub async fn type_keys(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    /// Presses a key together with Control.
    ///
    /// # Panics
    /// As [`Self::type_keys`].
    pub async fn press_control(&self, key: char) {
        let (down, up) = (char::from(Key::Control), char::from(Key::Null));
        self.type_keys(&format!("{down}{key}{up}")).await;
    }

    /// Gives the window this many pixels.
    ///
    /// # Panics
    /// When the window cannot be resized.
    pub async fn resize(&self, width: u32, height: u32) {
        self.client.set_window_size(width, height).await.expect("the window can be resized");
    }

    /// Takes a picture of the window into the folder of CI artefacts.
    ///
    /// From the screen, since WebKitWebDriver's own screenshots never come under Xvfb.
    ///
    /// # Panics
    /// When there is no window.
    pub async fn photograph(&self, name: &str) {
        self.settled().await;
        let window = *self.x11.windows("Dockline").first().expect("the app has a window");
        let picture = self.x11.photograph(window);
        let path = screenshots().join(format!("{name}.png"));
        // Packing it takes longer than taking it, and nothing waits for it.
        self.pictures.0.lock().expect("no picture failed").push(thread::spawn(move || picture.write(&path)));
    }

    /// Waits until the page has drawn what it knows, and transitions are over.
    ///
    /// # Panics
    /// When the page is gone.
    pub async fn settled(&self) {
        self.run_async(
            "const done = arguments[0]; const settled = () => requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
             Promise.allSettled(document.getAnimations().filter(a => a.effect?.getComputedTiming().endTime !== Infinity)
               .map(a => a.finished)).then(settled);",
        )
        .await;
    }

    /// Waits until this script of the page's answers with something true.
    ///
    /// # Panics
    /// When it never does.
    pub async fn until(&self, script: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.run(script).await;
            if answer == json!(true) {
                return;
            }
            if tokio::time::Instant::now() > deadline {
                self.give_up(&format!("{script} never answered true, last {answer}")).await;
            }
            tokio::time::sleep(super::POLL).await;
        }
    }

    /// Sends the owner a command through the page's own door, and returns the reply.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn dispatch(&self, command: &serde_json::Value) -> serde_json::Value {
        let answer = self
            .run_async(&format!(
                "const done = arguments[0];
                 window.__TAURI_INTERNALS__.invoke('dispatch', {{ command: {command} }})
                   .then(reply => done({{ reply }}), refusal => done({{ refusal }}));"
            ))
            .await;
        match answer.get("reply") {
            Some(reply) => reply.clone(),
            None => panic!("{command} was refused: {answer}"),
        }
    }

    /// Chooses what has this value in the list with this `data-testid`.
    ///
    /// # Panics
    /// When there is no such list, or no such choice in it.
    pub async fn choose(&self, testid: &str, value: &str) {
        self.part(testid).await;
        let chosen = self
            .run(&format!(
                "const list = document.querySelector('[data-testid={testid}]'); list.value = '{value}';
                 list.dispatchEvent(new Event('change', {{ bubbles: true }})); return list.value;"
            ))
            .await;
        assert_eq!(chosen, json!(value), "{testid} has no such choice");
    }

    /// The middle of the element that `selector` finds, in pixels of the screen; it is scrolled into view first.
    ///
    /// # Panics
    /// When there is none.
    pub async fn place_of(&self, selector: &str) -> (i16, i16) {
        self.see(selector).await;
        let script = format!(
            "const element = document.querySelector({selector});
             element.scrollIntoView({{ block: 'nearest' }});
             const box = element.getBoundingClientRect();
             return [box.x + box.width / 2, box.y + box.height / 2].map(Math.round);",
            selector = json!(selector)
        );
        let (x, y): (i16, i16) = serde_json::from_value(self.run(&script).await).expect("a place");
        let window = *self.x11.windows("Dockline").first().expect("the app has a window");
        let (left, top) = self.x11.corner(window);
        (left + x, top + y)
    }

    /// The driver's, the app's and the window's processes.
    #[must_use]
    pub fn family(&self) -> Vec<nix::unistd::Pid> {
        super::family(self.driver.pid())
    }

    /// What the driver and the app wrote.
    #[must_use]
    pub fn log(&self) -> String {
        self.driver.log()
    }

    /// Ends the session, and the app with it: the driver ends the window's process, and the tray's stays, as it does for
    /// a person who closes the window.
    pub async fn close(self) {
        let family = self.family();
        self.client.clone().close().await.ok();
        let apps = family.get(1..).unwrap_or_default();
        for app in apps {
            // It may have ended with the session.
            let _ = kill(*app, Signal::SIGTERM);
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while apps.iter().any(|app| is_running(*app)) && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(super::POLL).await;
        }
    }

    async fn give_up(&self, why: &str) -> ! {
        let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
        if let Some(window) = self.x11.windows("Dockline").first() {
            self.x11.photograph(*window).write(&screenshots().join(format!("failed-{name}.png")));
        }
        let page = self.client.source().await.unwrap_or_default();
        panic!("{why}\n--- the page ---\n{page}\n--- the log ---\n{}", self.driver.log())
    }
}

impl Drop for Browser {
    /// Whatever became of the test, no app stays.
    fn drop(&mut self) {
        for app in self.family().into_iter().skip(1) {
            // It may have ended meanwhile.
            let _ = kill(app, Signal::SIGKILL);
        }
    }
}

/// The selector of a `data-testid`.
fn testid_selector(testid: &str) -> String {
    format!("[data-testid={testid}]")
}

async fn accepts_connections(port: u16) {
    let listening = async {
        // The driver says nothing when it is ready; connecting is the only way to know.
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(super::POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, listening).await.expect("WebKitWebDriver listens");
}
