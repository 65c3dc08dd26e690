//! A file dragged from another program and dropped: the XDND protocol, version 5 (freedesktop.org, "Drag-and-Drop
//! Protocol for the X Window System"), spoken as the source.

use super::{PATIENCE, Screen};
use std::{path::Path, time::Instant};
use x11rb::{
    CURRENT_TIME,
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
            SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware, XdndEnter, XdndPosition, XdndStatus, XdndLeave, XdndDrop, XdndFinished, XdndSelection, XdndActionCopy,
        URI_LIST: b"text/uri-list",
    }
}

/// The protocol's version spoken here.
const VERSION: u32 = 5;

/// Drags files onto the window under (`x`, `y`) of the screen and drops them there.
///
/// # Panics
/// When the window does not take the drop.
pub async fn drop_files(screen: &Screen, files: &[&Path], x: i16, y: i16) {
    hold_files(screen, files, x, y).await.let_go().await;
}

/// Drags files over the window under (`x`, `y`) of the screen and holds them there.
///
/// # Panics
/// When the window does not answer.
pub async fn hold_files(screen: &Screen, files: &[&Path], x: i16, y: i16) -> Drag {
    let display = screen.display().to_owned();
    let list: String = files.iter().map(|file| format!("file://{}\r\n", file.display())).collect();
    blocking(move || {
        let drag = Drag::start(&display, list, x, y);
        drag.hover();
        drag
    })
    .await
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(act).await.expect("the window answers the drag")
}

/// Files that hang over a window.
#[derive(Debug)]
pub struct Drag {
    x11: RustConnection,
    atoms: Atoms,
    source: Window,
    target: Window,
    uri_list: String,
    place: u32,
}

impl Drag {
    fn start(display: &str, uri_list: String, x: i16, y: i16) -> Self {
        let (x11, screen) = x11rb::connect(Some(display)).expect("the screen is there");
        let atoms = Atoms::new(&x11).unwrap().reply().unwrap();
        let root = x11.setup().roots[screen].root;
        let source = x11.generate_id().unwrap();
        x11.create_window(
            0,
            source,
            root,
            -10,
            -10,
            1,
            1,
            0,
            WindowClass::INPUT_OUTPUT,
            0,
            &CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE),
        )
        .unwrap();
        x11.set_selection_owner(source, atoms.XdndSelection, CURRENT_TIME).unwrap();
        let target = aware_window(&x11, &atoms, root, x, y).expect("a window there takes drops");
        let place = (u32::from(x.unsigned_abs()) << 16) | u32::from(y.unsigned_abs());
        Self { x11, atoms, source, target, uri_list, place }
    }

    /// Drops them there.
    ///
    /// # Panics
    /// When the window does not take them.
    pub async fn let_go(self) {
        blocking(move || {
            self.send(self.atoms.XdndDrop, [self.source, 0, CURRENT_TIME, 0, 0]);
            self.wait_for(self.atoms.XdndFinished);
        })
        .await;
    }

    /// Takes them away again. The window may still ask who that was, so keep it until it has noticed.
    ///
    /// # Panics
    /// When the screen is gone.
    pub fn take_away(&self) {
        self.send(self.atoms.XdndLeave, [self.source, 0, 0, 0, 0]);
    }

    fn hover(&self) {
        // Data: source; version and whether there are more than three types; the types.
        self.send(self.atoms.XdndEnter, [self.source, VERSION << 24, self.atoms.URI_LIST, 0, 0]);
        // Two moves: toolkits ask for the data after the first, and answer the second knowing what it is.
        for step in [0, 1] {
            let place = self.place + step;
            self.send(
                self.atoms.XdndPosition,
                [self.source, 0, place, CURRENT_TIME, self.atoms.XdndActionCopy],
            );
            self.wait_for(self.atoms.XdndStatus);
        }
    }

    fn send(&self, kind: Atom, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, self.target, kind, data);
        self.x11.send_event(false, self.target, EventMask::NO_EVENT, message).unwrap();
        self.x11.flush().unwrap();
    }

    /// Answers requests for the data until the target sends `kind`.
    fn wait_for(&self, kind: Atom) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let event = self.x11.wait_for_event().expect("the screen is there");
            if let Event::SelectionRequest(request) = &event {
                self.hand_over(request);
            }
            if let Event::ClientMessage(message) = event
                && message.type_ == kind
            {
                return;
            }
        }
        panic!("the window does not answer the drag");
    }

    /// Inter-Client Communication Conventions, section 2.2.
    fn hand_over(&self, request: &SelectionRequestEvent) {
        let known = request.target == self.atoms.URI_LIST;
        let property = if known { request.property } else { AtomEnum::NONE.into() };
        if known {
            let data = self.uri_list.as_bytes();
            self.x11
                .change_property8(
                    PropMode::REPLACE,
                    request.requestor,
                    request.property,
                    request.target,
                    data,
                )
                .unwrap();
        }
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.x11.send_event(false, request.requestor, EventMask::NO_EVENT, answer).unwrap();
        self.x11.flush().unwrap();
    }
}

/// The window under a point that has `XdndAware`: window managers put a frame of their own around it.
fn aware_window(x11: &RustConnection, atoms: &Atoms, root: Window, x: i16, y: i16) -> Option<Window> {
    let mut window = root;
    loop {
        let aware =
            x11.get_property(false, window, atoms.XdndAware, AtomEnum::ATOM, 0, 1).ok()?.reply().ok()?;
        if aware.value_len > 0 {
            return Some(window);
        }
        let at = x11.translate_coordinates(root, window, x, y).ok()?.reply().ok()?;
        if at.child == x11rb::NONE {
            return None;
        }
        window = at.child;
    }
}
