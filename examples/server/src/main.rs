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

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use app::App;
use config::Config;
use database::Database;
use error::Unavailable;

/// Each hash of a password takes 19 MiB. The C library's allocator keeps such blocks, on every thread
/// that had one: 64 clients made it 4.3 GB. This one gives them back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let failed = |error| Unavailable::new("listening", error);
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        let cause = format!("{error}: choose another address or port by --listen");
        Unavailable::new("listening", cause)
    })?;
    config.listen = listener.local_addr().map_err(failed)?;
    let database = config.database()?;
    let app = Arc::new(App::open(&config, &database).await?);
    let stop = stop_signal().map_err(failed)?;
    greet(&config, &database, &app);
    let upkeep = tokio::spawn({
        let app = Arc::clone(&app);
        async move { tokio::join!(app.sweep(), app.watch()) }
    });
    let served = http::serve(listener, app, stop).await;
    upkeep.abort();
    served.map_err(failed)
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
    println!("  data         {}", database.name());
    tracing::info!(listen = %config.listen, database = database.name(), "started");
}

/// Heeds Ctrl-C and SIGTERM from now on; what it gives waits for either.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: what was begun is answered first");
    })
}
