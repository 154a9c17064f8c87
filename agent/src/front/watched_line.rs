//! A line that is watched: its edges as they come, whatever happens to it.
//!
//! Waiting for an edge blocks, so each line has a thread of its own, which
//! looks again from time to time how the line is, for edges can be lost. A line
//! that fails is opened anew, at longer and longer intervals.

use crate::hands::{Hands, caught};
use crate::stage::device_words;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use trapline_hal::DeviceError;
use trapline_hal::lines::Input;

/// Opens a line to watch it.
pub type OpenInput = Box<dyn FnMut() -> Result<Box<dyn Input>, DeviceError> + Send>;

/// The thread looks this often how the line is.
const LOOK_EVERY_MS: u64 = 10_000;
/// Without threads the line is asked this often.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// A line that failed is opened again after this, later after more.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));
/// Edges that wait for us; more are lost, which is found out.
const WAITING_MAX: usize = 32;
/// A line that chatters is heard no more often than this.
const CHATTER_PAUSE: Duration = Duration::from_millis(2);

/// What there is to say of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It was opened, and is active or not.
    Opened(bool),
    /// It is active, or not, since.
    Edge(bool, Instant),
    /// It does not work, in words.
    Lost(String),
}

/// A line and whoever watches it.
pub(super) struct WatchedLine {
    open: Arc<Mutex<OpenInput>>,
    hands: Hands,
    watch: Watch,
    retry: Duration,
}

enum Watch {
    /// Nobody; the next try.
    Nobody(Instant),
    /// A thread, which tells.
    Thread(mpsc::Receiver<News>),
    /// We ourselves, and how it was.
    Here(Box<dyn Input>, bool),
}

impl WatchedLine {
    pub(super) fn new(open: OpenInput, hands: Hands) -> Self {
        Self {
            open: Arc::new(Mutex::new(open)),
            hands,
            watch: Watch::Nobody(Instant::now()),
            retry: RETRY.0,
        }
    }

    /// The next news. Safe to drop at any await.
    pub(super) async fn next(&mut self) -> News {
        loop {
            let news = match &mut self.watch {
                Watch::Nobody(at) => {
                    sleep_until(*at).await;
                    self.begin()
                }
                Watch::Thread(news) => {
                    sleep(CHATTER_PAUSE).await;
                    let news = news.recv().await;
                    Some(news.unwrap_or_else(|| News::Lost("its driver failed".to_owned())))
                }
                Watch::Here(input, active) => {
                    let asked = caught(|| ask(input.as_mut(), *active));
                    match asked {
                        Ok(Ok(None)) => {
                            sleep(ASK_EVERY).await;
                            None
                        }
                        Ok(Ok(Some(now_active))) => {
                            *active = now_active;
                            Some(News::Edge(now_active, Instant::now()))
                        }
                        Ok(Err(error)) => Some(News::Lost(device_words(&error))),
                        Err(panicked) => Some(News::Lost(panicked.0)),
                    }
                }
            };
            match &news {
                Some(News::Lost(_)) => {
                    self.watch = Watch::Nobody(Instant::now() + self.retry);
                    self.retry = (self.retry * 2).min(RETRY.1);
                }
                Some(News::Opened(_) | News::Edge(..)) => self.retry = RETRY.0,
                None => {}
            }
            if let Some(news) = news {
                return news;
            }
        }
    }

    fn begin(&mut self) -> Option<News> {
        let open = Arc::clone(&self.open);
        if self.hands == Hands::Inline {
            let opened = caught(|| opened(&open));
            return Some(match opened {
                Ok(Ok((input, active))) => {
                    self.watch = Watch::Here(input, active);
                    News::Opened(active)
                }
                Ok(Err(error)) => News::Lost(device_words(&error)),
                Err(panicked) => News::Lost(panicked.0),
            });
        }
        let (tell, news) = mpsc::channel(WAITING_MAX);
        let started = std::thread::Builder::new()
            .name("line".to_owned())
            .spawn(move || {
                let watched = caught(|| watch(&open, &tell));
                let words = match watched {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => device_words(&error),
                    Err(panicked) => format!("its driver failed: {}", panicked.0),
                };
                // Nobody listens any more when the agent is stopping.
                let _unheard = tell.blocking_send(News::Lost(words));
            });
        match started {
            Ok(_thread) => {
                self.watch = Watch::Thread(news);
                None
            }
            Err(error) => Some(News::Lost(format!("no thread for it: {error}"))),
        }
    }
}

fn opened(open: &Mutex<OpenInput>) -> Result<(Box<dyn Input>, bool), DeviceError> {
    let mut input = {
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        open()?
    };
    let active = input.is_active()?;
    Ok((input, active))
}

/// How the line is now, if that is news.
fn ask(input: &mut dyn Input, was_active: bool) -> Result<Option<bool>, DeviceError> {
    if let Some(edge) = input.next_edge(0)? {
        return Ok(Some(edge.active));
    }
    let active = input.is_active()?;
    Ok((active != was_active).then_some(active))
}

/// The thread: ends when the line fails or nobody listens.
fn watch(open: &Mutex<OpenInput>, tell: &mpsc::Sender<News>) -> Result<(), DeviceError> {
    let (mut input, mut active) = opened(open)?;
    let mut told = tell.blocking_send(News::Opened(active));
    while told.is_ok() && !tell.is_closed() {
        let edge = input.next_edge(LOOK_EVERY_MS)?;
        let (now_active, since) = match edge {
            Some(edge) => {
                let age = Duration::from_millis(edge.age_ms());
                let now = Instant::now();
                (edge.active, now.checked_sub(age).unwrap_or(now))
            }
            None => (input.is_active()?, Instant::now()),
        };
        if edge.is_some() || now_active != active {
            active = now_active;
            told = tell.blocking_send(News::Edge(active, since));
        }
    }
    Ok(())
}
