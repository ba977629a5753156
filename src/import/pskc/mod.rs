use super::{ImportError, import::Reading};
pub(super) fn read(_text: &str, _reading: &mut Reading<'_>) -> Result<(), ImportError> {
    Ok(())
}
