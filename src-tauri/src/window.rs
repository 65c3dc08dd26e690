//! The window, as the tray sees it: a process that is started when a window is wanted and ends when that is closed. What
//! happens to it happens to nothing else.

use crate::words::{self, Begin, FromWindow, ToWindow, Wish};
use std::{collections::VecDeque, io, mem, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

/// The window's program, beside this one.
const PROGRAM: &str = if cfg!(windows) { "dockline-window.exe" } else { "dockline-window" };
/// How long a window may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way to the window. Cheap to clone; a window that is open closes with the last clone.
#[derive(Debug, Clone)]
pub struct Window {
    orders: mpsc::UnboundedSender<Order>,
    watched: watch::Receiver<bool>,
}

/// A window could not be shown at all.
#[derive(Debug)]
pub struct NotShown;

#[derive(Debug)]
enum Order {
    Open(Option<Wish>),
    Close(oneshot::Sender<()>),
}

impl Window {
    /// No window yet; each one will be told `begin`. `failures` gets an item for each window that could not be shown.
    #[must_use]
    pub fn new(begin: Begin, failures: mpsc::UnboundedSender<NotShown>) -> Self {
        let (orders, coming) = mpsc::unbounded_channel();
        let (watching, watched) = watch::channel(false);
        tokio::spawn(Keeper { begin, failures, watching, running: None, left: Vec::new() }.run(coming));
        Self { orders, watched }
    }

    /// Shows the window: a new one, or the one there is, in front; and in it what is wished for.
    pub fn open(&self, wish: Option<Wish>) {
        if self.orders.send(Order::Open(wish)).is_err() {
            tracing::debug!("the app is ending");
        }
    }

    /// Whether the person is looking at the window: what it shows needs no notification.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        *self.watched.borrow()
    }

    /// Closes the window for good, and waits until its process has ended.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close(done)).is_ok() {
            // The keeper ends with this order.
            let _ = closed.await;
        }
    }
}

struct Keeper {
    begin: Begin,
    failures: mpsc::UnboundedSender<NotShown>,
    watching: watch::Sender<bool>,
    running: Option<Running>,
    /// What the last window was closed over.
    left: Vec<Wish>,
}

struct Running {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Whether it has been on the screen.
    was_shown: bool,
    orders: Unanswered,
    /// What is wished for and not done, as far as the window has told.
    left: Vec<Wish>,
}

/// Orders that the window has not carried out yet, each with what it wishes for: a window that is closing carries out
/// none of them, and the next one gets them all.
#[derive(Debug, Default)]
struct Unanswered(VecDeque<Vec<Wish>>);

impl Unanswered {
    fn ask(&mut self, wishes: Vec<Wish>) {
        self.0.push_back(wishes);
    }

    /// The window answers in the order in which it was told.
    fn answered(&mut self) {
        let _ = self.0.pop_front();
    }

    /// What all of them wish for; `None` if there are none.
    fn left(self) -> Option<Vec<Wish>> {
        if self.0.is_empty() {
            return None;
        }
        let mut wishes = Vec::new();
        for wish in self.0.into_iter().flatten() {
            words::queue(&mut wishes, wish);
        }
        Some(wishes)
    }
}

/// What the keeper waits for.
enum Next {
    Order(Option<Order>),
    Said(FromWindow),
    Noise,
    Ended,
}

impl Keeper {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            let next = tokio::select! {
                order = orders.recv() => Next::Order(order),
                said = heard(&mut self.running) => said,
            };
            match next {
                Next::Order(Some(Order::Open(wish))) => self.open(wish).await,
                Next::Order(Some(Order::Close(done))) => {
                    self.close().await;
                    // Whoever asked may have stopped waiting.
                    let _ = done.send(());
                    return;
                }
                Next::Order(None) => return self.close().await,
                Next::Said(FromWindow::Shown) => {
                    if let Some(running) = &mut self.running {
                        running.was_shown = true;
                        running.orders.answered();
                    }
                }
                Next::Said(FromWindow::Watched { watched }) => {
                    self.watching.send_replace(watched);
                }
                Next::Said(FromWindow::Left { wishes }) => {
                    if let Some(running) = &mut self.running {
                        running.left = wishes;
                    }
                }
                Next::Noise => {}
                Next::Ended => self.ended().await,
            }
        }
    }

    async fn open(&mut self, wish: Option<Wish>) {
        if let Some(running) = &mut self.running {
            running.orders.ask(wish.iter().cloned().collect());
            // One that is ending does not answer, and another is started in its place.
            if let Err(error) = running.say(&ToWindow::Raise { wish }).await {
                tracing::debug!(%error, "the window is ending");
            }
            return;
        }
        self.start(wish.into_iter().collect()).await;
    }

    /// Shows a new window, with what is asked for now and what the last one has left.
    async fn start(&mut self, asked: Vec<Wish>) {
        let (wishes, left) = gathered(mem::take(&mut self.left), asked);
        match Running::start(Begin { wishes: wishes.clone(), left, ..self.begin.clone() }).await {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                tracing::error!(%error, "{PROGRAM} cannot be started");
                self.left = wishes;
                let _ = self.failures.send(NotShown);
            }
        }
    }

    /// The window's process has let go of its output: it is ending, or has ended.
    async fn ended(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        self.watching.send_replace(false);
        let (was_shown, orders) = (running.was_shown, mem::take(&mut running.orders));
        let asked = orders.left();
        self.left = mem::take(&mut running.left);
        match running.end().await {
            Ok(status) if status.success() => tracing::debug!("the window was closed"),
            Ok(status) => tracing::error!(%status, "the window ended unexpectedly"),
            Err(error) => tracing::error!(%error, "the window's end was not seen"),
        }
        match (was_shown, asked) {
            // Asked for while it was closing.
            (true, Some(asked)) => self.start(asked).await,
            (true, None) => {}
            // Another would fail as well: what was asked for meanwhile waits until a person tries again.
            (false, asked) => {
                asked.into_iter().flatten().for_each(|wish| words::queue(&mut self.left, wish));
                let _ = self.failures.send(NotShown);
            }
        }
    }

    async fn close(&mut self) {
        if let Some(running) = self.running.take()
            && let Err(error) = running.end().await
        {
            tracing::warn!(%error, "the window's end was not seen");
        }
    }
}

/// All that a new window is to show, and which files of it an earlier one has left: not those that are asked for again.
fn gathered(left: Vec<Wish>, asked: Vec<Wish>) -> (Vec<Wish>, Vec<String>) {
    let again: Vec<&String> = asked.iter().flat_map(Wish::files).collect();
    let files = left.iter().flat_map(Wish::files).filter(|path| !again.contains(path)).cloned().collect();
    let mut wishes = left;
    asked.into_iter().for_each(|wish| words::queue(&mut wishes, wish));
    (wishes, files)
}

/// The next thing the window says; for ever nothing where there is none.
async fn heard(running: &mut Option<Running>) -> Next {
    let Some(running) = running else { return std::future::pending().await };
    let line = tokio::select! {
        // What was said before the end is heard before it.
        biased;
        line = running.output.next_line() => line,
        // A web process that is still ending may hold the output open.
        _ended = running.child.wait() => return Next::Ended,
    };
    match line {
        Ok(Some(line)) => match serde_json::from_str(&line) {
            Ok(said) => Next::Said(said),
            Err(_) => {
                tracing::debug!(line, "the window's libraries say something");
                Next::Noise
            }
        },
        Ok(None) | Err(_) => Next::Ended,
    }
}

impl Running {
    async fn start(begin: Begin) -> io::Result<Self> {
        let mut child = Command::new(program()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut orders = Unanswered::default();
        // What it wishes for is told by `left`.
        orders.ask(Vec::new());
        let output = BufReader::new(output).lines();
        // Until the window says what has become of them.
        let left = begin.wishes.clone();
        let mut running = Self { child, input, output, was_shown: false, orders, left };
        running.say(&ToWindow::Begin(begin)).await?;
        Ok(running)
    }

    async fn say(&mut self, word: &ToWindow) -> io::Result<()> {
        self.input.write_all(&words::line(word)?).await
    }

    /// Ends its input, which it takes for its own end, and kills it if it does not.
    async fn end(self) -> io::Result<std::process::ExitStatus> {
        let Self { mut child, input, .. } = self;
        drop(input);
        if let Ok(ended) = timeout(PATIENCE, child.wait()).await {
            return ended;
        }
        tracing::warn!("the window does not end, and is killed");
        child.kill().await?;
        child.wait().await
    }
}

fn program() -> io::Result<PathBuf> {
    Ok(dockline_programs::own()?.with_file_name(PROGRAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Wish {
        Wish::Archives { paths: paths.iter().map(|&path| path.to_owned()).collect() }
    }

    #[test]
    fn files_that_an_earlier_window_left_are_told_apart() {
        let left = vec![Wish::Setup, files(&["/a.tar", "/b.tar"])];
        let (wishes, old) = gathered(left, vec![files(&["/b.tar", "/c.tar"])]);
        assert_eq!(wishes, [Wish::Setup, files(&["/a.tar", "/b.tar", "/c.tar"])]);
        assert_eq!(old, ["/a.tar"], "what is dropped again is new");
    }

    /// A window's process that ends before it has shown anything.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_window_that_fails_to_start_leaves_what_was_asked_for_meanwhile() {
        let mut child = Command::new("true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut orders = Unanswered::default();
        orders.ask(Vec::new());
        orders.ask(vec![files(&["/b.tar"])]);
        let left = vec![files(&["/a.tar"])];
        let output = BufReader::new(output).lines();
        let begin = Begin {
            runtime: PathBuf::new(),
            sample: None,
            wishes: Vec::new(),
            left: Vec::new(),
            bare: false,
        };
        let (failures, mut not_shown) = mpsc::unbounded_channel();
        let mut keeper = Keeper {
            begin,
            failures,
            watching: watch::channel(false).0,
            running: Some(Running { child, input, output, was_shown: false, orders, left }),
            left: Vec::new(),
        };
        keeper.ended().await;
        assert_eq!(keeper.left, [files(&["/a.tar", "/b.tar"])]);
        assert!(not_shown.try_recv().is_ok() && keeper.running.is_none());
    }

    #[test]
    fn a_window_that_closes_leaves_every_wish_to_the_next_one() {
        let mut orders = Unanswered::default();
        orders.ask(vec![Wish::Settings]);
        orders.ask(vec![files(&["/a.tar"])]);
        orders.ask(Vec::new());
        orders.ask(vec![files(&["/b.tar"])]);
        orders.answered();
        assert_eq!(orders.left(), Some(vec![files(&["/a.tar", "/b.tar"])]));
        let mut orders = Unanswered::default();
        orders.ask(Vec::new());
        orders.answered();
        assert_eq!(orders.left(), None, "nothing is asked of the next window");
    }
}
