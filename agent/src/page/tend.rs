//! Serves the page while it is open: a stage like the others, at rest while it
//! is closed, with few connections that each end after a while.

use super::guard::REQUEST_LIMIT;
use super::hall::Hall;
use super::password::Password;
use super::{address, routes};
use crate::desk::Desk;
use crate::moment::millis;
use crate::stage::{Next, Stage, StageError};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How long the page is open after a start while nobody has told where the trap stands.
const FIRST_OPEN: Duration = Duration::from_hours(1);
/// The stage comes back this often while the page is open.
const SLICE: Duration = Duration::from_secs(10);
/// After a failure to listen.
const RETRY: Duration = Duration::from_secs(30);
/// A connection that asks for nothing is closed after this ...
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// ... and a busy one after this; a browser just opens the next.
const CONNECTION_LIMIT: Duration = Duration::from_secs(120);
/// Connections at a time, all together and from one address; a browser opens six.
const CONNECTIONS_MAX: usize = 16;
const CONNECTIONS_EACH_MAX: usize = 8;

/// The stage.
pub struct Tend {
    desk: Desk,
    open: Option<Open>,
    is_settled: bool,
}

impl fmt::Debug for Tend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tend").finish_non_exhaustive()
    }
}

impl Tend {
    /// The stage; nothing listens yet.
    #[must_use]
    pub fn new(desk: Desk) -> Self {
        Self {
            desk,
            open: None,
            is_settled: false,
        }
    }

    /// A trap that nobody has told where it stands was just hung up.
    async fn settle(&mut self) -> Result<(), StageError> {
        let told = self.desk.books.with(|ledger| ledger.deployments(1)).await?;
        if told.is_empty() {
            self.desk.page.open(FIRST_OPEN);
        }
        self.is_settled = true;
        Ok(())
    }

    fn nobody_comes_in(&self) {
        self.desk.page.let_in(None);
        self.desk.board.invite(None);
    }

    async fn listen(&self, at: SocketAddr) -> Result<Open, String> {
        let folder = self.desk.books.with(|l| Ok(l.folder().to_owned())).await;
        let folder = folder.map_err(|error| error.in_full())?;
        let password = draw_password(&self.desk, &folder).await?;
        let listener = TcpListener::bind(at).await.map_err(|error| {
            format!("cannot listen on {at}: {error}; choose another `page.listen`")
        })?;
        let listening = listener.local_addr().map_err(|error| error.to_string())?;
        let page = &self.desk.page;
        let shown = page.named.clone();
        let shown = shown.unwrap_or_else(|| address::found(listening));
        log::info!(address = shown.as_str(); "the technician's page is open at {shown}");
        page.let_in(Some((shown, password.clone())));
        self.desk.board.invite(page.invitation());
        let hall = Arc::new(Hall::new(self.desk.clone(), folder, password));
        Ok(Open::new(listener, routes::router(hall)))
    }
}

async fn draw_password(desk: &Desk, folder: &Path) -> Result<Password, String> {
    let folder = folder.to_owned();
    let drawn = desk.hands.run(move || Password::of_trap(&folder)).await;
    match drawn {
        Ok(drawn) => drawn.map_err(|error| format!("there is no password: {error}")),
        Err(panicked) => Err(panicked.0),
    }
}

impl Stage for Tend {
    fn name(&self) -> &'static str {
        "page"
    }

    fn step_limit(&self) -> Duration {
        2 * SLICE + Duration::from_mins(1)
    }

    fn grace(&self) -> Duration {
        Duration::ZERO
    }

    fn wake<'a>(&self, desk: &'a Desk) -> &'a Notify {
        &desk.wakes.page
    }

    async fn step(&mut self) -> Result<Next, StageError> {
        let Some(at) = self.desk.config.page.listen else {
            return Ok(Next::RestUntilWoken);
        };
        if !self.is_settled {
            self.settle().await?;
        }
        let left = self.desk.page.left();
        if left.is_zero() {
            if self.open.take().is_some() {
                self.nobody_comes_in();
                log::info!("the technician's page is closed");
            }
            return Ok(Next::RestUntilWoken);
        }
        if self.open.is_none() {
            match self.listen(at).await {
                Ok(open) => {
                    self.desk.health.clear("page");
                    self.open = Some(open);
                }
                Err(why) => {
                    let now_ms = self.desk.clock.stamp().unix_ms;
                    self.desk.health.raise("page", &why, now_ms);
                    return Ok(Next::Rest(RETRY));
                }
            }
        }
        // Somebody is about to come; a trap that is always open sleeps until they are there.
        if left < Duration::MAX {
            let until_ms = self.desk.clock.stamp().uptime_ms + millis(left);
            self.desk.power.hold.until(until_ms);
        }
        if let Some(open) = &mut self.open {
            tokio::select! {
                biased;
                () = self.desk.wakes.page.notified() => {}
                () = tokio::time::sleep(left.min(SLICE)) => {}
                () = open.accept() => {}
            }
        }
        Ok(Next::Again)
    }

    async fn stopped(&mut self) {
        if self.open.take().is_some() {
            self.nobody_comes_in();
        }
    }
}

/// The listening socket with its connections; dropping it ends them.
struct Open {
    listener: TcpListener,
    router: Router,
    http: http1::Builder,
    connections: JoinSet<()>,
    seats: Arc<Seats>,
}

impl Open {
    fn new(listener: TcpListener, router: Router) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN);
        Self {
            listener,
            router,
            http,
            connections: JoinSet::new(),
            seats: Arc::default(),
        }
    }

    /// Takes connections until dropped. Who finds no seat is sent away at once.
    async fn accept(&mut self) {
        loop {
            while self.connections.try_join_next().is_some() {}
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(seat) = Seats::take(&self.seats, peer.ip()) {
                        self.serve(stream, peer, seat);
                    }
                }
                Err(error) => {
                    log::debug!("a connection could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    fn serve(&mut self, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        // A phone gets small answers at once; without it they only come later.
        let _slower = stream.set_nodelay(true);
        let router = self.router.clone().layer(Extension(Peer(peer.ip())));
        let service = TowerToHyperService::new(router);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        self.connections.spawn(async move {
            let _seat = seat;
            let mut connection = pin!(connection);
            let ended = tokio::time::timeout(CONNECTION_LIMIT, connection.as_mut()).await;
            if ended.is_err() {
                connection.as_mut().graceful_shutdown();
                // Who still reads slowly after that is cut off.
                let _cut = tokio::time::timeout(REQUEST_LIMIT, connection).await;
            }
        });
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Who sits where.
#[derive(Debug, Default)]
struct Seats(Mutex<BTreeMap<IpAddr, usize>>);

/// Held by a connection.
#[derive(Debug)]
struct Seat {
    seats: Arc<Seats>,
    from: IpAddr,
}

impl Seats {
    fn take(seats: &Arc<Self>, from: IpAddr) -> Option<Seat> {
        let mut taken = seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.entry(from).or_default();
        if all >= CONNECTIONS_MAX || *own >= CONNECTIONS_EACH_MAX {
            return None;
        }
        *own += 1;
        drop(taken);
        let seats = Arc::clone(seats);
        Some(Seat { seats, from })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.from) {
            *own = own.saturating_sub(1);
        }
        taken.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_phone_does_not_take_all_seats() {
        let seats = Arc::new(Seats::default());
        let phone = |last| IpAddr::V4(std::net::Ipv4Addr::new(10, 42, 0, last));
        let taken: Vec<Option<Seat>> = (0..20).map(|_| Seats::take(&seats, phone(7))).collect();
        let seated = taken.iter().flatten().count();
        assert_eq!(seated, CONNECTIONS_EACH_MAX);
        let other = Seats::take(&seats, phone(8));
        assert!(other.is_some());
        drop((taken, other));
        assert!(seats.0.lock().unwrap().is_empty(), "seats are given back");
    }
}
