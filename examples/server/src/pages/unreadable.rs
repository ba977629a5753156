//! Why a backup file isn't read, and which field of the form helps.

use keyfob::import::ImportError;

use super::notice::Notice;

/// What to do, for the person: keyfob's own texts are for programs too, which can name a format or raise
/// a limit.
pub(super) fn notice(error: ImportError) -> Notice {
    match error {
        ImportError::Unrecognised | ImportError::NotText => Notice::problem(
            "the format isn’t recognised: choose a whole backup of one of the apps named below",
        ),
        ImportError::FileTooLong { .. } => {
            Notice::problem("the file is larger than 1 MiB: export one entry alone")
        }
        ImportError::TooManyEntries { most } => Notice::problem(format_args!(
            "the file has more than {most} entries: export one entry alone"
        )),
        ImportError::TooCostly => {
            Notice::problem("the file takes too much work to decrypt: export it without encryption")
        }
        error => Notice::problem(error),
    }
}

/// The field to go to.
pub(super) const fn field(error: ImportError) -> &'static str {
    match error {
        ImportError::Locked { .. }
        | ImportError::WrongPassword
        | ImportError::WrongPasswordOrDamaged => "password",
        _ => "file",
    }
}
