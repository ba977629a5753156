//! The operator's page: how many registrations there are, and how log-ins go.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::chart::Chart;
use super::moment::Moment;
use super::page::shown;
use super::problem::Problem;
use crate::app::{App, Shared};
use crate::clock::now;
use crate::operations::{OUTCOMES, Totals};

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    registrations: u64,
    rows: Vec<Row>,
    chart: Chart,
    at: Moment,
}

/// An outcome of log-ins.
struct Row {
    outcome: String,
    lately: u64,
    since_start: u64,
}

/// `GET /status`
pub(super) async fn show(State(app): State<Shared>) -> Result<Response, Problem> {
    Ok(shown(&StatusPage::of(&app).await?))
}

impl StatusPage {
    async fn of(app: &App) -> Result<Self, Problem> {
        let totals = app.counters.attempts();
        let intervals = app.activity.intervals(totals);
        Ok(Self {
            registrations: app.second_factor.registrations().await?,
            rows: rows(&totals, &intervals),
            chart: Chart::of(&intervals),
            at: now().into(),
        })
    }
}

/// A row for what happened, and for what always matters.
fn rows(totals: &Totals, intervals: &[Totals]) -> Vec<Row> {
    let row = |(index, outcome): (usize, &&str)| Row {
        outcome: outcome.replace('_', " "),
        lately: intervals.iter().map(|interval| interval[index]).sum(),
        since_start: totals[index],
    };
    let rows = OUTCOMES.iter().enumerate().map(row);
    rows.enumerate()
        .filter(|(index, row)| *index < Chart::OWN || row.since_start > 0)
        .map(|(_, row)| row)
        .collect()
}
