//! Large exports, read beside the bare parsers of their syntax.

#![allow(clippy::unwrap_used)] // the inputs are valid; were they not, there'd be nothing to measure

mod exports;
mod report;

use std::{hint::black_box, time::Duration};

use criterion::{
    BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, measurement::WallTime,
};
use keyfob::KeyUri;
use keyfob::import::{self, Format, Options};
use quick_xml::events::Event;
use report::{Peer, Row, Run};

const ROWS: &[Row] = &[
    Row {
        what: "OATH CSV, 100,000 tokens",
        group: "import-oath-csv",
        ours: "keyfob",
        peers: &[Peer::with_aim("csv", 2.00), Peer::new("csv, rows kept")],
    },
    Row {
        what: "Aegis, 10,000 tokens",
        group: "import-aegis",
        ours: "keyfob",
        peers: &[Peer::with_aim("serde_json", 2.00)],
    },
    Row {
        what: "PSKC, 10,000 tokens",
        group: "import-pskc",
        ours: "keyfob",
        peers: &[Peer::with_aim("quick-xml", 2.00)],
    },
    Row {
        what: "key URIs, 10,000 tokens",
        group: "import-uri-list",
        ours: "keyfob",
        peers: &[Peer::new("parse_lenient")],
    },
];

fn main() {
    let run = Run::begin();
    benches();
    run.print(ROWS);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .sample_size(100)
        .without_plots();
    targets = oath_csv, aegis, pskc, uri_list
}

fn oath_csv(criterion: &mut Criterion) {
    let file = exports::oath_csv(100_000);
    let mut group = group(criterion, "import-oath-csv", &file);
    measure_keyfob(&mut group, Format::OathCsv, &file, 100_000);
    group.bench_function("csv", |bencher| bencher.iter(|| bare_csv(&file)));
    group.bench_function("csv, rows kept", |bencher| {
        bencher.iter(|| bare_csv_kept(&file));
    });
}

/// All rows in a list, as keyfob's tokens are.
fn bare_csv_kept(file: &str) -> Vec<csv::ByteRecord> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(file.as_bytes())
        .into_byte_records()
        .map(Result::unwrap)
        .collect()
}

/// All rows into one record, cells as bytes.
fn bare_csv(file: &str) {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(file.as_bytes());
    let mut record = csv::ByteRecord::new();
    while rows.read_byte_record(&mut record).unwrap() {
        black_box(&record);
    }
}

fn aegis(criterion: &mut Criterion) {
    let file = exports::aegis(10_000);
    let mut group = group(criterion, "import-aegis", &file);
    measure_keyfob(&mut group, Format::Aegis, &file, 10_000);
    group.bench_function("serde_json", |bencher| {
        bencher.iter(|| serde_json::from_str::<serde_json::Value>(&file).unwrap());
    });
}

fn pskc(criterion: &mut Criterion) {
    let file = exports::pskc(10_000);
    let mut group = group(criterion, "import-pskc", &file);
    measure_keyfob(&mut group, Format::Pskc, &file, 10_000);
    group.bench_function("quick-xml", |bencher| bencher.iter(|| bare_xml(&file)));
}

/// All events, as slices of the file.
fn bare_xml(file: &str) {
    let mut reader = quick_xml::Reader::from_str(file);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return,
            event => black_box(&event),
        };
    }
}

fn uri_list(criterion: &mut Criterion) {
    let file = exports::uri_list(10_000);
    let mut group = group(criterion, "import-uri-list", &file);
    measure_keyfob(&mut group, Format::UriList, &file, 10_000);
    group.bench_function("parse_lenient", |bencher| bencher.iter(|| bare_uris(&file)));
}

/// Each URI by itself, its names left in the file.
fn bare_uris(file: &str) {
    for line in file.lines() {
        black_box(KeyUri::parse_lenient(line).unwrap());
    }
}

fn group<'c>(criterion: &'c mut Criterion, name: &str, file: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    // A file takes milliseconds: as many readings in each sample.
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Bytes(file.len().try_into().unwrap()));
    group
}

/// Reads the file, and drops what was read: on both sides that is part of the work.
fn measure_keyfob(
    group: &mut BenchmarkGroup<'_, WallTime>,
    format: Format,
    file: &str,
    tokens: usize,
) {
    let read = || import::read_as(format, file.as_bytes(), &Options::default()).unwrap();
    assert_eq!(read().tokens.len(), tokens);
    group.bench_function("keyfob", |bencher| bencher.iter(read));
}
