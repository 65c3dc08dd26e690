//! Windows: the IP helper calls back when an address comes or goes.

use std::{ffi::c_void, io, ptr, sync::Arc};
use tokio::sync::Notify;
use windows_sys::Win32::{
    Foundation::{HANDLE, NO_ERROR},
    NetworkManagement::IpHelper::{
        CancelMibChangeNotify2, MIB_NOTIFICATION_TYPE, MIB_UNICASTIPADDRESS_ROW, NotifyUnicastIpAddressChange,
    },
    Networking::WinSock::AF_UNSPEC,
};

pub(super) struct Notices {
    told: Arc<Notify>,
    handle: Registration,
}

/// Cancelled when dropped.
struct Registration(HANDLE);

// SAFETY: the handle is only ever given back to the system, which takes it from any thread.
#[expect(unsafe_code, reason = "a handle is a pointer to the compiler")]
unsafe impl Send for Registration {}
// SAFETY: as above; a shared reference gives no access to it.
#[expect(unsafe_code, reason = "a handle is a pointer to the compiler")]
unsafe impl Sync for Registration {}

#[expect(unsafe_code, reason = "the system calls it")]
unsafe extern "system" fn told(
    context: *const c_void,
    _: *const MIB_UNICASTIPADDRESS_ROW,
    _: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the context is the `Notify` of a `Notices`, which outlives its registration.
    unsafe { &*context.cast::<Notify>() }.notify_one();
}

impl Notices {
    pub(super) fn open() -> io::Result<Self> {
        let notify = Arc::new(Notify::new());
        let mut handle: HANDLE = ptr::null_mut();
        #[expect(unsafe_code, reason = "the system's call")]
        // SAFETY: `handle` is written before the call returns; the context lives until `drop` has cancelled.
        let result = unsafe {
            NotifyUnicastIpAddressChange(
                AF_UNSPEC,
                Some(told),
                Arc::as_ptr(&notify).cast(),
                false,
                &mut handle,
            )
        };
        if result != NO_ERROR {
            return Err(io::Error::from_raw_os_error(result.cast_signed()));
        }
        Ok(Self { handle: Registration(handle), told: notify })
    }

    /// Resolves when something about the network is different.
    pub(super) async fn next(&mut self) {
        self.told.notified().await;
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the system's call")]
        // SAFETY: the handle is the system's own; it returns when no callback is under way any more.
        unsafe {
            CancelMibChangeNotify2(self.handle.0)
        };
    }
}
