//! How much memory an import takes besides the file itself: a few times its length if the file is
//! honest, and no more than the limits allow if it isn't.
//!
//! `cargo test --all-features --test import_memory -- --nocapture` shows how much it is.
#![cfg(feature = "import")]
#![allow(unsafe_code)] // an allocator that counts is two calls to the one that allocates

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use keyfob::import::{
    self, Format, Import, ImportError, Imported, LeftOut, Limits, Options, Unlock,
};

#[path = "../benches/exports/mod.rs"]
mod exports;

#[global_allocator]
static HEAP: Heap = Heap {
    used: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
};

/// The system's heap, and how many bytes of it are and were in use.
struct Heap {
    used: AtomicUsize,
    peak: AtomicUsize,
}

// SAFETY: what is asked of it is asked of the system's allocator, unchanged.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.used.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the block comes from `alloc` with this layout, so from the system's.
        unsafe { System.dealloc(block, layout) }
    }

    /// What grows counts once: a large block isn't copied, its pages are mapped elsewhere.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        self.used.fetch_sub(layout.size(), Relaxed);
        self.count(bytes);
        // SAFETY: the block comes from `alloc` with this layout, and the caller keeps the rest.
        unsafe { System.realloc(block, layout, bytes) }
    }
}

impl Heap {
    fn count(&self, bytes: usize) {
        let used = self.used.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(used, Relaxed);
    }

    /// What `work` returns, and the most bytes in use at any moment of it, beyond those before.
    fn measure<T>(&self, work: impl FnOnce() -> T) -> (T, usize) {
        let before = self.used.load(Relaxed);
        self.peak.store(before, Relaxed);
        let outcome = work();
        (outcome, self.peak.load(Relaxed) - before)
    }
}

/// What any reading may take: its tables, and a buffer or two.
const FIXED_BYTES: usize = 1 << 20;
/// What a file may take for each of its bytes.
const MOST_TIMES: usize = 8;
/// A list grows by doubling: it may have just done so.
const PLACES: usize = 2;

/// One test, as the heap is shared by all that run in this process.
#[test]
fn memory_is_bounded() {
    honest_files();
    files_of_nothing_but_entries();
    files_of_one_long_entry();
    files_that_ask_for_work();
}

fn honest_files() {
    for (format, file) in [
        (Format::OathCsv, exports::oath_csv(5_000)),
        (Format::Aegis, exports::aegis(5_000)),
        (Format::Pskc, exports::pskc(5_000)),
        (Format::UriList, exports::uri_list(5_000)),
    ] {
        let (import, peak) = read(format, file.as_bytes());
        assert_eq!(import.unwrap().tokens.len(), 5_000);
        assert_at_most(peak, MOST_TIMES * file.len() + FIXED_BYTES);
    }
}

/// As many entries as will go into the file, all of them left out.
fn files_of_nothing_but_entries() {
    let zeros = format!("[{}0]", "0,".repeat(99_999));
    let mut files = vec![
        (Format::Raivo, zeros.clone()),
        (Format::AndOtp, zeros.clone()),
        (Format::FreeOtpPlus, format!(r#"{{"tokens":{zeros}}}"#)),
        (Format::OathUsers, "a\n".repeat(60_000)),
        (Format::UriList, "a\n".repeat(60_000)),
        (Format::Pskc, pskc(&"<a/>".repeat(60_000))),
        (Format::Pskc, pskc(&"<KeyPackage/>".repeat(60_000))),
        (
            Format::Pskc,
            pskc(&"<KeyPackage><Key/></KeyPackage>".repeat(60_000)),
        ),
        (Format::GoogleAuthenticatorPam, "a\n".repeat(60_000)),
    ];
    for format in [Format::OathCsv, Format::YubicoCsv, Format::BitwardenCsv] {
        files.push((format, ",\n".repeat(60_000)));
    }
    for (format, file) in files {
        let (import, peak) = read(format, file.as_bytes());
        let left_out = import.unwrap().left_out.len();
        assert!(left_out >= 59_999, "{format}: {left_out}");
        assert_at_most(peak, PLACES * left_out * size_of::<LeftOut>() + FIXED_BYTES);
    }
    too_many_entries();
}

fn pskc(content: &str) -> String {
    format!("<KeyContainer>{content}</KeyContainer>")
}

/// The limit holds for tokens and for what is left out.
fn too_many_entries() {
    let most = Limits::DEFAULT.entries;
    let line = exports::oath_csv(1);
    for (line, entry_bytes) in [
        (line.as_str(), size_of::<Imported>() + line.len()),
        ("a\n", size_of::<LeftOut>() + 1),
    ] {
        let (import, peak) = read(Format::OathCsv, line.repeat(most + 1).as_bytes());
        assert_eq!(import.err(), Some(ImportError::TooManyEntries { most }));
        assert_at_most(peak, PLACES * most * entry_bytes + FIXED_BYTES);
    }
}

/// What is copied is copied a few times. Each file has a piece that repeats to a mebibyte.
fn files_of_one_long_entry() {
    for (format, start, repeated, end) in [
        (Format::UriList, "otpauth://totp/a?secret=", "A", ""),
        (
            Format::UriList,
            "otpauth-migration://offline?data=",
            "A",
            "",
        ),
        (Format::OathCsv, "\"", "a,\n", ""),
        (Format::OathCsv, "", ",", ""),
        (Format::BitwardenCsv, "", ",", "\na"),
        (Format::BitwardenCsv, "name,login_totp\n\"", "a", "\",A"),
        (Format::OathUsers, "HOTP ", "a", ""),
        (Format::GoogleAuthenticatorPam, "A\n", "12345678\n", ""),
        (Format::AndOtp, "", "[", ""),
        (Format::TwoFas, "", r#"{"a":"#, ""),
        (
            Format::TwoFas,
            r#"{"schemaVersion":4,"servicesEncrypted":""#,
            "AAAA",
            r#"::"}"#,
        ),
        (Format::Raivo, r#"[{"issuer":""#, r"\u0041", r#""}]"#),
        (Format::Raivo, r#"[{"secret":""#, r"\u0041", r#""}]"#),
        (
            Format::FreeOtpPlus,
            r#"{"tokens":[{"secret":["#,
            "1,",
            "0]}]}",
        ),
        (Format::Pskc, "<KeyContainer>", "<a>", ""),
        (Format::Pskc, "<KeyContainer><", "a", "/></KeyContainer>"),
        (
            Format::Pskc,
            "<KeyContainer ",
            "a=\"b\" ",
            "></KeyContainer>",
        ),
        (
            Format::Pskc,
            "<KeyContainer><KeyPackage><Key><Issuer>",
            "&#65;",
            "</Issuer></Key></KeyPackage></KeyContainer>",
        ),
        (
            Format::Pskc,
            "<KeyContainer><KeyPackage><Key>",
            "<FriendlyName/>",
            "</Key></KeyPackage></KeyContainer>",
        ),
    ] {
        let file = [start, &repeated.repeat((1 << 20) / repeated.len()), end].concat();
        let (_, peak) = read(format, file.as_bytes());
        assert_at_most(peak, MOST_TIMES * file.len() + FIXED_BYTES);
    }
}

/// To make a key of a password takes memory, too, and the file says how much.
fn files_that_ask_for_work() {
    let slot = format!(
        r#"{{"type":1,"key":"","key_params":{{"nonce":"","tag":""}},"salt":"","n":{},"r":8,"p":1}}"#,
        1 << 30
    );
    let aegis = format!(
        r#"{{"version":1,"header":{{"slots":[{slot}],"params":{{"nonce":"","tag":""}}}},"db":""}}"#
    );
    let (import, peak) = read(Format::Aegis, aegis.as_bytes());
    assert_eq!(import.err(), Some(ImportError::TooCostly));
    assert_at_most(peak, FIXED_BYTES);

    let and_otp = vec![0xff; 64 << 10];
    let (import, peak) = read(Format::AndOtp, &and_otp);
    assert_eq!(import.err(), Some(ImportError::WrongPasswordOrDamaged));
    assert_at_most(peak, MOST_TIMES * and_otp.len() + FIXED_BYTES);
}

/// Reads a file with a password at hand, and tells what it took.
fn read(format: Format, file: &[u8]) -> (Result<Import, ImportError>, usize) {
    let options = Options {
        unlock: Unlock::Password("test"),
        ..Options::default()
    };
    let (import, peak) = HEAP.measure(|| import::read_as(format, file, &options));
    let times = peak / file.len();
    println!("{format}: {peak} bytes for {} ({times} times)", file.len());
    (import, peak)
}

#[track_caller]
fn assert_at_most(peak: usize, most: usize) {
    assert!(peak <= most, "{peak} bytes, of {most} at most");
}
