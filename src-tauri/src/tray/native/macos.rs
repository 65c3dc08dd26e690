//! macOS' menu bar.

use super::{
    super::{
        IconState,
        picture::{self, Picture},
        tone::Tone,
    },
    Happened, Order, TURNS,
};
use block2::RcBlock;
use objc2::{
    rc::Retained,
    runtime::{NSObjectProtocol, ProtocolObject},
};
use objc2_app_kit::{NSMenuDidBeginTrackingNotification, NSMenuDidEndTrackingNotification};
use objc2_foundation::{NSNotification, NSNotificationCenter, NSNotificationName};
use std::ptr::NonNull;
use tao::{
    event_loop::EventLoop,
    platform::macos::{ActivationPolicy, EventLoopExtMacOS as _},
};
use tray_icon::{Icon, TrayIcon, TrayIconEvent};

/// Menus of the menu bar open at once, with either button.
pub const LEFT_CLICK_IS_FOR_THE_MENU: bool = true;

/// The menu bar gives icons its own colour, whatever lies behind it.
pub const COLOURS_ICONS: bool = true;

/// Neither in the Dock, nor in front of what the person is doing.
pub fn stay_in_the_background(events: &mut EventLoop<Order>) {
    events.set_activation_policy(ActivationPolicy::Accessory);
    events.set_activate_ignoring_other_apps(false);
}

/// Of no account here, where the bar colours the icon.
pub const fn tone() -> Tone {
    Tone::LightBar
}

/// The icon's picture.
///
/// # Errors
/// If a picture of our own is none.
pub fn picture(state: IconState, _: Tone) -> anyhow::Result<Icon> {
    let Picture { side, pixels } = picture::template(state)?;
    Ok(Icon::from_rgba(pixels, side, side)?)
}

/// Gives the icon another picture.
///
/// # Errors
/// What the system says.
pub fn show(icon: &TrayIcon, picture: Icon) -> tray_icon::Result<()> {
    icon.set_icon_with_as_template(Some(picture), COLOURS_ICONS)
}

/// What an event of the icon's means: nothing, since both buttons are for the menu.
pub const fn meant(_: &TrayIconEvent) -> Option<Happened> {
    None
}

/// Hears when the menu is opened and closed, for as long as it is kept.
pub struct Watch {
    observers: [Retained<ProtocolObject<dyn NSObjectProtocol>>; 2],
}

impl Watch {
    /// Begins to. That the session ends is told by the event loop.
    ///
    /// # Errors
    /// None.
    pub fn start(
        _: &TrayIcon,
        tell: impl Fn(Happened) + Clone + 'static,
        _end: impl Fn() + 'static,
    ) -> anyhow::Result<Self> {
        let closed = tell.clone();
        #[expect(unsafe_code, reason = "the system's own constants")]
        // SAFETY: AppKit defines both, and never changes them.
        let (begins, ends) =
            unsafe { (NSMenuDidBeginTrackingNotification, NSMenuDidEndTrackingNotification) };
        Ok(Self {
            observers: [
                observe(begins, move || tell(Happened::MenuOpened)),
                observe(ends, move || closed(Happened::MenuClosed(TURNS))),
            ],
        })
    }
}

/// Calls `told` on each notification of that name: on the thread that it is about, which for menus is the first.
fn observe(
    name: &NSNotificationName,
    told: impl Fn() + 'static,
) -> Retained<ProtocolObject<dyn NSObjectProtocol>> {
    let block = RcBlock::new(move |_: NonNull<NSNotification>| told());
    #[expect(unsafe_code, reason = "the system calls back")]
    // SAFETY: no object is named, so none can be of a wrong type; without a queue the block is called on the thread that
    // posts, and AppKit posts what happens to menus on the main thread alone, where this runs too.
    unsafe {
        NSNotificationCenter::defaultCenter().addObserverForName_object_queue_usingBlock(
            Some(name),
            None,
            None,
            &block,
        )
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for observer in &self.observers {
            #[expect(unsafe_code, reason = "the system's call")]
            // SAFETY: it is what the centre gave for an observer.
            unsafe {
                NSNotificationCenter::defaultCenter().removeObserver(observer.as_ref());
            }
        }
    }
}
