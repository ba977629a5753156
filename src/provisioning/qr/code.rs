//! The QR code: its making, and its modules.

use core::fmt::{self, Write as _};
use core::ops::Range;

use qrcodegen_no_heap::{QrCode as Encoded, QrCodeEcc, QrSegment, Version};

use super::QrBuffer;
use crate::KeyUri;

/// The QR code of a key URI, from which an authenticator app enrols.
///
/// It is shown as text ([`terminal`](Self::terminal), [`plain`](Self::plain)), as an image
/// ([`svg`](Self::svg), and `png` with the feature of that name), or on a display of your own:
/// [`is_dark`](Self::is_dark) tells each module, as the squares of a QR code are called.
///
/// The code is as secret as the URI, and so is everything drawn from it: show it to the person who
/// enrols, and keep it out of logs, caches and mail. `Debug` shows the type's name alone.
///
/// ```
/// use keyfob::{KeyUri, QrBuffer, QrCode, Secret, TotpParams};
///
/// let secret = Secret::from_bytes(b"12345678901234567890")?;
/// let uri = KeyUri::totp(&secret, TotpParams::DEFAULT, "ACME Co", "john@example.com")?;
/// let mut buffer = QrBuffer::new();
/// let qr = QrCode::new(&uri, &mut buffer)?;
/// println!("{}", qr.terminal());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct QrCode<'a>(Encoded<'a>);

impl<'a> QrCode<'a> {
    /// The white margin that a QR code needs on each side, in modules (ISO/IEC 18004).
    pub const QUIET_ZONE: i32 = 4;

    /// Makes the QR code of a URI: in the smallest version that holds it with medium error
    /// correction, or with low where medium finds no room, and then with the highest that the
    /// version has room for.
    ///
    /// # Errors
    /// [`QrError::TooLong`] if the URI doesn't fit in the largest version that the buffer holds.
    pub fn new<const BYTES: usize>(
        uri: &KeyUri<'_>,
        buffer: &'a mut QrBuffer<BYTES>,
    ) -> Result<Self, QrError> {
        let QrBuffer { notes, modules } = buffer;
        let largest = QrBuffer::<BYTES>::LARGEST;
        let bytes = write_to(notes, uri);
        let (codewords, level, version) = notes
            .get(..bytes)
            .and_then(|text| encode(text, largest, modules))
            .ok_or_else(|| QrError::TooLong {
                bytes,
                most: most_bytes(largest, modules),
            })?;
        let code = Encoded::encode_codewords(modules, codewords, notes, level, version, None);
        Ok(Self(code))
    }

    /// The modules on each side, without the quiet zone: 21 to 177.
    #[must_use]
    pub fn modules(&self) -> i32 {
        self.0.size()
    }

    /// Whether the module in column `x` and row `y` is dark. They count from 0 at the top left;
    /// outside of the code, as in the quiet zone, all is light.
    #[must_use]
    pub fn is_dark(&self, x: i32, y: i32) -> bool {
        self.0.get_module(x, y)
    }

    /// The columns, and the rows, from one end of the quiet zone to the other.
    pub(super) fn with_quiet_zone(&self) -> Range<i32> {
        Self::QUIET_ZONE.saturating_neg()..self.modules().saturating_add(Self::QUIET_ZONE)
    }
}

/// How many codewords there are, how they are protected, and the version that holds them.
type Codewords = (usize, QrCodeEcc, Version);

/// Lays the codewords of a text down in `modules`; `None` if they don't fit.
fn encode(text: &[u8], largest: Version, modules: &mut [u8]) -> Option<Codewords> {
    let text = [QrSegment::make_bytes(text)];
    let mut encode_at = |level| {
        let smallest = Version::MIN;
        Encoded::encode_segments_to_codewords(&text, modules, level, smallest, largest, true).ok()
    };
    encode_at(QrCodeEcc::Medium).or_else(|| encode_at(QrCodeEcc::Low))
}

/// How long a text of a version can be, in bytes.
fn most_bytes(version: Version, modules: &mut [u8]) -> usize {
    // A code of nothing is filled up with codewords; a text can have all but those of its header.
    let level = QrCodeEcc::Low;
    let filled =
        Encoded::encode_segments_to_codewords(&[], modules, level, version, version, false);
    let header = if version.value() < 10 { 2 } else { 3 };
    filled.map_or(0, |(codewords, ..)| codewords.saturating_sub(header))
}

/// Writes the URI as far as there is room, and tells how long all of it is.
fn write_to(room: &mut [u8], uri: &KeyUri<'_>) -> usize {
    let mut writer = Writer { room, length: 0 };
    // Counting never fails.
    let _ = write!(writer, "{uri}");
    writer.length
}

/// Takes text in as far as there is room, and counts all of it.
struct Writer<'a> {
    room: &'a mut [u8],
    length: usize,
}

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length.saturating_add(text.len());
        if let Some(place) = self.room.get_mut(self.length..end) {
            place.copy_from_slice(text.as_bytes());
        }
        self.length = end;
        Ok(())
    }
}

/// Shows the type's name and nothing of the URI.
impl fmt::Debug for QrCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrCode").finish_non_exhaustive()
    }
}

/// Why there is no QR code of a key URI. The text tells what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QrError {
    /// The URI doesn't fit, not even with low error correction.
    TooLong {
        /// How many bytes the URI has.
        bytes: usize,
        /// How many the largest QR code takes that the buffer has room for.
        most: usize,
    },
}

impl fmt::Display for QrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, most } => write!(
                f,
                "the key URI has {bytes} bytes, the QR code takes at most {most}: shorten the issuer or the account, or use a larger QrBuffer"
            ),
        }
    }
}

impl core::error::Error for QrError {}
