//! A disk that nothing was ever written to, for the image store of a Docker that pulls or loads.
//!
//! `docker rmi` is no way back to the beginning: ext4 does not give out again for a minute what was an inode until just
//! now (`recently_deleted` in fs/ext4/ialloc.c), and looks at each of them before it takes another. After an image of many
//! files was removed, nearly half of what the unpacking program does once more is that.

use anyhow::{Result, ensure};
use dockline_tests::lab::{Dockerd, Workstation, run};
use std::{
    fs::{self, File},
    path::PathBuf,
    process::Command,
    sync::Arc,
};

/// Room for the image, what is packed of it on its way, and as much again.
const SIZE: u64 = 8 << 30;

/// While it is there, it hides what the Docker of that workstation had before. Both go with the workstation.
pub struct Disk {
    workstation: Arc<Workstation>,
    /// What is on it; grows as it is written to.
    file: PathBuf,
    is_mounted: bool,
}

impl Disk {
    pub fn of(dockerd: &Dockerd) -> Self {
        let workstation = Arc::clone(dockerd.workstation());
        let file = workstation.folder().join("disk");
        Self { workstation, file, is_mounted: false }
    }

    /// An empty one in the place of any former; Docker must not run.
    pub fn insert(&mut self) -> Result<()> {
        self.remove()?;
        let folder = self.folder();
        fs::create_dir_all(&folder)?;
        File::create(&self.file)?.set_len(SIZE)?;
        let file = self.file.display().to_string();
        run("mkfs.ext4", &["-q", "-F", "-E", "nodiscard", &file]);
        // Without the kernel's own zeroing of inode tables beside what is measured.
        let options = "loop,noinit_itable";
        self.run(&["mount", "-t", "ext4", "-o", options, &file, &folder.display().to_string()])?;
        self.is_mounted = true;
        Ok(())
    }

    /// What was there before is there again; Docker must not run.
    pub fn remove(&mut self) -> Result<()> {
        if self.is_mounted {
            self.run(&["umount", &self.folder().display().to_string()])?;
            fs::remove_file(&self.file)?;
            self.is_mounted = false;
        }
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        self.workstation.folder().join("docker/data")
    }

    /// In the workstation's own namespace, whose mounts nobody else sees.
    fn run(&self, words: &[&str]) -> Result<()> {
        let mut command: Command = self.workstation.command(words[0]);
        let output = command.args(&words[1..]).output()?;
        ensure!(output.status.success(), "{words:?} failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
