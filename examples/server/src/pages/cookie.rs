//! The cookies: of a session, of a log-in that waits for its second step, and of a known device.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

/// A cookie by its name.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Session,
    LogIn,
    /// A device that had the right password before. It stays when the person logs out.
    Device,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "keyfob_session",
            Self::LogIn => "keyfob_log_in",
            Self::Device => "keyfob_device",
        }
    }

    /// The token that the browser has.
    pub(super) fn token(self, jar: &CookieJar) -> Option<&str> {
        jar.get(self.name()).map(Cookie::value)
    }

    /// Gives the browser a token, until it is closed; that of a device for longer.
    pub(super) fn set(self, public_url: &str, jar: CookieJar, token: String) -> CookieJar {
        let cookie = Cookie::build((self.name(), token))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(public_url.starts_with("https://"));
        jar.add(match self {
            Self::Device => cookie.permanent(),
            Self::Session | Self::LogIn => cookie,
        })
    }

    pub(super) fn remove(self, jar: CookieJar) -> CookieJar {
        jar.remove(Cookie::build(self.name()).path("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(public_url: &str) -> String {
        let jar = Kind::Session.set(public_url, CookieJar::new(), "token".into());
        jar.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn cookies_go_no_further_than_they_must() {
        let plain = "keyfob_session=token; HttpOnly; SameSite=Lax; Path=/";
        assert_eq!(set("http://127.0.0.1:8080"), plain);
        let secure = "keyfob_session=token; HttpOnly; SameSite=Lax; Secure; Path=/";
        assert_eq!(set("https://login.example.com"), secure);
    }
}
