//! The vectors of both RFCs, computed by the device itself.

use keyfob::{Algorithm, CodeFormat, Hotp, HotpParams, Secret, Step, Totp, TotpParams, UnixTime};

const RFC_4226: &str = include_str!("../../../tests/vectors/rfc4226_appendix_d.tsv");
const RFC_6238: &str = include_str!("../../../tests/vectors/rfc6238_appendix_b.tsv");

/// Both RFCs repeat these digits to the length of the algorithm's output.
const KEY: &[u8; 64] = b"1234567890123456789012345678901234567890123456789012345678901234";

/// Whether this device computes what the RFCs say, and there were vectors to tell.
#[must_use]
pub fn passes() -> bool {
    all_right(RFC_4226, counter_is_right) && all_right(RFC_6238, time_is_right)
}

fn all_right(vectors: &str, is_right: fn(&str) -> Option<bool>) -> bool {
    let mut rows = vectors.lines().filter(|line| !line.starts_with('#'));
    let mut seen = 0;
    let right = rows.all(|row| {
        seen += 1;
        is_right(row) == Some(true)
    });
    right && seen > 10
}

/// `counter code`
fn counter_is_right(row: &str) -> Option<bool> {
    let (counter, code) = row.split_once('\t')?;
    let hotp = Hotp::new(&secret(Algorithm::Sha1)?, HotpParams::DEFAULT);
    let computed = hotp.code(Step::new(counter.parse().ok()?));
    Some(computed.to_text().as_str() == code)
}

/// `time algorithm code`
fn time_is_right(row: &str) -> Option<bool> {
    let (time, rest) = row.split_once('\t')?;
    let (algorithm, code) = rest.split_once('\t')?;
    let params = TotpParams {
        algorithm: algorithm.parse().ok()?,
        format: CodeFormat::EightDigits,
        ..TotpParams::DEFAULT
    };
    let totp = Totp::new(&secret(params.algorithm)?, params);
    let computed = totp.code_at(UnixTime::from_seconds(time.parse().ok()?));
    Some(computed.to_text().as_str() == code)
}

fn secret(algorithm: Algorithm) -> Option<Secret> {
    Secret::from_bytes(KEY.get(..algorithm.output_bytes())?).ok()
}
