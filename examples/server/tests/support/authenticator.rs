//! A person's authenticator: a camera that reads QR codes, and oathtool, which computes codes. It
//! shares no code with keyfob.

use std::io::Cursor;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use png::Transformations;

/// The secret, in base32, out of a picture of a page.
pub(crate) struct Authenticator(String);

impl Authenticator {
    /// Scans the QR code on a screenshot.
    pub(crate) fn scan(screenshot: &[u8]) -> Self {
        let uri = decode(screenshot);
        assert!(uri.starts_with("otpauth://totp/"), "the QR code says {uri}");
        let (_, parameters) = uri.split_once('?').expect("parameters");
        let mut parameters = parameters.split('&');
        let secret = parameters.find_map(|it| it.strip_prefix("secret="));
        Self(secret.expect("a secret").to_owned())
    }

    /// Takes a secret as it is typed.
    pub(crate) fn of_secret(base32: &str) -> Self {
        Self(base32.to_owned())
    }

    /// The secret in base32.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// The code that is shown now.
    pub(crate) fn code(&self) -> String {
        self.code_in(0)
    }

    /// The code that is shown so many steps from now. The server takes a step more or less, so that
    /// no test has to wait for the next one.
    pub(crate) fn code_in(&self, steps: i64) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock")
            .as_secs();
        let moment = now.checked_add_signed(30 * steps).expect("a moment");
        let output = Command::new("oathtool")
            .args([
                "--totp",
                "--base32",
                &self.0,
                "--now",
                &format!("@{moment}"),
            ])
            .output()
            .expect("oathtool runs: install the package oathtool");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("digits")
            .trim()
            .to_owned()
    }

    /// A code that the server can't accept now: none of the steps near have it.
    pub(crate) fn wrong_code(&self) -> String {
        let near: Vec<String> = (-3..=3).map(|steps| self.code_in(steps)).collect();
        let mut codes = (0..=9).map(|digit| digit.to_string().repeat(6));
        codes
            .find(|code| !near.contains(code))
            .expect("ten are more than seven")
    }
}

fn decode(screenshot: &[u8]) -> String {
    let mut decoder = png::Decoder::new(Cursor::new(screenshot));
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a small image")];
    let frame = reader.next_frame(&mut bytes).expect("an image");
    let (width, height) = (frame.width as usize, frame.height as usize);
    let samples = frame.color_type.samples();
    // All that a QR code has is black or white: one of the colours tells.
    let grey = |x, y| bytes[(y * width + x) * samples];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one QR code in the picture");
    grids[0].decode().expect("a QR code that can be read").1
}
