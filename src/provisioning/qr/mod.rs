//! QR codes of key URIs, as modules, text and images.

mod buffer;
mod code;
#[cfg(feature = "png")]
mod png;
mod svg;
mod text;

pub use buffer::QrBuffer;
pub use code::{QrCode, QrError};
#[cfg(feature = "png")]
pub use png::PixelsPerModule;
pub use text::QrBackground;
