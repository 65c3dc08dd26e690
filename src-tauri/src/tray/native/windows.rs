//! Windows' taskbar.

use super::{
    super::{
        IconState,
        picture::{self, Picture},
        tone::Tone,
    },
    Happened, Order, TURNS,
};
use std::{io, ptr};
use tao::event_loop::EventLoop;
use tray_icon::{Icon, MouseButton, MouseButtonState, TrayIcon, TrayIconEvent};
use windows_sys::{
    Win32::{
        Foundation::{HWND, LPARAM, LRESULT, WPARAM},
        UI::{
            Shell::{DefSubclassProc, RemoveWindowSubclass, SetWindowSubclass},
            WindowsAndMessaging::{
                GetSystemMetrics, RegisterWindowMessageW, SM_CXSMICON, WM_ENDSESSION, WM_ENTERMENULOOP,
                WM_EXITMENULOOP, WM_SETTINGCHANGE,
            },
        },
    },
    w,
};
use winreg::{RegKey, enums::HKEY_CURRENT_USER};

/// The left button opens the window, as everywhere on the taskbar; the menu is the right one's.
pub const LEFT_CLICK_IS_FOR_THE_MENU: bool = false;

/// The taskbar shows icons as they are.
pub const COLOURS_ICONS: bool = false;

/// Where the person's choice of colours is.
const COLOURS: &str = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize";
/// 1 if the taskbar is light; Windows before version 1903 knows dark ones alone, and does not have it.
const IS_LIGHT: &str = "SystemUsesLightTheme";

/// The number of our part in the window's procedure among those of its kind.
const SUBCLASS: usize = 0xD0C;

/// A program without a window is nowhere but in the bar.
pub const fn stay_in_the_background(_: &mut EventLoop<Order>) {}

/// The taskbar's brightness.
pub fn tone() -> Tone {
    let asked = RegKey::predef(HKEY_CURRENT_USER)
        .open_subkey(COLOURS)
        .and_then(|colours| colours.get_value::<u32, _>(IS_LIGHT));
    match asked {
        Ok(1) => Tone::LightBar,
        Ok(_) | Err(_) => Tone::DarkBar,
    }
}

/// The icon's picture, in the size that the taskbar has at the moment.
///
/// # Errors
/// If a picture of our own is none.
pub fn picture(state: IconState, tone: Tone) -> anyhow::Result<Icon> {
    #[expect(unsafe_code, reason = "the system's call")]
    // SAFETY: it takes a number and gives one.
    let side = unsafe { GetSystemMetrics(SM_CXSMICON) };
    let Picture { side, pixels } = picture::fitting(state, tone, side.unsigned_abs())?;
    Ok(Icon::from_rgba(pixels, side, side)?)
}

/// Gives the icon another picture.
///
/// # Errors
/// What the system says.
pub fn show(icon: &TrayIcon, picture: Icon) -> tray_icon::Result<()> {
    icon.set_icon(Some(picture))
}

/// What an event of the icon's means.
pub const fn meant(event: &TrayIconEvent) -> Option<Happened> {
    match event {
        TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } => {
            Some(Happened::IconClicked)
        }
        _ => None,
    }
}

/// Hears what the icon's window is told, for as long as it is kept.
pub struct Watch {
    window: HWND,
    /// The window's procedure has a pointer to it.
    _heard: Box<Heard>,
}

/// What to do about what is heard.
struct Heard {
    tell: Box<dyn Fn(Happened)>,
    end: Box<dyn Fn()>,
    /// The message that there is a new taskbar. Whoever runs the desktop may start it anew.
    bar_is_new: u32,
}

impl Watch {
    /// Begins to.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(
        icon: &TrayIcon,
        tell: impl Fn(Happened) + 'static,
        end: impl Fn() + 'static,
    ) -> anyhow::Result<Self> {
        let window = icon.window_handle();
        #[expect(unsafe_code, reason = "the system's call")]
        // SAFETY: the name is one.
        let bar_is_new = unsafe { RegisterWindowMessageW(w!("TaskbarCreated")) };
        let heard = Box::new(Heard { tell: Box::new(tell), end: Box::new(end), bar_is_new });
        #[expect(unsafe_code, reason = "the system's call")]
        // SAFETY: the window is the icon's, of this thread; what the pointer leads to is there until `drop` has taken it
        // back.
        let is_set = unsafe {
            SetWindowSubclass(
                window,
                Some(procedure),
                SUBCLASS,
                ptr::from_ref(heard.as_ref()).expose_provenance(),
            )
        };
        if is_set == 0 {
            return Err(io::Error::last_os_error().into());
        }
        Ok(Self { window, _heard: heard })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the system's call")]
        // SAFETY: as in `start`; a window that is gone is refused.
        unsafe {
            RemoveWindowSubclass(self.window, Some(procedure), SUBCLASS);
        }
    }
}

/// Our part of the procedure of the icon's window; the rest has its turn afterwards.
#[expect(unsafe_code, reason = "the system calls it")]
unsafe extern "system" fn procedure(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    _: usize,
    heard: usize,
) -> LRESULT {
    // SAFETY: the number is the address of what a `Watch` keeps for as long as this is called.
    let heard = unsafe { &*ptr::with_exposed_provenance::<Heard>(heard) };
    match message {
        WM_ENTERMENULOOP => (heard.tell)(Happened::MenuOpened),
        WM_EXITMENULOOP => (heard.tell)(Happened::MenuClosed(TURNS)),
        WM_SETTINGCHANGE => (heard.tell)(Happened::ColoursChanged),
        // The person logs out, or the machine is shut down: the process is gone with the end of this.
        WM_ENDSESSION if wparam != 0 => (heard.end)(),
        new if new == heard.bar_is_new => (heard.tell)(Happened::BarIsNew),
        _ => {}
    }
    // SAFETY: what came in goes on.
    unsafe { DefSubclassProc(window, message, wparam, lparam) }
}
