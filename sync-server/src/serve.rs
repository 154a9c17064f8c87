//! The server as a process: one per data folder, listening until it is told to stop.

use crate::state::{Settings, State};
use anyhow::Context as _;
use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// Requests that run when the server is told to stop get this long.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// A connection that does not ask for anything within this time is closed.
const HEAD_WITHIN: Duration = Duration::from_secs(60);
/// Connections at a time.
const CONNECTIONS_MAX: usize = 512;

/// Serves until SIGTERM or SIGINT.
pub(crate) fn serve(settings: Settings, listen: SocketAddr) -> anyhow::Result<()> {
    std::fs::create_dir_all(&settings.data)
        .with_context(|| format!("cannot make the folder {}", settings.data.display()))?;
    let _only_one = lock(&settings.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let state = State::open(settings)?;
    let served = runtime.block_on(listen_until_stopped(state, listen));
    // Work that hangs on a disk must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(5));
    served
}

/// Two servers on one folder would not know of each other's uploads.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("serve.lock");
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    file.try_lock().with_context(|| {
        format!(
            "another trapline-server serves {}: stop it first",
            data.display()
        )
    })?;
    Ok(file)
}

async fn listen_until_stopped(state: State, listen: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr().context("no address to listen on")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    announce(address);
    let mut connections = Connections::new(crate::router(state));
    tokio::select! {
        () = connections.accept(&listener) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drop(listener);
    log::info!(
        "stopping: requests that run get {} s",
        STOP_WITHIN.as_secs()
    );
    drop(sd_notify::notify(&[sd_notify::NotifyState::Stopping]));
    if tokio::time::timeout(STOP_WITHIN, connections.finish())
        .await
        .is_err()
    {
        log::warn!("requests still ran and were cut off; their senders will come again");
    }
    Ok(())
}

/// The open connections, each a task that ends with this.
struct Connections {
    router: Router,
    http: http1::Builder,
    seats: Arc<Semaphore>,
    tasks: JoinSet<()>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn new(router: Router) -> Self {
        let mut http = http1::Builder::new();
        // Who opens a connection and says nothing loses it; so does one that stays idle.
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN);
        Self {
            router,
            http,
            seats: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            tasks: JoinSet::new(),
            graceful: GracefulShutdown::new(),
        }
    }

    /// Takes connections for ever; when all seats are taken, the next one waits.
    async fn accept(&mut self, listener: &TcpListener) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            let Ok(seat) = Arc::clone(&self.seats).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, peer)) => self.serve(stream, peer, seat),
                Err(error) => {
                    // Out of file descriptors, mostly: one will be free again.
                    log::warn!("a connection could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    fn serve(&mut self, stream: TcpStream, peer: SocketAddr, seat: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            log::debug!("a connection keeps its delay: {error}");
        }
        let router = self.router.clone().layer(Extension(ConnectInfo(peer)));
        let service = TowerToHyperService::new(router);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        self.tasks.spawn(async move {
            let _seat = seat;
            if let Err(error) = connection.await {
                log::debug!("a connection from {peer} ended: {error}");
            }
        });
    }

    /// Lets the running requests end.
    async fn finish(self) {
        self.graceful.shutdown().await;
    }
}

/// The first line on stdout names the address, for scripts that asked for port 0.
fn announce(address: SocketAddr) {
    let mut stdout = std::io::stdout().lock();
    // Nobody has to read it.
    drop(writeln!(stdout, "listening on http://{address}"));
    drop(stdout.flush());
    drop(stdout);
    log::info!(address = address.to_string().as_str(); "listening on http://{address}");
    drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));
}
