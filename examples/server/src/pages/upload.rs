//! A file that a person sends, and its reading.

use std::sync::LazyLock;

use axum::extract::multipart::{Multipart, MultipartError};
use keyfob::import::{self, Import, ImportError, Limits, Options, Unlock};
use zeroize::Zeroizing;

use crate::error::Unavailable;
use crate::hashing::Turns;

/// Enough for every app's default, and for one person's file.
const LIMITS: Limits = Limits {
    file_bytes: 1 << 20,
    entries: 2_000,
    pbkdf2_iterations: 1_000_000,
    scrypt_bytes: 64 << 20,
    scrypt_work: 1 << 20,
};

/// Files are read one at a time: a password costs a second and much memory.
static TURNS: LazyLock<Turns> = LazyLock::new(|| Turns::of(1));

/// What was sent.
#[derive(Default)]
pub(super) struct Upload {
    file: Zeroizing<Vec<u8>>,
    password: Zeroizing<String>,
    /// Which of its tokens, if the person was asked.
    chosen: String,
}

impl Upload {
    pub(super) async fn receive(mut form: Multipart) -> Result<Self, MultipartError> {
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await? {
            match field.name().unwrap_or_default() {
                "file" | "text" => upload.add(&field.bytes().await?),
                "password" => upload.password = field.text().await?.into(),
                "chosen" => upload.chosen = field.text().await?,
                _ => {}
            }
        }
        Ok(upload)
    }

    /// An empty field is sent all the same.
    fn add(&mut self, bytes: &[u8]) {
        if self.file.is_empty() {
            self.file = bytes.to_vec().into();
        }
    }
}

/// Reads the file on a thread that may block.
pub(super) async fn read(
    upload: Upload,
) -> Result<(Result<Import, ImportError>, String), Unavailable> {
    let work = move || {
        let unlock = match upload.password.as_str() {
            "" => Unlock::Nothing,
            password => Unlock::Password(password),
        };
        let options = Options {
            unlock,
            limits: LIMITS,
        };
        (import::read(&upload.file, &options), upload.chosen)
    };
    TURNS.work("reading a file", work).await
}
