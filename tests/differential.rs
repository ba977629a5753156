//! keyfob against an independent implementation, on random tokens.
#![cfg(feature = "sha2")]

use keyfob::{
    Algorithm, Burned, Code, CodeFormat, KeyUri, Period, Secret, Totp, TotpParams, UnixTime, Window,
};
use proptest::prelude::*;

/// One token, in both implementations.
#[derive(Debug, Clone)]
struct Token {
    algorithm: Algorithm,
    digits: u8,
    period: u32,
    key: Vec<u8>,
}

fn tokens() -> impl Strategy<Value = Token> {
    let algorithms =
        prop::sample::select(vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]);
    let keys = prop::collection::vec(any::<u8>(), 16..=128);
    (algorithms, 6..=8_u8, 1..=86_400_u32, keys).prop_map(|(algorithm, digits, period, key)| {
        Token {
            algorithm,
            digits,
            period,
            key,
        }
    })
}

impl Token {
    fn ours(&self) -> Totp {
        let params = TotpParams {
            algorithm: self.algorithm,
            format: CodeFormat::from_digits(self.digits).unwrap(),
            period: Period::from_seconds(self.period).unwrap(),
            ..TotpParams::DEFAULT
        };
        Totp::new(&Secret::from_bytes(&self.key).unwrap(), params)
    }

    fn theirs(&self) -> totp_rs::Totp {
        self.their_builder().build().unwrap()
    }

    fn their_builder(&self) -> totp_rs::Builder {
        totp_rs::Builder::new()
            .with_algorithm(match self.algorithm {
                Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
                Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
                _ => totp_rs::Algorithm::SHA512,
            })
            .with_digits(self.digits)
            .with_step_duration(self.period.into())
            .with_secret(self.key.clone())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn codes(token in tokens(), now: u64) {
        let ours = token.ours().code_at(UnixTime::from_seconds(now)).to_string();
        prop_assert_eq!(ours, token.theirs().generate(now).to_string());
    }

    #[test]
    fn verification(token in tokens(), now in 0..u64::MAX / 2, skew in 0..=10_u8, away in -11..=11_i64) {
        let theirs = token.their_builder().with_skew(skew.into()).build().unwrap();
        let then = now.saturating_add_signed(away * i64::from(token.period));
        let text = theirs.generate(then).to_string();
        let code = Code::parse(&text).unwrap();
        let window = Window::new(skew, skew).unwrap();
        let ours = token.ours().verify(&code, UnixTime::from_seconds(now), window, &mut Burned::NOTHING.clone());
        // Of two equal codes theirs tells the first step and ours the last, so only the verdict is compared.
        prop_assert_eq!(ours.is_ok(), theirs.check(&text, now).is_some());
    }

    #[test]
    fn steam(key in prop::collection::vec(any::<u8>(), 20), now: u64) {
        let params = TotpParams { format: CodeFormat::Steam, ..TotpParams::DEFAULT };
        let ours = Totp::new(&Secret::from_bytes(&key).unwrap(), params);
        let theirs = totp_rs::Builder::new_steam().with_secret(key).build().unwrap();
        let ours = ours.code_at(UnixTime::from_seconds(now)).to_string();
        prop_assert_eq!(ours, theirs.generate(now).to_string());
    }

    #[test]
    // Readers on a general URL parser drop an account `.` or `..` as a path segment.
    fn they_read_our_uri(token in tokens(), issuer in "[A-Za-z ]{1,12}", account in "[a-z][a-z@.]{0,20}", now: u64) {
        let (ours, issuer) = (token.ours(), issuer.trim());
        let secret = Secret::from_bytes(&token.key).unwrap();
        let uri = KeyUri::totp(&secret, *ours.params(), issuer, &account).unwrap().to_string();
        let theirs = totp_rs::Totp::from_url(&uri).unwrap();
        prop_assert_eq!(theirs.account_name(), account.as_str());
        let now_ours = UnixTime::from_seconds(now);
        prop_assert_eq!(ours.code_at(now_ours).to_string(), theirs.generate(now).to_string());
    }

    #[test]
    fn we_read_their_uri(token in tokens(), issuer in "[A-Za-z]{1,12}", account in "[a-z@. ]{0,10}[a-z]", now: u64) {
        let theirs = token.their_builder()
            .with_issuer(Some(issuer.clone()))
            .with_account_name(account.clone())
            .build()
            .unwrap();
        let url = theirs.to_url().unwrap();
        let uri = KeyUri::parse_lenient(&url).unwrap();
        prop_assert_eq!(uri.issuer(), issuer.as_str());
        prop_assert_eq!(uri.account(), account.trim_start());
        prop_assert_eq!(uri.secret().as_bytes(), &token.key[..]);
    }
}
