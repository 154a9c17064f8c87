//! The server as a process: one per data folder, listening until it is told to stop.

use crate::state::{Settings, State};
use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Requests that run when the server is told to stop get this long.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
pub(crate) fn serve(settings: Settings, listen: SocketAddr) -> anyhow::Result<()> {
    std::fs::create_dir_all(&settings.data)
        .with_context(|| format!("cannot make the folder {}", settings.data.display()))?;
    let _only_one = lock(&settings.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
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
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut told = stopped.clone();
    let app = crate::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            log::debug!("a connection keeps its delay: {error}");
        }
    });
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which also ends the server.
        drop(told.wait_for(|&stop| stop).await);
    });
    let server = async { server.await };
    tokio::pin!(server);
    announce(address);
    tokio::select! {
        ended = &mut server => return ended.context("the server ended by itself"),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    log::info!(
        "stopping: requests that run get {} s",
        STOP_WITHIN.as_secs()
    );
    drop(sd_notify::notify(&[sd_notify::NotifyState::Stopping]));
    stop.send_replace(true);
    match tokio::time::timeout(STOP_WITHIN, server).await {
        Ok(ended) => ended.context("the server did not end well"),
        Err(_) => {
            log::warn!("requests still ran and were cut off; their senders will come again");
            Ok(())
        }
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
