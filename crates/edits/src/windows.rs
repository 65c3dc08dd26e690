//! What Windows has to be asked by its own calls: where its folders are, and whose a folder is. Type-checked only, never
//! run; see docs/platforms.md.

use crate::write::guarded::{self, Standing};
use std::{
    ffi::{OsStr, OsString},
    fs::{File, OpenOptions},
    io,
    os::windows::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{MetadataExt as _, OpenOptionsExt as _},
        io::AsRawHandle as _,
    },
    path::Path,
    ptr,
};
use windows_sys::Win32::{
    Foundation::{LocalFree, NO_ERROR},
    Security::{
        Authorization::{
            ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
            SE_FILE_OBJECT,
        },
        DACL_SECURITY_INFORMATION, GetSecurityDescriptorControl, IsWellKnownSid, OWNER_SECURITY_INFORMATION,
        PSECURITY_DESCRIPTOR, SE_DACL_PROTECTED, SECURITY_ATTRIBUTES, SetKernelObjectSecurity,
        WinBuiltinAdministratorsSid, WinLocalSystemSid,
    },
    Storage::FileSystem::{
        CreateDirectoryW, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS,
        FILE_FLAG_OPEN_REPARSE_POINT, FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES, FILE_SHARE_READ,
        FILE_SHARE_WRITE, READ_CONTROL, WRITE_DAC,
    },
    System::{Com::CoTaskMemFree, SystemInformation::GetSystemWindowsDirectoryW},
    UI::Shell::{FOLDERID_ProgramData, SHGetKnownFolderPath},
};

/// What an environment variable of this name should say, from the system itself where it has a call for it.
pub fn variable(name: &str) -> Option<OsString> {
    match name {
        "SystemRoot" => windows_folder(),
        // The drive's letter and its colon.
        "SystemDrive" => windows_folder()?.to_str()?.get(..2).map(OsString::from),
        "ProgramData" => program_data(),
        _ => std::env::var_os(name),
    }
}

#[expect(unsafe_code, reason = "the system's call")]
fn windows_folder() -> Option<OsString> {
    let mut path = [0_u16; 1024];
    // SAFETY: the buffer is as long as is said, and outlives the call.
    let length = unsafe { GetSystemWindowsDirectoryW(path.as_mut_ptr(), path.len() as u32) } as usize;
    // Nothing came of it, or a path that is longer than the buffer.
    (length > 0).then(|| path.get(..length)).flatten().map(OsString::from_wide)
}

#[expect(unsafe_code, reason = "the system's calls")]
fn program_data() -> Option<OsString> {
    let mut path = ptr::null_mut();
    // SAFETY: the folder's number is a constant, and the place for the path's address outlives the call. No token means
    // the caller's own, which this folder does not depend on.
    let result = unsafe { SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, ptr::null_mut(), &mut path) };
    let found = (result >= 0 && !path.is_null()).then(|| {
        // SAFETY: the call succeeded, so that there is a text with a NUL at its end.
        let length = (0..).take_while(|place| unsafe { *path.add(*place) } != 0).count();
        // SAFETY: that many are there, and they are copied before they are freed.
        OsString::from_wide(unsafe { std::slice::from_raw_parts(path, length) })
    });
    // SAFETY: what the call gave is freed here only, as its documentation asks even after a failure.
    unsafe { CoTaskMemFree(path.cast()) };
    found
}

/// Makes the folder if need be, with the owner and the access list that `descriptor` says; then sees to it that it is one
/// that administrators alone can have written in. As long as the handle is open nobody can move the folder.
pub fn guarded_folder(path: &Path, descriptor: &str) -> io::Result<File> {
    make_folder(path, &Descriptor::of(descriptor)?)?;
    let folder = OpenOptions::new()
        .access_mode(READ_CONTROL | FILE_READ_ATTRIBUTES)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)?;
    match guarded::objection(standing(&folder)?) {
        None => Ok(folder),
        Some(objection) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{} is not used, since {objection}; look into it and remove it as an administrator",
                path.display()
            ),
        )),
    }
}

/// An empty file that users may read, in a folder that is guarded.
#[expect(unsafe_code, reason = "the system's call")]
pub fn create_readable(path: &Path) -> io::Result<File> {
    let descriptor = Descriptor::of(guarded::READABLE_FILE)?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .access_mode(FILE_GENERIC_WRITE | WRITE_DAC)
        .open(path)?;
    // SAFETY: the handle is open, with the right to do this, and the descriptor outlives the call.
    match unsafe { SetKernelObjectSecurity(file.as_raw_handle(), DACL_SECURITY_INFORMATION, descriptor.0) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(file),
    }
}

#[expect(unsafe_code, reason = "the system's call")]
fn make_folder(path: &Path, descriptor: &Descriptor) -> io::Result<()> {
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    let name = terminated(path.as_os_str());
    // SAFETY: the name ends in NUL; it, the attributes and the descriptor outlive the call.
    if unsafe { CreateDirectoryW(name.as_ptr(), &attributes) } != 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        error => Err(error),
    }
}

#[expect(unsafe_code, reason = "the system's calls")]
fn standing(folder: &File) -> io::Result<Standing> {
    let metadata = folder.metadata()?;
    let (mut owner, mut descriptor) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the handle is open, with the right to do this; the places for the two addresses outlive the call, and the
    // others are not asked for.
    let result = unsafe {
        GetSecurityInfo(
            folder.as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &mut owner,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut descriptor,
        )
    };
    if result != NO_ERROR {
        return Err(io::Error::from_raw_os_error(result as i32));
    }
    // Alive to the end of this function; the owner is a part of it.
    let descriptor = Descriptor(descriptor);
    let is_administrators = [WinBuiltinAdministratorsSid, WinLocalSystemSid].into_iter().any(|sid| {
        // SAFETY: the call above succeeded, so that the owner is there.
        unsafe { IsWellKnownSid(owner, sid) != 0 }
    });
    let (mut control, mut revision) = (0, 0);
    // SAFETY: the descriptor is there, and so are the places for what is said of it.
    if unsafe { GetSecurityDescriptorControl(descriptor.0, &mut control, &mut revision) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Standing {
        is_folder: metadata.is_dir(),
        is_reparse_point: metadata.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0,
        is_administrators,
        is_closed: control & SE_DACL_PROTECTED != 0,
    })
}

/// A security descriptor of the system's making, freed with its owner.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    #[expect(unsafe_code, reason = "the system's call")]
    fn of(text: &str) -> io::Result<Self> {
        let text = terminated(OsStr::new(text));
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends in NUL; it and the place for the address outlive the call. The size is not asked for.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                ptr::null_mut(),
            )
        };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(descriptor)) }
    }
}

impl Drop for Descriptor {
    #[expect(unsafe_code, reason = "freeing what the system gave")]
    fn drop(&mut self) {
        // SAFETY: the descriptor came from the system, by a call that says to free it so, and is freed here only.
        unsafe { LocalFree(self.0) };
    }
}

fn terminated(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}
