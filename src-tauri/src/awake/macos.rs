//! macOS' activities (Apple, `NSProcessInfo`, "Managing Activities").

use objc2::{
    class, msg_send,
    rc::{Retained, autoreleasepool},
    runtime::NSObject,
};
use objc2_foundation::NSString;

/// `NSActivityUserInitiated`: neither App Nap nor the sleep of an idle machine; its display may sleep.
const USER_INITIATED: u64 = 0x00FF_FFFF;

/// Something that the person has asked for and that is not done yet.
pub struct Activity(Retained<NSObject>);

#[expect(unsafe_code, reason = "nobody else has told the compiler")]
// SAFETY: NSProcessInfo may be used by every thread (Apple, `NSProcessInfo`); what it gives for an activity is only kept,
// and handed back to it.
unsafe impl Send for Activity {}

impl Activity {
    /// Begins it; it ends when it is dropped.
    pub fn begin() -> Self {
        autoreleasepool(|_| {
            let reason = NSString::from_str("Images are on their way");
            #[expect(unsafe_code, reason = "the system's calls")]
            // SAFETY: both messages are NSProcessInfo's; they take an NSUInteger and a string, and give objects.
            let activity: Retained<NSObject> = unsafe {
                let process: Retained<NSObject> = msg_send![class!(NSProcessInfo), processInfo];
                msg_send![&*process, beginActivityWithOptions: USER_INITIATED, reason: &*reason]
            };
            Self(activity)
        })
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        autoreleasepool(|_| {
            #[expect(unsafe_code, reason = "the system's calls")]
            // SAFETY: it is what NSProcessInfo gave for an activity, and is ended once.
            unsafe {
                let process: Retained<NSObject> = msg_send![class!(NSProcessInfo), processInfo];
                let () = msg_send![&*process, endActivity: &*self.0];
            }
        });
    }
}
