//! macOS: an agent of launchd's, of the person's own (launchd.plist(5)).
//!
//! Since macOS 13 such an agent is listed in System Settings, General, Login Items, with a switch of its own that is kept
//! elsewhere and is not for programs to read: with it off, the file is there and nothing starts.

use std::path::Path;

/// Without `Interactive` launchd throttles what it starts, as it does with work that nobody looks at.
pub(super) fn plist(program: &Path) -> String {
    let program = program.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\n\
         <key>Label</key><string>org.dockline.desktop</string>\n\
         <key>ProgramArguments</key><array><string>{program}</string><string>--hidden</string></array>\n\
         <key>ProcessType</key><string>Interactive</string>\n\
         <key>RunAtLoad</key><true/>\n</dict></plist>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_one_that_a_person_waits_for() {
        let text = plist(Path::new("/Applications/A&B <x>/dockline-desktop"));
        assert!(text.contains("<string>/Applications/A&amp;B &lt;x>/dockline-desktop</string>"), "{text}");
        assert!(text.contains("<key>ProcessType</key><string>Interactive</string>"), "{text}");
    }
}
