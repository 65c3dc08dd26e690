//! Windows as other programs see them (Extended Window Manager Hints).

use super::PATIENCE;
use std::{collections::BTreeSet, path::Path, time::Instant};
use x11rb::{
    connection::Connection,
    protocol::Event,
    protocol::xproto::{
        Atom, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, CreateWindowAux,
        EventMask, ImageFormat, PropMode, Window, WindowClass,
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        _NET_ACTIVE_WINDOW, _NET_CLIENT_LIST, _NET_CLOSE_WINDOW, _NET_SUPPORTING_WM_CHECK, _NET_WM_NAME, UTF8_STRING,
    }
}

/// A connection to the screen.
#[derive(Debug)]
pub struct X11 {
    connection: RustConnection,
    atoms: Atoms,
    root: Window,
}

/// What was on the screen.
#[derive(Debug)]
pub struct Picture {
    width: u32,
    height: u32,
    /// Blue, green, red and nothing, a byte each.
    pixels: Vec<u8>,
}

impl Picture {
    /// Keeps it as PNG.
    pub fn write(&self, path: &Path) {
        let colours: Vec<u8> =
            self.pixels.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        let file = std::fs::File::create(path).expect("target/ can be written");
        let mut png = png::Encoder::new(file, self.width, self.height);
        png.set_color(png::ColorType::Rgb);
        png.set_compression(png::Compression::Fast);
        png.write_header()
            .and_then(|mut png| png.write_image_data(&colours))
            .expect("target/ can be written");
    }
}

impl X11 {
    pub fn connect(display: &str) -> Self {
        let (connection, screen) = x11rb::connect(Some(display)).expect("the screen is there");
        let atoms = Atoms::new(&connection).unwrap().reply().unwrap();
        let root = connection.setup().roots[screen].root;
        let changes = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        connection.change_window_attributes(root, &changes).unwrap();
        Self { connection, atoms, root }
    }

    /// A window manager marks the screen as managed when it is ready.
    pub fn wait_for_window_manager(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self
            .property(self.root, self.atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW.into())
            .is_empty()
        {
            assert!(Instant::now() < deadline, "openbox does not manage the screen");
            self.connection.wait_for_event().expect("the screen is there");
        }
    }

    /// Managed windows with this title, which are the visible ones.
    pub fn windows(&self, title: &str) -> Vec<Window> {
        let is_it = |window: &Window| self.title(*window) == title.as_bytes();
        self.managed().into_iter().filter(is_it).collect()
    }

    /// The titles of all managed windows.
    pub fn titles(&self) -> Vec<String> {
        let title = |window| String::from_utf8_lossy(&self.title(window)).into_owned();
        self.managed().into_iter().map(title).collect()
    }

    fn managed(&self) -> Vec<Window> {
        let list = self.property(self.root, self.atoms._NET_CLIENT_LIST, AtomEnum::WINDOW.into());
        list.chunks_exact(4).map(|id| u32::from_ne_bytes(id.try_into().unwrap())).collect()
    }

    pub fn close(&self, window: Window) {
        // Data: time; source indication 2, a pager's (Extended Window Manager Hints, `_NET_CLOSE_WINDOW`).
        let message = ClientMessageEvent::new(32, window, self.atoms._NET_CLOSE_WINDOW, [0, 2, 0, 0, 0]);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        self.connection.send_event(false, self.root, mask, message).unwrap();
        self.connection.flush().unwrap();
    }

    /// Where the window's upper left corner is on the screen, its frame not counted.
    pub fn corner(&self, window: Window) -> (i16, i16) {
        let at = self.connection.translate_coordinates(window, self.root, 0, 0).unwrap().reply().unwrap();
        (at.dst_x, at.dst_y)
    }

    pub fn middle(&self, window: Window) -> (i16, i16) {
        let size = self.connection.get_geometry(window).unwrap().reply().expect("the window is there");
        let (x, y) = (i16::try_from(size.width / 2).unwrap(), i16::try_from(size.height / 2).unwrap());
        let at = self.connection.translate_coordinates(window, self.root, x, y).unwrap().reply().unwrap();
        (at.dst_x, at.dst_y)
    }

    pub fn open_window(&self, title: &str) -> Window {
        let window = self.connection.generate_id().unwrap();
        let plain = CreateWindowAux::new();
        let class = WindowClass::INPUT_OUTPUT;
        self.connection.create_window(0, window, self.root, 0, 0, 40, 20, 0, class, 0, &plain).unwrap();
        let (name, text) = (self.atoms._NET_WM_NAME, self.atoms.UTF8_STRING);
        self.connection.change_property8(PropMode::REPLACE, window, name, text, title.as_bytes()).unwrap();
        self.connection.map_window(window).unwrap();
        self.connection.flush().unwrap();
        window
    }

    pub fn has_focus(&self, window: Window) -> bool {
        let active = self.property(self.root, self.atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW.into());
        active == window.to_ne_bytes()
    }

    /// What the window looks like now. The screen has 24 bits a pixel, in 32.
    pub fn photograph(&self, window: Window) -> Picture {
        let size = self.connection.get_geometry(window).unwrap().reply().expect("the window is there");
        let (width, height) = (size.width, size.height);
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, u32::MAX);
        let pixels = image.unwrap().reply().expect("the whole window is on the screen").data;
        Picture { width: width.into(), height: height.into(), pixels }
    }

    /// The colours in a strip along the window's upper edge; none while there is no such strip.
    pub fn colours(&self, window: Window, height: u16) -> Option<BTreeSet<[u8; 3]>> {
        let size = self.connection.get_geometry(window).ok()?.reply().ok()?;
        let strip = (size.width, height.min(size.height));
        let image =
            self.connection.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, strip.0, strip.1, u32::MAX);
        let pixels = image.ok()?.reply().ok()?.data;
        Some(pixels.chunks_exact(4).map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect())
    }

    /// The text on the clipboard; none if there is none (Inter-Client Communication Conventions Manual, 2.4).
    pub fn clipboard(&self) -> Option<String> {
        let selection = self.connection.intern_atom(false, b"CLIPBOARD").unwrap().reply().unwrap().atom;
        let target = self.connection.intern_atom(false, b"DOCKLINE_TEST").unwrap().reply().unwrap().atom;
        self.connection.get_selection_owner(selection).ok()?.reply().ok().filter(|owner| owner.owner != 0)?;
        let window = self.open_window("clipboard");
        self.connection.convert_selection(window, selection, self.atoms.UTF8_STRING, target, 0_u32).unwrap();
        self.connection.flush().unwrap();
        let told = loop {
            if let Event::SelectionNotify(told) = self.connection.wait_for_event().ok()? {
                break told;
            }
        };
        let text = (told.property != 0).then(|| self.property(window, told.property, self.atoms.UTF8_STRING));
        self.connection.destroy_window(window).unwrap();
        self.connection.flush().unwrap();
        text.and_then(|text| String::from_utf8(text).ok())
    }

    fn title(&self, window: Window) -> Vec<u8> {
        self.property(window, self.atoms._NET_WM_NAME, self.atoms.UTF8_STRING)
    }

    /// A property's bytes; none if it, or the window, is gone.
    fn property(&self, window: Window, name: Atom, kind: Atom) -> Vec<u8> {
        let asked =
            self.connection.get_property(false, window, name, kind, 0, 1024).expect("the screen is there");
        asked.reply().map(|reply| reply.value).unwrap_or_default()
    }
}
