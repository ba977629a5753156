//! The QR code as an SVG image.

use core::fmt;

use super::QrCode;

impl QrCode<'_> {
    /// The code as an SVG image: a file of its own, or an element to be put in HTML as it stands. A
    /// module is a unit long, and the image as large as what it is put in; the quiet zone is drawn.
    ///
    /// The image has no text of the URI in it, and is named "QR code" to a screen reader. It is as
    /// secret as the URI all the same.
    ///
    /// ```
    /// # use keyfob::{KeyUri, QrBuffer, QrCode, Secret, TotpParams};
    /// # let secret = Secret::from_bytes(b"12345678901234567890")?;
    /// # let uri = KeyUri::totp(&secret, TotpParams::DEFAULT, "ACME Co", "john@example.com")?;
    /// # let mut buffer = QrBuffer::new();
    /// # let qr = QrCode::new(&uri, &mut buffer)?;
    /// let page = format!("<figure>{}</figure>", qr.svg());
    /// # assert!(page.starts_with("<figure><svg ") && page.ends_with("</svg></figure>"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn svg(&self) -> impl fmt::Display {
        Svg(self)
    }
}

struct Svg<'a>(&'a QrCode<'a>);

impl fmt::Display for Svg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = self.0.with_quiet_zone().len();
        write!(
            f,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges" role="img" aria-label="QR code"><rect width="{side}" height="{side}" fill="#fff"/><path d=""##
        )?;
        self.write_runs(f)?;
        f.write_str(r#""/></svg>"#)
    }
}

impl Svg<'_> {
    /// Writes a rectangle for each run of dark modules in a row.
    fn write_runs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for y in 0..self.0.modules() {
            for x in (0..self.0.modules()).filter(|x| self.starts_run(*x, y)) {
                self.write_run(f, x, y)?;
            }
        }
        Ok(())
    }

    fn starts_run(&self, x: i32, y: i32) -> bool {
        self.0.is_dark(x, y) && !self.0.is_dark(x.saturating_sub(1), y)
    }

    fn write_run(&self, f: &mut fmt::Formatter<'_>, x: i32, y: i32) -> fmt::Result {
        let rest = x..self.0.modules();
        let length = rest.take_while(|x| self.0.is_dark(*x, y)).count();
        let left = x.saturating_add(QrCode::QUIET_ZONE);
        let top = y.saturating_add(QrCode::QUIET_ZONE);
        write!(f, "M{left} {top}h{length}v1h-{length}z")
    }
}
