//! An auth server that embeds keyfob: pages to try second factors out, and a JSON API in the shape
//! that hosted services have.
//!
//! From the bottom up: `database` keeps, `accounts` knows the people, `second_factor` asks keyfob's
//! engine, `api` and `pages` speak to clients, `operations` to the operator.

mod accounts;
mod api;
mod app;
mod clock;
mod config;
mod connections;
mod database;
mod error;
mod hashing;
mod http;
mod keys;
mod limits;
mod operations;
mod pages;
mod random;
mod request_id;
mod second_factor;
mod standing;

use std::env;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use app::{App, Shared};
use config::Config;
use connections::{Connections, most_connections};
use database::Database;
use error::Unavailable;

/// Each hash of a password takes 19 MiB. The C library's allocator keeps such blocks, on every thread
/// that had one: 64 clients made it 4.3 GB. This one gives them back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The operator and their monitoring need few, and have them whatever the public does.
const OPERATORS_CONNECTIONS: usize = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    operations::start_logging(config.log, config.json_logs);
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until it is told to stop, then answers what was begun.
async fn serve(mut config: Config) -> Result<(), Unavailable> {
    let listener = listen(&mut config.listen, "--listen").await?;
    let operator = match &mut config.operations_listen {
        Some(address) => Some(listen(address, "--operations-listen").await?),
        None => None,
    };
    let database = config.database()?;
    if env::var_os("DATABASE_URL").is_some() {
        tracing::info!("DATABASE_URL isn't read: it may be another program's. KEYFOB_DATABASE is");
    }
    let app = Arc::new(App::open(&config, &database).await?);
    let stopped = stop_signal().map_err(|error| Unavailable::new("heeding signals", error))?;
    greet(&config, &database, &app);
    let upkeep = tokio::spawn({
        let app = Arc::clone(&app);
        async move { tokio::join!(app.sweep(), app.watch()) }
    });
    serve_both(app, listener, operator, stopped).await;
    upkeep.abort();
    Ok(())
}

/// Listens, and tells the port that it got.
async fn listen(address: &mut SocketAddr, option: &str) -> Result<TcpListener, Unavailable> {
    let failed = |error: io::Error| {
        let cause = format!("{error}: choose another address or port by {option}");
        Unavailable::new("listening", cause)
    };
    let listener = TcpListener::bind(*address).await.map_err(failed)?;
    *address = listener.local_addr().map_err(failed)?;
    Ok(listener)
}

/// Serves the public, and the operator where there is a listener for that.
async fn serve_both(
    app: Shared,
    listener: TcpListener,
    operator: Option<TcpListener>,
    stopped: watch::Receiver<()>,
) {
    let routes = http::public(Arc::clone(&app), operator.is_none());
    let all = Connections::at_most(most_connections());
    let public = http::serve(listener, routes, all, stop(stopped.clone()));
    let private = async {
        if let Some(listener) = operator {
            let few = Connections::at_most(OPERATORS_CONNECTIONS);
            http::serve(listener, http::private(app), few, stop(stopped)).await;
        }
    };
    tokio::join!(public, private);
}

/// Tells a person where to go on.
fn greet(config: &Config, database: &Database, app: &App) {
    println!("keyfob-server: {}", app.public_url);
    println!("  pages        {}/", app.public_url);
    println!("  API          {}/openapi.json", app.public_url);
    println!("  project id   {}", app.keys.project_id);
    println!(
        "  its secret   in {}, or KEYFOB_SECRET",
        config.keys.display()
    );
    if let Some(address) = config.operations_listen {
        println!("  operations   http://{address}/status");
    }
    println!("  data         {}", database.name());
    tracing::info!(listen = %config.listen, database = database.name(), "started");
}

/// Heeds Ctrl-C and SIGTERM from now on; what it gives ends with either.
fn stop_signal() -> io::Result<watch::Receiver<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: what was begun is answered first");
        drop(stop);
    });
    Ok(stopped)
}

async fn stop(mut stopped: watch::Receiver<()>) {
    let _ = stopped.changed().await;
}
