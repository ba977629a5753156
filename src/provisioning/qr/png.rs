//! The QR code as a PNG image.

use core::iter::repeat_n;
use core::mem::replace;
use std::io::Write;
use std::string::String;
use std::vec::Vec;

use data_encoding::BASE64;
use png::{BitDepth, ColorType, Encoder, EncodingError};
use zeroize::{Zeroize as _, Zeroizing};

use super::QrCode;

const DATA_URI: &str = "data:image/png;base64,";

impl QrCode<'_> {
    /// The code as a PNG image in black and white, the quiet zone included.
    ///
    /// The image is as secret as the URI, and it is yours to wipe: `zeroize::Zeroizing` does. What
    /// the encoder keeps of it while it works is freed without being wiped.
    ///
    /// ```
    /// # use keyfob::{KeyUri, QrBuffer, QrCode, Secret, TotpParams};
    /// use keyfob::PixelsPerModule;
    ///
    /// # let secret = Secret::from_bytes(b"12345678901234567890")?;
    /// # let uri = KeyUri::totp(&secret, TotpParams::DEFAULT, "ACME Co", "john@example.com")?;
    /// # let mut buffer = QrBuffer::new();
    /// # let qr = QrCode::new(&uri, &mut buffer)?;
    /// let image = qr.png(PixelsPerModule::DEFAULT);
    /// assert!(image.starts_with(b"\x89PNG"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn png(&self, scale: PixelsPerModule) -> Vec<u8> {
        let mut image = Image(Vec::new());
        // An image takes all that is written, and no code and scale make one that PNG can't be.
        let _ = self.write_png(scale, &mut image);
        image.0
    }

    /// The code as a `data:` URI of a [PNG image](Self::png), for the `src` of an HTML `img`. A
    /// content security policy must allow such (`img-src data:`); [`svg`](Self::svg) needs no leave.
    ///
    /// It is as secret as the key URI, and yours to wipe.
    #[must_use]
    pub fn png_data_uri(&self, scale: PixelsPerModule) -> String {
        let image = Zeroizing::new(self.png(scale));
        // All of it at once, as a string that grows leaves a copy behind.
        let length = DATA_URI
            .len()
            .saturating_add(BASE64.encode_len(image.len()));
        let mut uri = String::with_capacity(length);
        uri.push_str(DATA_URI);
        BASE64.encode_append(&image, &mut uri);
        uri
    }

    fn write_png(&self, scale: PixelsPerModule, image: &mut Image) -> Result<(), EncodingError> {
        let side = self.side_pixels(scale);
        let mut encoder = Encoder::new(image, side, side);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::One);
        let mut writer = encoder.write_header()?;
        let mut rows = writer.stream_writer()?;
        for y in self.with_quiet_zone() {
            let row = self.row(y, scale);
            for _ in 0..scale.0 {
                rows.write_all(&row)?;
            }
        }
        rows.finish()?;
        writer.finish()
    }

    fn side_pixels(&self, scale: PixelsPerModule) -> u32 {
        let modules = self.with_quiet_zone().map(|_| u32::from(scale.0));
        modules.sum()
    }

    /// A row of pixels, eight in a byte and the first in its highest bit; set ones are white.
    fn row(&self, y: i32, scale: PixelsPerModule) -> Zeroizing<Vec<u8>> {
        let columns = self.with_quiet_zone();
        let mut pixels = columns.flat_map(|x| repeat_n(!self.is_dark(x, y), scale.0.into()));
        let bytes = self.side_pixels(scale).div_ceil(8);
        let row = (0..bytes).map(|_| take_byte(&mut pixels)).collect();
        Zeroizing::new(row)
    }
}

/// An image under way, which leaves no copy of itself where it grows.
struct Image(Vec<u8>);

impl Write for Image {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.saturating_mul(2));
            larger.extend_from_slice(&self.0);
            replace(&mut self.0, larger).zeroize();
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn take_byte(pixels: &mut impl Iterator<Item = bool>) -> u8 {
    (0..8).fold(0, |byte, _| {
        let white = pixels.next().unwrap_or(true);
        (byte << 1) | u8::from(white)
    })
}

/// How large a module is in an image: 1 to 64 pixels on each side, by default 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelsPerModule(u8);

impl PixelsPerModule {
    /// 8 pixels: some 400 on each side for a URI of common length, quiet zone included.
    pub const DEFAULT: Self = Self(8);

    /// 1 to 64 pixels on each side; `None` outside that range.
    #[must_use]
    pub const fn new(pixels: u8) -> Option<Self> {
        match pixels {
            1..=64 => Some(Self(pixels)),
            _ => None,
        }
    }

    /// The pixels on each side, 1 to 64.
    #[must_use]
    pub const fn count(self) -> u8 {
        self.0
    }
}

impl Default for PixelsPerModule {
    fn default() -> Self {
        Self::DEFAULT
    }
}
