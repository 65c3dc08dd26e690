//! The command lines that start the helper with an administrator's rights. Pure.

use super::status;
use crate::{Fingerprint, Platform};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// A program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// Whether its own messages belong on the person's terminal (sudo's prompt and complaints).
    pub shows_stderr: bool,
    /// Whether the helper's answer comes back on standard output.
    pub answers: bool,
}

/// pkexec(1) clears the environment by itself and hands standard input through.
pub fn pkexec(pkexec: &Path, helper: &Path) -> Invocation {
    Invocation {
        program: pkexec.to_owned(),
        arguments: vec![helper.into()],
        shows_stderr: false,
        answers: true,
    }
}

/// sudo(8) asks on the terminal, not on standard input. `-n`: never ask.
pub fn sudo(sudo: &Path, helper: &Path, may_ask: bool) -> Invocation {
    let options: &[&str] = if may_ask {
        &["-p", "Dockline changes system settings. Password for %p: ", "--"]
    } else {
        &["-n", "--"]
    };
    Invocation {
        program: sudo.to_owned(),
        arguments: options.iter().map(OsString::from).chain([helper.into()]).collect(),
        shows_stderr: may_ask,
        answers: true,
    }
}

/// `do shell script … with administrator privileges` (AppleScript Language Guide): standard input is not handed
/// through, so the request goes in by a pipe of the shell's. After a status other than 0 it would not hand the answer
/// back; a dialogue that is dismissed makes osascript itself fail.
pub fn osascript(helper: &Path, request: &str) -> Invocation {
    let shell =
        format!("printf %s {} | {}; true", shell_quoted(request), shell_quoted(&helper.to_string_lossy()));
    let script = format!(
        "do shell script \"{}\" with prompt \"Dockline changes system settings.\" with administrator privileges",
        shell.replace('\\', r"\\").replace('"', "\\\"")
    );
    Invocation {
        program: "/usr/bin/osascript".into(),
        arguments: vec!["-e".into(), script.into()],
        shows_stderr: false,
        answers: true,
    }
}

/// `Start-Process -Verb RunAs` allows no redirection, so the request goes in by a file, whose hash stands on the command
/// line, and the answer is the exit status. A prompt that is dismissed is an error of the statement's, after which the
/// script would go on.
pub fn run_as(helper: &Path, request: &Path, hash: &Fingerprint) -> Invocation {
    let quoted = |path: &Path| powershell_quoted(&path.to_string_lossy());
    // Start-Process puts the arguments together with blanks and quotes none; no path has a quotation mark in it.
    let started = format!(
        "$p = Start-Process -FilePath '{}' -ArgumentList '--request-file','\"{}\"','{hash}' -Verb RunAs -WindowStyle Hidden -Wait -PassThru",
        quoted(helper),
        quoted(request)
    );
    // `exit $null` would be 0.
    let script = format!(
        "$ErrorActionPreference = 'Stop'; try {{ {started} }} catch {{ [Console]::Error.WriteLine($_.Exception.Message); exit {} }}; if ($null -eq $p.ExitCode) {{ exit {} }}; exit $p.ExitCode",
        status::DISMISSED,
        status::NOT_KNOWN
    );
    Invocation {
        program: "powershell.exe".into(),
        arguments: ["-NoProfile", "-NonInteractive", "-Command", &script].map(OsString::from).to_vec(),
        shows_stderr: false,
        answers: false,
    }
}

/// What may stand between single quotes: PowerShell takes four curly ones for those, too (its language specification,
/// 2.2.3).
fn powershell_quoted(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut quoted, character| {
        if matches!(character, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(character);
        }
        quoted.push(character);
        quoted
    })
}

/// What a person types to do the same.
pub fn by_hand(platform: Platform, helper: &Path, request: &str) -> String {
    let helper = helper.to_string_lossy();
    match platform {
        Platform::Linux | Platform::MacOs => {
            format!("echo {} | sudo {}", shell_quoted(request), shell_quoted(&helper))
        }
        Platform::Windows => {
            format!("& '{}' --request-hex {}", powershell_quoted(&helper), hex::encode(request))
        }
    }
}

/// Quoted for a POSIX shell, unless there is nothing to quote.
fn shell_quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
