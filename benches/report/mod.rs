//! What `cargo bench` prints last: a Markdown table of ratios, from the medians that criterion
//! wrote.
//!
//! A ratio of two medians of one run says more than either: both were taken within seconds on the
//! same machine, so that a slow machine, or a busy one, slows both.

use std::{
    env, fs, iter,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// `ratio` is what keyfob takes over what the line's own takes.
const HEADER: &str = "\
| what | by | takes | ratio | aim |
|---|---|---:|---:|---|
";

/// One thing that keyfob does, and what it stands beside: all of it one criterion group.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) group: &'static str,
    /// The benchmark that is keyfob's.
    pub(crate) ours: &'static str,
    pub(crate) peers: &'static [Peer],
}

/// Another benchmark of the row's group.
pub(crate) struct Peer {
    name: &'static str,
    at_most: Option<f64>,
}

impl Peer {
    /// The benchmark `name`, to look at.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            at_most: None,
        }
    }

    /// The benchmark `name`, with the aim that keyfob takes at most `ratio` times as long.
    pub(crate) const fn with_aim(name: &'static str, ratio: f64) -> Self {
        Self {
            name,
            at_most: Some(ratio),
        }
    }
}

/// One run of a benchmark program.
pub(crate) struct Run {
    began: SystemTime,
    results: PathBuf,
}

impl Run {
    /// Begins a run. Call it before the first measurement.
    pub(crate) fn begin() -> Self {
        Self {
            began: SystemTime::now(),
            results: results_directory(),
        }
    }

    /// Prints the rows that this run measured, so nothing at all after `--test` or `--list`.
    pub(crate) fn print(&self, rows: &[Row]) {
        let lines: String = rows.iter().filter_map(|row| self.lines(row)).collect();
        if !lines.is_empty() {
            println!("\n{HEADER}{lines}");
        }
    }

    /// keyfob's line and one for each peer; `None` if this run didn't measure keyfob's.
    fn lines(&self, row: &Row) -> Option<String> {
        let ours = self.median(row.group, row.ours)?;
        let takes = self.takes(ours, row.group, row.ours);
        let first = format!("| {} | {} | {takes} | | |\n", row.what, row.ours);
        let others = row
            .peers
            .iter()
            .map(|peer| self.line(ours, row.group, peer));
        Some(iter::once(first).chain(others).collect())
    }

    fn line(&self, ours: f64, group: &str, peer: &Peer) -> String {
        let Some(theirs) = self.median(group, peer.name) else {
            return format!("| | {} | not measured | | |\n", peer.name);
        };
        let ratio = ours / theirs;
        let aim = peer.at_most.map(|at_most| verdict(ratio, at_most));
        let takes = self.takes(theirs, group, peer.name);
        let (name, aim) = (peer.name, aim.unwrap_or_default());
        format!("| | {name} | {takes} | {ratio:.2} | {aim} |\n")
    }

    /// The time, and how much is read in it where the benchmark says how long its file is.
    fn takes(&self, nanoseconds: f64, group: &str, name: &str) -> String {
        let takes = duration(nanoseconds);
        let benchmark = self.result(group, name, "benchmark.json");
        match benchmark.and_then(|benchmark| benchmark["throughput"]["Bytes"].as_f64()) {
            Some(bytes) => format!("{takes}, {:.0} MB/s", bytes / nanoseconds * 1e3),
            None => takes,
        }
    }

    /// The median in nanoseconds.
    pub(crate) fn median(&self, group: &str, name: &str) -> Option<f64> {
        let estimates = self.result(group, name, "estimates.json")?;
        estimates["median"]["point_estimate"].as_f64()
    }

    /// What criterion wrote. What an earlier run left behind doesn't count.
    fn result(&self, group: &str, name: &str, file: &str) -> Option<serde_json::Value> {
        let directory = self.results.join(group).join(name);
        let file = directory.join("new").join(file);
        if fs::metadata(&file).ok()?.modified().ok()? < self.began {
            return None;
        }
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }
}

/// Where criterion keeps its results.
fn results_directory() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    let ours = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    target.map_or_else(ours, PathBuf::from).join("criterion")
}

fn verdict(ratio: f64, at_most: f64) -> String {
    let met = if ratio <= at_most { "met" } else { "missed" };
    format!("≤ {at_most:.2}: {met}")
}

/// Nanoseconds in the unit that reads best.
fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.1} ns"),
        1e3..1e6 => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}
