use tokio::sync::mpsc::Sender;

use super::WindowSizeRef;
use super::flow::{self, PushError, Window};
use crate::ChannelMsg;

/// A handle to the [`super::Channel`]'s to be able to transmit messages
/// to it and update it's `window_size`.
#[derive(Debug)]
pub struct ChannelRef {
    pub(super) queue: Queue,
    pub(super) window_size: WindowSizeRef,
}

/// Where a channel's messages wait for its reader.
#[derive(Debug)]
pub(super) enum Queue {
    /// Servers: window is granted on arrival, and the session waits for room.
    Messages(Sender<ChannelMsg>),
    /// Dockline: clients grant window when the reader has read, and never wait.
    Window(flow::Inbound, Window),
}

impl ChannelRef {
    pub fn new(sender: Sender<ChannelMsg>) -> Self {
        Self {
            queue: Queue::Messages(sender),
            window_size: WindowSizeRef::new(0),
        }
    }

    pub(crate) fn windowed(inbound: flow::Inbound) -> Self {
        Self {
            queue: Queue::Window(inbound, Window::new(0)),
            window_size: WindowSizeRef::new(0),
        }
    }

    pub(crate) fn window_size(&self) -> &WindowSizeRef {
        &self.window_size
    }

    /// The receive window, when it is granted by reading.
    pub(crate) fn window(&self) -> Option<&Window> {
        match &self.queue {
            Queue::Messages(_) => None,
            Queue::Window(_, window) => Some(window),
        }
    }

    pub(crate) fn window_mut(&mut self) -> Option<&mut Window> {
        match &mut self.queue {
            Queue::Messages(_) => None,
            Queue::Window(_, window) => Some(window),
        }
    }

    /// Begins the receive window, of `size` bytes.
    pub(crate) fn open_window(&mut self, size: u32) {
        if let Queue::Window(inbound, window) = &mut self.queue {
            *window = Window::new(size);
            inbound.set_report_at(window.report_at());
        }
    }

    pub(crate) fn grow_window(&mut self, size: u32) {
        if let Queue::Window(inbound, window) = &mut self.queue {
            window.grow_to(size);
            inbound.set_report_at(window.report_at());
        }
    }

    pub(crate) async fn send(&self, msg: ChannelMsg) -> Result<(), PushError> {
        match &self.queue {
            Queue::Messages(sender) => sender.send(msg).await.map_err(|_| PushError::ReaderGone),
            Queue::Window(inbound, _) => inbound.push(msg),
        }
    }

    pub(crate) fn try_send(&self, msg: ChannelMsg) -> Result<(), PushError> {
        match &self.queue {
            Queue::Messages(sender) => sender.try_send(msg).map_err(|_| PushError::ReaderGone),
            Queue::Window(inbound, _) => inbound.push(msg),
        }
    }
}
