//! On Windows anybody may make folders below `C:\ProgramData`. Dockline's there are believed only if administrators alone
//! have made them and can have written in them. Pure; `crate::windows` asks and makes.

/// What anybody may read, and administrators alone write: the folder `Dockline`, with what is made in it. (Security
/// Descriptor Definition Language: SYSTEM and the administrators have full control, users may read; nothing is
/// inherited from above.)
pub const READABLE: &str = "O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)";

/// The journal's folder: users may look into it, and read no file that is not made [`READABLE_FILE`]. It holds copies of
/// files that they may not be able to read where they come from.
pub const JOURNAL: &str = "O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200a9;;;BU)";

/// A file of the journal that a person's own process reads to make a plan.
pub const READABLE_FILE: &str = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;BU)";

/// How a folder was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It is a folder.
    pub is_folder: bool,
    /// Its name leads elsewhere (a junction, a symbolic link).
    pub is_reparse_point: bool,
    /// Its owner is SYSTEM or the group of the administrators.
    pub is_administrators: bool,
    /// Its access list takes nothing over from the folder above.
    pub is_closed: bool,
}

/// Why a folder is not used, if so. With an open access list, others may have put something into it long ago.
pub const fn objection(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing { is_reparse_point: true, .. } | Standing { is_folder: false, .. } => {
            Some("it is a link or no folder")
        }
        Standing { is_administrators: false, .. } => Some("it belongs to somebody who is no administrator"),
        Standing { is_closed: false, .. } => Some("others may have written in it"),
        Standing { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_have_written_in_is_not_used() {
        let ours =
            Standing { is_folder: true, is_reparse_point: false, is_administrators: true, is_closed: true };
        assert_eq!(objection(ours), None);
        for planted in [
            Standing { is_folder: false, ..ours },
            Standing { is_reparse_point: true, ..ours },
            Standing { is_administrators: false, ..ours },
            Standing { is_closed: false, ..ours },
        ] {
            assert!(objection(planted).is_some(), "{planted:?}");
        }
    }

    /// Each has to say that nothing comes from above, and give users no right to write.
    #[test]
    fn users_are_never_given_a_right_to_write() {
        for text in [READABLE, JOURNAL, READABLE_FILE] {
            assert!(text.contains("D:P"), "{text}");
            let entries: Vec<&str> = text.split(['(', ')']).filter(|part| part.starts_with("A;")).collect();
            assert_eq!(entries.len(), 3, "{text}");
            for entry in entries {
                let parts: Vec<&str> = entry.split(';').collect();
                match parts[5] {
                    "SY" | "BA" => assert_eq!(parts[2], "FA", "{entry}"),
                    // FILE_GENERIC_READ | FILE_GENERIC_EXECUTE, and FILE_GENERIC_READ.
                    "BU" => assert!(["0x1200a9", "FR"].contains(&parts[2]), "{entry}"),
                    other => panic!("{other} in {entry}"),
                }
            }
        }
        // No file in the journal takes the users' entry over.
        assert!(JOURNAL.ends_with("(A;;0x1200a9;;;BU)"));
    }
}
