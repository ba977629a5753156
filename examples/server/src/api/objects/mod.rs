//! Members, organizations and sessions as clients of hosted services know them. What this server
//! hasn't, such as single sign-on, is there and empty.

#![allow(clippy::struct_field_names, clippy::struct_excessive_bools)] // the names are the clients'

mod about_member;
mod factor;
mod member;
mod organization;
mod session;
mod session_claims;
mod user;

pub(super) use about_member::AboutMember;
pub(super) use member::{Member, member_totp_id};
pub(super) use organization::Organization;
pub(super) use session::{MemberSession, UserSession};
pub(super) use session_claims::{SessionClaims, SessionReference};
pub(super) use user::{User, user_totp_id};

use keyfob::{LockState, Status, UnixTime};
use serde_json::Value;

use crate::clock::rfc3339;

/// A list that is always empty here.
type Nothing = [Value; 0];

fn time(seconds: u64) -> String {
    rfc3339(UnixTime::from_seconds(seconds))
}

/// Whether codes of the token aren't attempted now.
fn is_locked(status: &Status) -> bool {
    !matches!(status.codes, LockState::Open { .. })
}
