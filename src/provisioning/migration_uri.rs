//! `otpauth-migration://`: the QR codes that Google Authenticator exports its tokens in.
//!
//! The format has no standard. Behind the URI stands a protocol buffer with a list of tokens; an
//! export of many tokens is spread over several QR codes.

use core::fmt;

use data_encoding::BASE64_NOPAD;
use micropb::{PbDecoder, WIRE_TYPE_LEN, WIRE_TYPE_VARINT};
use zeroize::Zeroize as _;

use super::text::{Coding, UriText};
use super::uri::{Query, split_label, strip_scheme};
use super::{KeyUri, UriError};
use crate::{
    Algorithm, CodeFormat, HotpParams, Params, Secret, Step, TotpParams, UnknownAlgorithm,
};

/// An `otpauth-migration` URI, read into a buffer that you lend and that is wiped on drop.
///
/// ```
/// use keyfob::MigrationUri;
///
/// let uri = "otpauth-migration://offline?data=CjUKEPqlBekzoNEukL7qlsjBCDYSDnBpQHJhc3BiZXJyeXBpGgtyYXNwYmVycnlwaSABKAEwAhABGAEgACjr4JKK%2B%2F%2F%2F%2F%2F8B";
/// let mut buffer = [0; MigrationUri::QR_CODE_BYTES];
/// let export = MigrationUri::parse(uri, &mut buffer)?;
/// assert_eq!(export.batch().size, 1);
/// for token in export.tokens() {
///     let token = token?;
///     assert_eq!(token.issuer(), "raspberrypi");
///     assert_eq!(token.account(), "pi@raspberrypi");
/// }
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct MigrationUri<'a> {
    buffer: &'a mut [u8],
    message_bytes: usize,
    batch: Batch,
}

/// Which part of an export a QR code is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Batch {
    /// The export's number, drawn at random, the same in all of its QR codes.
    pub id: i32,
    /// Which of its QR codes this is, counted from 1.
    pub number: u32,
    /// How many QR codes it has, at least 1.
    pub size: u32,
}

impl<'a> MigrationUri<'a> {
    /// A buffer of so many bytes is enough for whatever a QR code holds: at most 2,953 bytes, of
    /// which base64 makes three quarters.
    pub const QR_CODE_BYTES: usize = 2_215;

    /// Reads a URI into `buffer`, which needs three quarters of the URI's length at most. The
    /// data may be percent-encoded or not, in either alphabet of base64, padded or not.
    ///
    /// # Errors
    /// A [`MigrationUriError`] that tells what to change; the buffer is wiped then too.
    pub fn parse(uri: &str, buffer: &'a mut [u8]) -> Result<Self, MigrationUriError> {
        // Made first, so that what an error leaves behind is wiped.
        let mut read = Self {
            buffer,
            message_bytes: 0,
            batch: Batch::default(),
        };
        read.message_bytes = decode(data(uri)?, read.buffer)?;
        read.batch = Batch::read(read.message())?;
        Ok(read)
    }

    /// Which part of an export this is.
    #[must_use]
    pub const fn batch(&self) -> Batch {
        self.batch
    }

    /// The tokens, in the export's order. One that can't be taken over doesn't keep the others
    /// from it. Periods aren't part of the format: they are 30 seconds. A counter is given as the
    /// export has it; Google Authenticator counts up before it shows a code, so the next code is
    /// that of the counter after.
    pub fn tokens(&self) -> impl Iterator<Item = Result<KeyUri<'_>, UriError>> {
        Fields(self.message()).filter_map(|field| match field {
            Ok((1, Value::Bytes(token))) => Some(Token::read(token).and_then(Token::into_key_uri)),
            _ => None,
        })
    }

    fn message(&self) -> &[u8] {
        self.buffer.get(..self.message_bytes).unwrap_or_default()
    }
}

impl Drop for MigrationUri<'_> {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

/// Shows the batch and nothing of the tokens.
impl fmt::Debug for MigrationUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationUri")
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

/// The URI's `data`, decoded from percent escapes on the way.
fn data(uri: &str) -> Result<UriText<'_>, MigrationUriError> {
    let rest = strip_scheme(uri.trim_ascii(), MigrationUri::SCHEME);
    let (_, query) = rest
        .and_then(|rest| rest.split_once('?'))
        .ok_or(MigrationUriError::Scheme)?;
    let data = Query::new(query)
        .ok()
        .and_then(|query| query.parameter("data"))
        .ok_or(MigrationUriError::NoData)?;
    UriText::decode(data, Coding::Percent).ok_or(MigrationUriError::Base64)
}

impl MigrationUri<'_> {
    /// What every such URI starts with.
    pub(crate) const SCHEME: &'static str = "otpauth-migration://";
}

/// Decodes base64 of either alphabet, and tells how many bytes came of it.
fn decode(text: UriText<'_>, into: &mut [u8]) -> Result<usize, MigrationUriError> {
    let mut symbols = text
        .chars()
        .filter(|symbol| *symbol != '=')
        .map(standard_symbol);
    let mut length = 0_usize;
    loop {
        let mut group = heapless::Vec::<u8, 4>::new();
        for symbol in symbols.by_ref().take(group.capacity()) {
            let symbol = u8::try_from(symbol).map_err(|_| MigrationUriError::Base64)?;
            group.push(symbol).map_err(|_| MigrationUriError::Base64)?;
        }
        if group.is_empty() {
            return Ok(length);
        }
        let room = into.get_mut(length..).unwrap_or_default();
        length = length.saturating_add(decode_group(&group, room)?);
    }
}

/// `+` and `/` for what other writers make of them.
const fn standard_symbol(symbol: char) -> char {
    match symbol {
        // A plus sign that somebody took for an encoded space.
        '-' | ' ' => '+',
        '_' => '/',
        symbol => symbol,
    }
}

fn decode_group(group: &[u8], room: &mut [u8]) -> Result<usize, MigrationUriError> {
    let bytes = BASE64_NOPAD
        .decode_len(group.len())
        .map_err(|_| MigrationUriError::Base64)?;
    let into = room
        .get_mut(..bytes)
        .ok_or(MigrationUriError::BufferTooSmall)?;
    BASE64_NOPAD
        .decode_mut(group, into)
        .map_err(|_| MigrationUriError::Base64)
}

impl Batch {
    /// Reads what the message says of its batch, and sees to it that all of it can be read.
    fn read(message: &[u8]) -> Result<Self, MigrationUriError> {
        let (mut batch, mut index) = (
            Self {
                size: 1,
                ..Self::default()
            },
            0,
        );
        for field in Fields(message) {
            match field? {
                (3, Value::Number(size)) => batch.size = size_of_batch(size)?,
                (4, Value::Number(number)) => index = size_of_batch(number)?,
                // Negative as often as not: an int32, its sign extended to 64 bits.
                #[allow(clippy::cast_possible_truncation)]
                (5, Value::Number(id)) => batch.id = id.cast_signed() as i32,
                _ => {}
            }
        }
        batch.size = batch.size.max(1);
        batch.number = index.saturating_add(1).min(batch.size);
        Ok(batch)
    }
}

/// A number of QR codes. Nobody scans more than a thousand.
fn size_of_batch(number: u64) -> Result<u32, MigrationUriError> {
    u32::try_from(number)
        .ok()
        .filter(|number| *number <= 1_000)
        .ok_or(MigrationUriError::Message)
}

/// A token as the message has it.
#[derive(Default)]
struct Token<'a> {
    secret: &'a [u8],
    name: &'a str,
    issuer: &'a str,
    algorithm: u64,
    digits: u64,
    kind: u64,
    counter: u64,
}

impl<'a> Token<'a> {
    fn read(message: &'a [u8]) -> Result<Self, UriError> {
        let mut token = Self::default();
        for field in Fields(message) {
            match field.map_err(|_| UriError::Encoding)? {
                (1, Value::Bytes(secret)) => token.secret = secret,
                (2, Value::Bytes(name)) => token.name = text(name)?,
                (3, Value::Bytes(issuer)) => token.issuer = text(issuer)?,
                (4, Value::Number(algorithm)) => token.algorithm = algorithm,
                (5, Value::Number(digits)) => token.digits = digits,
                (6, Value::Number(kind)) => token.kind = kind,
                (7, Value::Number(counter)) => token.counter = counter,
                _ => {}
            }
        }
        Ok(token)
    }

    fn into_key_uri(self) -> Result<KeyUri<'a>, UriError> {
        let (issuer, account) = self.names();
        Ok(KeyUri::from_parts(
            Secret::from_legacy_bytes(self.secret)?,
            self.params()?,
            Step::new(self.counter),
            issuer,
            account,
        ))
    }

    /// Issuer and account. The name is the label of a key URI: it may repeat the issuer.
    fn names(&self) -> (UriText<'a>, UriText<'a>) {
        let (name, issuer) = (UriText::plain(self.name), UriText::plain(self.issuer));
        let (prefix, account) = split_label(name, issuer);
        match issuer.is_empty() {
            true => (prefix, account.trim_start()),
            false if prefix == issuer => (issuer, account.trim_start()),
            false => (issuer, name),
        }
    }

    fn params(&self) -> Result<Params, UriError> {
        let (algorithm, format) = (self.algorithm()?, self.format()?);
        match self.kind {
            0 | 2 => Ok(Params::Totp(TotpParams {
                algorithm,
                format,
                ..TotpParams::DEFAULT
            })),
            1 => Ok(Params::Hotp(HotpParams { algorithm, format })),
            _ => Err(UriError::Type),
        }
    }

    fn algorithm(&self) -> Result<Algorithm, UnknownAlgorithm> {
        match self.algorithm {
            0 | 1 => Ok(Algorithm::Sha1),
            2 => "SHA256".parse(),
            3 => "SHA512".parse(),
            // 4 is MD5.
            _ => Err(UnknownAlgorithm),
        }
    }

    const fn format(&self) -> Result<CodeFormat, UriError> {
        match self.digits {
            0 | 1 => Ok(CodeFormat::SixDigits),
            2 => Ok(CodeFormat::EightDigits),
            _ => Err(UriError::Digits),
        }
    }
}

/// A name. To part one takes time in the square of its length, so it has a bound: that of a URI.
fn text(bytes: &[u8]) -> Result<&str, UriError> {
    if bytes.len() > KeyUri::MAX_BYTES {
        return Err(UriError::TooLong);
    }
    core::str::from_utf8(bytes).map_err(|_| UriError::Encoding)
}

/// The fields of a protocol buffer's message, until one is broken.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// One of a kind that this format doesn't use.
    Other,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), MigrationUriError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read_field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(MigrationUriError::Message))
    }
}

impl<'a> Fields<'a> {
    fn read_field(&mut self) -> Option<(u32, Value<'a>)> {
        let mut decoder = PbDecoder::new(self.0);
        let tag = decoder.decode_tag().ok()?;
        let value = match tag.wire_type() {
            WIRE_TYPE_VARINT => Value::Number(decoder.decode_varint64().ok()?),
            WIRE_TYPE_LEN => {
                let length = usize::try_from(decoder.decode_varint32().ok()?).ok()?;
                let (bytes, rest) = decoder.into_reader().split_at_checked(length)?;
                self.0 = rest;
                return Some((tag.field_num(), Value::Bytes(bytes)));
            }
            other => {
                decoder.skip_wire_value(other).ok()?;
                Value::Other
            }
        };
        self.0 = decoder.into_reader();
        Some((tag.field_num(), value))
    }
}

/// Why a text is no `otpauth-migration` URI. The text tells what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationUriError {
    /// It doesn't start with `otpauth-migration://`, or has no query.
    Scheme,
    /// It has no `data`, or has it twice.
    NoData,
    /// The data is no base64.
    Base64,
    /// What the data encodes isn't a list of tokens, or is cut off.
    Message,
    /// The lent buffer is too small.
    BufferTooSmall,
}

impl fmt::Display for MigrationUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => {
                "this is no export of tokens: it must start with otpauth-migration://offline?data="
            }
            Self::NoData => {
                "the otpauth-migration URI needs its data parameter, once: copy all of it"
            }
            Self::Base64 => "the otpauth-migration URI's data is no base64: copy all of it",
            Self::Message => {
                "the otpauth-migration URI is damaged or cut off: scan the QR code again"
            }
            Self::BufferTooSmall => {
                "the otpauth-migration URI is longer than the buffer that was lent for it"
            }
        })
    }
}

impl core::error::Error for MigrationUriError {}
