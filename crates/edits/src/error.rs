//! What can go wrong with a change, and what a person is told about it.

use crate::{Fingerprint, Paths, Refused};
use dockline_model::{Code, SettingsFile, UiError};
use std::{io, path::PathBuf};

/// Why a change was not planned, applied or recovered. The file is as it was, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The planner will not touch this file, or not in this way.
    #[error("{} is left as it is: {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What kind of file it is.
        file: SettingsFile,
        /// Why.
        #[source]
        reason: Refused,
    },
    /// Another program wrote the file after the plan was shown, or the helper plans differently from what was
    /// shown.
    #[error("{} changed after its plan was shown", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What kind of file it is.
        file: SettingsFile,
        /// That of the plan that was shown.
        expected: Fingerprint,
        /// What was found.
        found: Fingerprint,
    },
    /// The same file twice in one change, a file of the person's through the helper, or a name that is no name.
    #[error("the change is not one that Dockline asks for")]
    Unreasonable,
    /// A symbolic link, a folder or a device where a file should be.
    #[error("{} is not a regular file but {what}", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What kind of file it is.
        file: SettingsFile,
        /// What it is instead.
        what: &'static str,
    },
    /// The file could not be read.
    #[error("{} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file could not be written; what was there before has been put back, or is in the journal.
    #[error("{} could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The journal could not be kept, so nothing was begun.
    #[error("the journal in {} could not be written or read", path.display())]
    Journal {
        /// The journal's folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The journal is damaged: it is nothing that Dockline wrote.
    #[error("the journal in {} is not one of Dockline's", path.display())]
    JournalInvalid {
        /// The journal's folder.
        path: PathBuf,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// The journal names a file or a folder that no change of Dockline's is of, here. Nothing was read or written.
    #[error("the journal in {} names {}, which is no place for such a change", path.display(), file.display())]
    JournalMisplaced {
        /// The journal's folder.
        path: PathBuf,
        /// What it names.
        file: PathBuf,
    },
}

/// The hosts file has codes of its own, from before there were other files.
fn refused(file: SettingsFile) -> Code {
    if file == SettingsFile::Hosts { Code::HostsRefused } else { Code::SettingsRefused }
}

impl From<&EditError> for UiError {
    fn from(error: &EditError) -> Self {
        let because = |source: &io::Error| format!("{error}: {source}.");
        let io_code = |source: &io::Error| match source.kind() == io::ErrorKind::PermissionDenied {
            true => Code::PermissionDenied,
            false => Code::FileIo,
        };
        match error {
            EditError::Refused { file, reason, .. } => {
                let code = refused(*file);
                Self::new(code, format!("{error}.")).hint(reason.remedy())
            }
            EditError::Changed { file, .. } => {
                let code =
                    if *file == SettingsFile::Hosts { Code::HostsChanged } else { Code::SettingsChanged };
                Self::new(code, format!("{error}; nothing was written."))
                    .hint("Look at the new plan and agree to it again.")
            }
            EditError::Unreasonable => Self::new(Code::InvalidArgument, format!("{error}."))
                .hint("Nothing was changed. If Dockline itself asked for it, please report it."),
            EditError::NotRegular { file, .. } => Self::new(refused(*file), format!("{error}."))
                .hint("Dockline writes regular files only. Add the lines yourself where the link leads."),
            EditError::Read { source, .. } => Self::new(io_code(source), because(source))
                .hint("Check that the file exists and that you may read it."),
            EditError::Write { source, .. } => Self::new(io_code(source), because(source))
                .hint("Check that the disk is neither full nor read-only, and that you may write the file."),
            EditError::Journal { path, source } => {
                let is_locked =
                    source.kind() == io::ErrorKind::PermissionDenied && *path == Paths::system().journal;
                Self::new(io_code(source), because(source)).hint(match is_locked {
                    // Opening it as root gives everybody the leave to read it, which planning takes.
                    true if cfg!(unix) => {
                        "Nothing was changed. This lets you read the folder again: \
                         echo '{\"verb\":\"recover\"}' | sudo dockline-helper"
                    }
                    true | false => "Nothing was changed. Check that the folder can be written.",
                })
            }
            EditError::JournalInvalid { path, source } => {
                Self::new(Code::FileIo, format!("{error}: {source}."))
                    .hint(format!("Nothing was changed. Look into {} and move it away.", path.display()))
            }
            EditError::JournalMisplaced { path, .. } => Self::new(Code::FileIo, format!("{error}."))
                .hint(format!("Nothing was changed. Look into {} and move it away.", path.display())),
        }
    }
}
