//! What every request has at hand.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::accounts::Accounts;
use crate::clock::now;
use crate::config::Config;
use crate::database::Database;
use crate::error::Unavailable;
use crate::hashing::Turns;
use crate::keys::Keys;
use crate::operations::{Activity, Counters, Health, INTERVAL_SECONDS};
use crate::second_factor::SecondFactor;

/// [`App`], as handlers get it.
pub(crate) type Shared = Arc<App>;

/// The server's parts.
pub(crate) struct App {
    pub(crate) keys: Keys,
    pub(crate) accounts: Accounts,
    pub(crate) second_factor: SecondFactor,
    pub(crate) counters: Arc<Counters>,
    pub(crate) activity: Activity,
    pub(crate) health: Health,
    /// What authenticator apps show above a code.
    pub(crate) issuer: String,
    /// The address that people type, without a slash at its end.
    pub(crate) public_url: String,
}

impl App {
    /// Opens the database and the keys.
    pub(crate) async fn open(config: &Config, database: &Database) -> Result<Self, Unavailable> {
        let keys = Keys::open(config)?;
        let counters = Arc::new(Counters::new());
        let turns = Turns::of_processors();
        let (records, documents) = database.open(&config.authorities()).await?;
        let listened_on = || format!("http://{}", config.listen);
        let public_url = config.public_url.clone().unwrap_or_else(listened_on);
        Ok(Self {
            accounts: Accounts::open(documents, &keys, turns.clone()).await?,
            second_factor: SecondFactor::new(records, &keys, turns, Arc::clone(&counters))?,
            keys,
            counters,
            activity: Activity::new(),
            health: Health::default(),
            issuer: config.issuer.clone(),
            public_url,
        })
    }

    /// Forgets now and then what lapsed. It never ends.
    pub(crate) async fn sweep(&self) {
        let mut ticks = interval(Duration::from_secs(60));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let swept = async {
                self.accounts.documents().sweep(now()).await?;
                self.second_factor.sweep(now()).await
            };
            if let Err(error) = swept.await {
                tracing::warn!(%error, "what lapsed is still there: trying again in a minute");
            }
        }
    }

    /// Samples the counters for the status page. It never ends.
    pub(crate) async fn watch(&self) {
        let mut ticks = interval(Duration::from_secs(INTERVAL_SECONDS));
        loop {
            ticks.tick().await;
            self.activity.note(self.counters.attempts());
        }
    }
}
