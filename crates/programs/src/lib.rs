//! Other people's programs (`ssh`, `docker`, credential helpers): where they are, and how they are started from a
//! desktop app. A program that the desktop has started gets the session's PATH, which lacks what a shell's own files add:
//! on macOS it is `/usr/bin:/bin:/usr/sbin:/sbin`, where no `docker` is. On Windows a program for the terminal opens a
//! window of its own if whoever starts it has none.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// `CREATE_NO_WINDOW` (Win32, process creation flags): a terminal's program without a window.
#[cfg(windows)]
const NO_WINDOW: u32 = 0x0800_0000;

/// Has `command` look for programs where a person's shell would, the command itself among them, and open no window.
pub fn prepare(command: &mut Command) -> &mut Command {
    if let Some(path) = search_path() {
        command.env("PATH", path);
    }
    without_window(command)
}

/// Has it open no window of its own, and leaves where it is looked for to the system.
pub fn without_window(command: &mut Command) -> &mut Command {
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(command, NO_WINDOW);
    command
}

/// The PATH, and behind it the folders where such programs are. `None` without one: the system has its own then.
#[must_use]
pub fn search_path() -> Option<OsString> {
    widened(env::var_os("PATH"), &env::home_dir().unwrap_or_default())
}

/// The folders of [`search_path`], in its order.
#[must_use]
pub fn folders() -> Vec<PathBuf> {
    search_path().map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// Where this program is, whichever link it was started through: the other programs of its package are beside it.
/// macOS gives the link (`_NSGetExecutablePath`), Linux and Windows the file.
///
/// # Errors
/// When the system does not tell.
pub fn own() -> io::Result<PathBuf> {
    let path = env::current_exe()?;
    if cfg!(windows) {
        // It is the file already, and the form that resolving gives (`\\?\…`) is one that few programs take.
        return Ok(path);
    }
    // A program that an update has replaced has no file any more, and its place is the same.
    Ok(path.canonicalize().unwrap_or(path))
}

fn widened(path: Option<OsString>, home: &Path) -> Option<OsString> {
    let path = path?;
    let folders = env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty());
    // Without a home they would be where Dockline happens to be.
    let more = more_folders(home).into_iter().filter(|folder| folder.is_absolute());
    // None, if a name cannot stand in a list: then it is left as it is.
    env::join_paths(folders.chain(more)).ok()
}

fn more_folders(home: &Path) -> Vec<PathBuf> {
    let own = ["bin", ".local/bin", ".docker/bin", ".orbstack/bin", ".rd/bin", "google-cloud-sdk/bin"];
    let systems: &[&str] = if cfg!(windows) {
        &[r"C:\Program Files\Docker\Docker\resources\bin"]
    } else if cfg!(target_os = "macos") {
        &[
            "/usr/local/bin",
            "/opt/homebrew/bin",
            "/opt/podman/bin",
            "/Applications/Docker.app/Contents/Resources/bin",
        ]
    } else {
        &["/usr/local/bin", "/snap/bin", "/home/linuxbrew/.linuxbrew/bin"]
    };
    own.iter().map(|name| home.join(name)).chain(systems.iter().map(PathBuf::from)).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_where_only_a_shell_would_look() {
        let home = Path::new("/home/ann");
        let path = widened(Some("/usr/bin::/bin".into()), home).unwrap();
        let folders: Vec<PathBuf> = env::split_paths(&path).collect();
        // A person's own order comes first; an empty entry would be the folder that Dockline happens to be in.
        assert_eq!(folders[..3], ["/usr/bin", "/bin", "/home/ann/bin"].map(PathBuf::from));
        assert!(folders.contains(&home.join(".docker/bin")));
        assert!(folders.contains(&PathBuf::from("/usr/local/bin")));
        assert!(folders.iter().all(|folder| folder.is_absolute()), "{folders:?}");
    }

    #[test]
    fn nothing_is_added_to_no_path_and_nothing_relative_without_a_home() {
        assert_eq!(widened(None, Path::new("/home/ann")), None);
        let path = widened(Some("/bin".into()), Path::new("")).unwrap();
        assert!(env::split_paths(&path).all(|folder| folder.is_absolute()), "{path:?}");
    }

    #[test]
    fn a_prepared_command_is_found_by_the_path_it_is_given() {
        let mut command = Command::new("sh");
        let output = prepare(&mut command).args(["-c", "echo $PATH"]).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains("/.orbstack/bin"), "{told}");
    }

    #[test]
    fn a_program_knows_its_own_file() {
        assert!(own().unwrap().is_file());
    }
}
