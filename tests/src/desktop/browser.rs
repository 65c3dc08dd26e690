//! The window driven through WebDriver: WebKit's own driver starts the real app and clicks in its page.

use super::{
    PATIENCE, Screen, app, is_running,
    screen::{screenshots, workspace},
    x11::X11,
};
use crate::lab::{Daemon, Dockline, free_port};
use fantoccini::{
    Client, ClientBuilder, Locator, elements::Element, error::CmdError, key::Key, wd::Capabilities,
};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, kill};
use serde_json::json;

/// The driver, the app that it started, and the app's page.
pub struct Browser {
    client: Client,
    driver: Daemon,
    x11: X11,
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
        let browser = Self { client, driver, x11: X11::connect(screen.display()) };
        browser.see("[data-testid=app][data-ready=true]").await;
        browser
    }

    /// Waits for an element.
    ///
    /// # Panics
    /// When it does not appear.
    pub async fn see(&self, selector: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
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

    /// Waits for the element that `selector` finds, and clicks it. Pages replace elements while they change; a
    /// click that hits a replaced one is tried again.
    ///
    /// # Panics
    /// When it cannot be clicked.
    pub async fn click(&self, selector: &str) {
        let mut last: Option<CmdError> = None;
        for _ in 0..20 {
            match self.see(selector).await.click().await {
                Ok(()) => return,
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(super::POLL).await;
        }
        self.give_up(&format!("{selector} cannot be clicked: {last:?}")).await
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

    /// What axe-core finds wrong with the page as it is, colours included: one line for each rule that is broken.
    ///
    /// # Panics
    /// When axe-core is not installed (`npm ci` in ui/) or does not answer.
    pub async fn violations(&self) -> Vec<String> {
        let source = workspace().join("ui/node_modules/axe-core/axe.min.js");
        let source =
            std::fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        self.run(&source).await;
        let found = self
            .run_async(
                "const done = arguments[0];
                 window.axe.run(document, { resultTypes: ['violations'] }).then(
                   ({ violations }) => done(violations.map(({ id, nodes }) => `${id}: ${nodes.map(n => n.html.slice(0, 160)).join(' ')}`)),
                   error => done([String(error)]));",
            )
            .await;
        serde_json::from_value(found).expect("a list of sentences")
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
        // The page has changed; two frames later it is on the screen too, and transitions are over.
        self.run_async(
            "const done = arguments[0]; const settled = () => requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
             Promise.allSettled(document.getAnimations().filter(a => a.effect?.getComputedTiming().endTime !== Infinity)
               .map(a => a.finished)).then(settled);",
        )
        .await;
        let window = *self.x11.windows("Dockline").first().expect("the app has a window");
        self.x11.photograph(window, &screenshots().join(format!("{name}.png")));
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
            self.x11.photograph(*window, &screenshots().join(format!("failed-{name}.png")));
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
