//! Registrations in PostgreSQL, over a pool of deadpool-postgres.

use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;
use std::{env, fmt};

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod};
use keyfob::{
    AsyncEngine, KeyUri, NewRegistration, Policy, PostgresClients, PostgresStore, SystemEntropy,
    UnixTime,
};
use tokio_postgres::{Config, NoTls, Statement};

const HELP: &str = "\
Usage: DATABASE_URL=postgres://… cargo run --example postgres --features postgres -- COMMAND
  register ID       make a registration, and show its key URI and recovery codes
  log-in ID CODE    log in; the first code confirms the registration
  recover ID CODE   log in with a recovery code
  status ID         show what can be told of a registration
  delete ID         forget it
  sweep             delete the registrations that weren't confirmed in time

It makes keyfob's tables if there are none. The connection has no TLS here.";

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    if let [] | ["-h" | "--help"] = arguments[..] {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&arguments).await {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A pool as keyfob's clients: a trait of keyfob's, so the pool needs a name of ours.
struct Clients(Pool);

impl PostgresClients for Clients {
    type Client = Client;
    type Error = PoolError;

    async fn client(&self) -> Result<Client, PoolError> {
        self.0.get().await
    }

    fn borrow(client: &Client) -> &tokio_postgres::Client {
        client
    }

    async fn prepared(
        client: &Client,
        statement: &'static str,
    ) -> Result<Option<Statement>, tokio_postgres::Error> {
        client.prepare_cached(statement).await.map(Some)
    }
}

async fn engine() -> Outcome<AsyncEngine<PostgresStore<Clients>>> {
    let url = env::var("DATABASE_URL").map_err(|_| format!("DATABASE_URL is not set\n\n{HELP}"))?;
    let config: Config = url.parse()?;
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
    let pool = Pool::builder(manager).max_size(16).build()?;
    let store = PostgresStore::connect(Clients(pool)).await?;
    Ok(AsyncEngine::new(store, Policy::DEFAULT))
}

async fn run(arguments: &[&str]) -> Outcome<String> {
    let engine = engine().await?;
    let now = UnixTime::try_from(SystemTime::now())?;
    let answer = match arguments {
        ["register", id] => return register(&engine, id, now).await,
        ["log-in", id, code] => {
            let authenticated = engine.authenticate_typed(id, code, now).await?;
            show(authenticated)
        }
        ["recover", id, code] => {
            let recovered = engine.recover(id, code, now).await?;
            format!("{} recovery codes are left", recovered.remaining())
        }
        ["status", id] => show(engine.status(id, now).await?),
        ["delete", id] => {
            engine.delete(id).await?;
            "deleted".to_owned()
        }
        ["sweep"] => format!("{} deleted", engine.store().sweep(now).await?),
        _ => return Err(HELP.into()),
    };
    Ok(answer)
}

fn show(answer: impl fmt::Debug) -> String {
    format!("{answer:#?}")
}

async fn register(
    engine: &AsyncEngine<PostgresStore<Clients>>,
    id: &str,
    now: UnixTime,
) -> Outcome<String> {
    let new = NewRegistration::default();
    let enrollment = engine.create(id, &new, now, &mut SystemEntropy).await?;
    let uri = KeyUri::new(enrollment.secret(), *enrollment.params(), "keyfob", id)?;
    let codes = enrollment.recovery_codes().iter();
    let lines = codes.map(|code| format!("\n{}", code.as_str()));
    Ok(format!(
        "{uri}\n\nRecovery codes:{}",
        lines.collect::<String>()
    ))
}
