//! PSKC (RFC 6030): what makers of hardware tokens deliver, plain or encrypted under a pre-shared
//! key or a password.
//!
//! Every encrypted value is authenticated before it is decrypted, by its MAC or by the key wrap
//! itself. A file signed as a whole is read, and said to be unchecked.

mod cipher;
mod container;
mod derivation;
mod key_package;
mod mac;
pub(crate) mod names;
mod protection;
mod value;
mod xml;

use super::ImportError;
use super::import::Reading;
use container::Container;
use xml::Walker;

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let mut walker = Walker::new(text);
    let mut container = Container::new(reading);
    walker.document("KeyContainer", |element, walker| {
        container.read(element, walker)
    })?;
    container.finish()
}
