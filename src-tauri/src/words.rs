//! What the tray's program and the window's say to each other: JSON lines on the window's standard input and output.
//!
//! All that the window shows comes from the owner, over the control socket; here is only what concerns the window
//! itself. The end of its input is the end of the window, so that it never outlives the tray.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
};

/// From the tray to the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ToWindow {
    /// The first line, once.
    Begin(Begin),
    /// Come to the front.
    Raise {
        /// And show this.
        wish: Option<Wish>,
    },
}

/// What a window has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// The folder of the control socket.
    pub runtime: PathBuf,
    /// The archive that the demo offers.
    pub sample: Option<PathBuf>,
    /// What to show first, in this order.
    pub wishes: Vec<Wish>,
    /// Those of their files that an earlier window was closed over: nothing becomes of them unasked.
    pub left: Vec<String>,
    /// An empty window without an owner, to measure the real one against.
    pub bare: bool,
}

/// Something for the page to show, chosen outside of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// What docker push needs on this machine.
    Setup,
    /// The registries.
    Registries,
    /// What is on its way, and what was.
    Transfers,
    /// The settings, where newer versions are told of.
    Settings,
    /// These files, as if they had been let go over the page: archives are pushed, the rest is refused with a reason.
    Archives {
        /// Absolute paths; names that are not Unicode have replacement characters in them, and lead nowhere.
        paths: Vec<String>,
    },
}

impl Wish {
    /// The files in it.
    #[must_use]
    pub fn files(&self) -> &[String] {
        match self {
            Self::Archives { paths } => paths,
            Self::Setup | Self::Registries | Self::Transfers | Self::Settings => &[],
        }
    }
}

/// Puts `wish` behind those that nobody has taken up yet. Files go together, as if they had been let go at once, and what
/// is wished for twice is there once.
pub fn queue(wishes: &mut Vec<Wish>, wish: Wish) {
    if let Wish::Archives { paths } = wish {
        let waiting = wishes.iter_mut().find_map(|waiting| match waiting {
            Wish::Archives { paths } => Some(paths),
            Wish::Setup | Wish::Registries | Wish::Transfers | Wish::Settings => None,
        });
        match waiting {
            Some(waiting) => {
                for path in paths {
                    if !waiting.contains(&path) {
                        waiting.push(path);
                    }
                }
            }
            None => wishes.push(Wish::Archives { paths }),
        }
    } else if !wishes.contains(&wish) {
        wishes.push(wish);
    }
}

/// From the window to the tray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FromWindow {
    /// It is on the screen and in front: the answer to each line of the tray's.
    Shown,
    /// Whether it has the keyboard's focus, and so the person's eyes.
    Watched {
        /// Whether it has.
        watched: bool,
    },
    /// All that was wished for and is not done: it waits behind a question that is open in the window. The next window
    /// gets it, if this one is closed before.
    Left {
        /// In the order in which it was wished for.
        wishes: Vec<Wish>,
    },
}

/// One line, with its end.
///
/// # Errors
/// If a path in it is not Unicode.
pub fn line(word: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes one line at once.
///
/// # Errors
/// If nobody reads any more.
pub fn say(output: &mut impl Write, word: &impl Serialize) -> io::Result<()> {
    output.write_all(&line(word)?)?;
    output.flush()
}

/// Reads one line; `None` at the end.
///
/// # Errors
/// If it cannot be read or is not a word.
pub fn hear<T: DeserializeOwned>(input: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_wait_for_one_another_and_files_go_together() {
        let files =
            |paths: &[&str]| Wish::Archives { paths: paths.iter().map(|&path| path.to_owned()).collect() };
        let mut wishes = Vec::new();
        for wish in
            [files(&["/a.tar"]), Wish::Setup, files(&["/b.tar", "/a.tar"]), Wish::Setup, Wish::Transfers]
        {
            queue(&mut wishes, wish);
        }
        assert_eq!(wishes, [files(&["/a.tar", "/b.tar"]), Wish::Setup, Wish::Transfers]);
    }

    #[test]
    fn what_is_said_is_heard_line_by_line() {
        let begin = Begin {
            runtime: "/run/x".into(),
            sample: None,
            wishes: vec![Wish::Setup],
            left: Vec::new(),
            bare: false,
        };
        let archives = Wish::Archives { paths: vec!["/tmp/app.tar".to_owned()] };
        assert_eq!(serde_json::to_string(&archives).unwrap(), r#"{"archives":{"paths":["/tmp/app.tar"]}}"#);
        let words = [ToWindow::Begin(begin), ToWindow::Raise { wish: None }];
        let mut pipe = Vec::new();
        for word in &words {
            say(&mut pipe, word).unwrap();
        }
        assert_eq!(pipe.iter().filter(|byte| **byte == b'\n').count(), 2);
        let mut heard = pipe.as_slice();
        assert_eq!(hear::<ToWindow>(&mut heard).unwrap().as_ref(), Some(&words[0]));
        assert_eq!(hear::<ToWindow>(&mut heard).unwrap().as_ref(), Some(&words[1]));
        assert_eq!(hear::<ToWindow>(&mut heard).unwrap(), None);
        assert!(hear::<FromWindow>(&mut "Gtk-Message: something\n".as_bytes()).is_err());
    }
}
