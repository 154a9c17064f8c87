//! A bad link between two programs of this machine: so many bytes a second each way, a delay, and a
//! rhythm of being there and not.
//!
//! Bytes are counted when they enter the link, as a meter on a radio would, whether or not they come out:
//! what is in the delay line when the link goes down is lost. Then all connections are reset on both
//! sides, and who calls meanwhile meets what [`WhileDown`] says. Rate and delay hold for all connections
//! together; the rate is that of a bucket of 20 ms, so that a thread that wakes late costs nothing.

use crate::cli::WhileDown;
use crate::process;
use anyhow::{Context as _, Result};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes that enter the link together: two packets.
const PACKET_BYTES: usize = 2 * 1448;
/// A link that could send and had nobody to send for keeps so much of its time.
const BUCKET: Duration = Duration::from_millis(20);
/// A read that brings nothing looks this often whether the link is still there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How good the link is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) bytes_per_s: u32,
    pub(super) one_way: Duration,
    pub(super) up: Duration,
    pub(super) down: Duration,
}

/// The link at work; it ends when this is dropped.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
}

struct Shared {
    link: Link,
    while_down: WhileDown,
    target: SocketAddr,
    began: Instant,
    ended: AtomicBool,
    /// Counts the times that the link went down; a connection of an earlier time is dead.
    age: AtomicU64,
    ways: [Way; 2],
    open: Mutex<Vec<TcpStream>>,
}

/// One direction.
struct Way {
    bytes: AtomicU64,
    free_at: Mutex<Instant>,
}

impl Way {
    fn new(now: Instant) -> Self {
        Self {
            bytes: AtomicU64::new(0),
            free_at: Mutex::new(now),
        }
    }

    /// Waits until these bytes have gone; gives the moment at which they had.
    fn pass(&self, bytes: usize, link: &Link) -> Instant {
        let takes = Duration::from_secs_f64(bytes as f64 / f64::from(link.bytes_per_s));
        let gone_at = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            *free_at = (*free_at).max(now.checked_sub(BUCKET).unwrap_or(now)) + takes;
            *free_at
        };
        wait_until(gone_at);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        gone_at
    }
}

fn wait_until(moment: Instant) {
    let wait = moment.saturating_duration_since(Instant::now());
    if !wait.is_zero() {
        thread::sleep(wait);
    }
}

impl Proxy {
    /// A link to `target` that is up from now on.
    pub(super) fn start(link: Link, while_down: WhileDown, target: SocketAddr) -> Result<Self> {
        let listener = listen()?;
        let address = listener.local_addr()?;
        let now = Instant::now();
        let shared = Arc::new(Shared {
            link,
            while_down,
            target,
            began: now,
            ended: AtomicBool::new(false),
            age: AtomicU64::new(0),
            ways: [Way::new(now), Way::new(now)],
            open: Mutex::default(),
        });
        let keeper = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.keep(listener, address))
        };
        Ok(Self {
            address,
            shared,
            keeper: Some(keeper),
        })
    }

    /// Bytes that entered the link towards the server, and from it.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let [up, down] = &self.shared.ways;
        let count = |way: &Way| way.bytes.load(Ordering::Relaxed);
        (count(up), count(down))
    }

    /// Since the link is there.
    pub(super) fn elapsed(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// How often it went down.
    pub(super) fn cuts(&self) -> u64 {
        self.shared.age.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        if let Some(keeper) = self.keeper.take() {
            drop(keeper.join());
        }
    }
}

/// Below the ports that the kernel gives to callers: one of those, tried while nobody listens, can meet itself.
fn listen() -> Result<TcpListener> {
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).unwrap_or(0);
    (first..first + 400)
        .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok())
        .context("no free port for the link")
}

impl Shared {
    fn is_up(&self) -> bool {
        let Link { up, down, .. } = self.link;
        let period = (up + down).as_secs_f64();
        self.began.elapsed().as_secs_f64() % period < up.as_secs_f64()
    }

    fn keep(self: &Arc<Self>, listener: TcpListener, address: SocketAddr) {
        let mut listener = Some(listener);
        let mut was_up = true;
        while !self.ended.load(Ordering::Relaxed) {
            let is_up = self.is_up();
            if was_up && !is_up {
                self.age.fetch_add(1, Ordering::Relaxed);
                self.reset_all();
                if self.while_down == WhileDown::Refused {
                    listener = None;
                }
            }
            if listener.is_none() && is_up {
                listener = TcpListener::bind(address).ok();
            }
            if let Some(listener) = &listener {
                let forgotten = is_up && !was_up;
                self.answer(listener, is_up && !forgotten);
            }
            was_up = is_up;
            process::pause(2);
        }
        self.age.fetch_add(1, Ordering::Relaxed);
        self.reset_all();
    }

    /// Takes who waits at the door, or sends them away.
    fn answer(self: &Arc<Self>, listener: &TcpListener, is_up: bool) {
        if listener.set_nonblocking(true).is_err() {
            return;
        }
        if !is_up && !self.is_up() && self.while_down == WhileDown::Silent {
            return;
        }
        while let Ok((caller, _)) = listener.accept() {
            if !is_up {
                let _unheard = rustix::net::connect_unspec(&caller);
            } else if self.join(caller).is_err() {
                return;
            }
        }
    }

    fn join(self: &Arc<Self>, caller: TcpStream) -> std::io::Result<()> {
        caller.set_nonblocking(false)?;
        let server = TcpStream::connect(self.target)?;
        for end in [&caller, &server] {
            end.set_nodelay(true)?;
            end.set_read_timeout(Some(LOOK_EVERY))?;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|end| end.peer_addr().is_ok());
        open.push(caller.try_clone()?);
        open.push(server.try_clone()?);
        drop(open);
        let age = self.age.load(Ordering::Relaxed);
        for (way, from, to) in [
            (0, caller.try_clone()?, server.try_clone()?),
            (1, server, caller),
        ] {
            let (put, take) = mpsc::channel();
            let shared = Arc::clone(self);
            thread::spawn(move || shared.enter(way, age, from, &put));
            let shared = Arc::clone(self);
            thread::spawn(move || shared.leave(age, to, &take));
        }
        Ok(())
    }

    fn is_of_now(&self, age: u64) -> bool {
        self.age.load(Ordering::Relaxed) == age
    }

    /// Lets bytes into the link as it takes them, each with the moment at which it comes out.
    fn enter(&self, way: usize, age: u64, mut from: TcpStream, put: &Sender<(Instant, Vec<u8>)>) {
        let Some(way) = self.ways.get(way) else {
            return;
        };
        let mut packet = [0; PACKET_BYTES];
        while self.is_of_now(age) {
            let read = match from.read(&mut packet) {
                Ok(read) => read,
                Err(error) if is_a_look(error.kind()) => continue,
                Err(_) => 0,
            };
            let gone_at = if read == 0 {
                Instant::now()
            } else {
                way.pass(read, &self.link)
            };
            let bytes = packet.get(..read).unwrap_or_default().to_vec();
            // An empty packet is the end of the stream, which takes its time like all else.
            if put.send((gone_at + self.link.one_way, bytes)).is_err() || read == 0 {
                return;
            }
        }
    }

    fn leave(&self, age: u64, mut to: TcpStream, take: &Receiver<(Instant, Vec<u8>)>) {
        while let Ok((out_at, bytes)) = take.recv() {
            wait_until(out_at);
            if !self.is_of_now(age) {
                return;
            }
            if bytes.is_empty() {
                drop(to.shutdown(std::net::Shutdown::Write));
                return;
            }
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
    }

    /// Both ends of every connection hear a reset, whatever was under way.
    fn reset_all(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for end in open.drain(..) {
            let _unheard = rustix::net::connect_unspec(&end);
        }
    }
}

fn is_a_look(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}
