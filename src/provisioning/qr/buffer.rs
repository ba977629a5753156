//! The room in which a QR code is made.

use core::fmt;

use qrcodegen_no_heap::Version;
use zeroize::Zeroize as _;

/// Room for one [`QrCode`](crate::QrCode): two arrays of `BYTES`, wiped on drop.
///
/// The default, 1,713 bytes twice, holds versions 1 to 25 of the QR code, and so a key URI of up to
/// 1,273 bytes. One with a 20-byte secret and short names has some 100 bytes, so a device with less
/// memory can choose a smaller version as its largest:
///
/// ```
/// use keyfob::QrBuffer;
///
/// const BYTES: usize = QrBuffer::bytes_for(10).unwrap();
/// let buffer: QrBuffer<BYTES> = QrBuffer::sized();
/// assert_eq!(size_of_val(&buffer), 816);
/// ```
///
/// | Largest version | Modules on each side | Longest URI, in bytes | `BYTES` |
/// |---|---|---|---|
/// | 5 | 37 | 106 | 173 |
/// | 7 | 45 | 154 | 255 |
/// | 10 | 57 | 271 | 408 |
/// | 15 | 77 | 520 | 743 |
/// | 25 | 117 | 1,273 | 1,713 |
/// | 40 | 177 | 2,953 | 3,918 |
///
/// `Debug` shows the type's name alone. A buffer in a `static` is never dropped, and so never wiped:
/// put it on the stack.
pub struct QrBuffer<const BYTES: usize = 1713> {
    /// First the URI, then what the encoder notes down.
    pub(super) notes: [u8; BYTES],
    pub(super) modules: [u8; BYTES],
}

impl QrBuffer {
    /// An empty buffer of the default size.
    #[must_use]
    pub const fn new() -> Self {
        Self::sized()
    }

    /// The `BYTES` that QR codes of a version need, and of those below it; `None` unless the version
    /// is 1 to 40.
    #[must_use]
    pub const fn bytes_for(version: u8) -> Option<usize> {
        match version {
            1..=40 => Some(Version::new(version).buffer_len()),
            _ => None,
        }
    }
}

impl<const BYTES: usize> QrBuffer<BYTES> {
    /// The largest version that there is room for. Too small a buffer fails to compile.
    pub(super) const LARGEST: Version = largest_version(BYTES);

    /// An empty buffer of any size. Fewer bytes than the 57 of version 1 fail to compile:
    ///
    /// ```compile_fail
    /// let buffer = keyfob::QrBuffer::<56>::sized();
    /// ```
    #[must_use]
    pub const fn sized() -> Self {
        let _ = Self::LARGEST;
        Self {
            notes: [0; BYTES],
            modules: [0; BYTES],
        }
    }
}

const fn largest_version(bytes: usize) -> Version {
    assert!(
        bytes >= Version::MIN.buffer_len(),
        "a QrBuffer needs at least 57 bytes: take those that QrBuffer::bytes_for tells"
    );
    let mut version = Version::MAX;
    while version.buffer_len() > bytes {
        version = Version::new(version.value().saturating_sub(1));
    }
    version
}

impl<const BYTES: usize> Default for QrBuffer<BYTES> {
    fn default() -> Self {
        Self::sized()
    }
}

impl<const BYTES: usize> Drop for QrBuffer<BYTES> {
    fn drop(&mut self) {
        self.notes.as_mut_slice().zeroize();
        self.modules.as_mut_slice().zeroize();
    }
}

/// Shows the type's name and nothing of the URI.
impl<const BYTES: usize> fmt::Debug for QrBuffer<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrBuffer").finish_non_exhaustive()
    }
}
