//! The way out: what is written is read again, and what isn't is told.
#![cfg(feature = "import")]

use keyfob::export::{self, Omission, Omitted};
use keyfob::import::{self, Format, Import, Imported, Options};
use keyfob::{
    Algorithm, Burned, CodeFormat, HotpParams, Params, Period, Secret, Step, TotpParams, UnixTime,
};
use proptest::prelude::*;

fn token(params: impl Into<Option<Params>>) -> Imported {
    let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
    let mut token = Imported::new(secret, params.into().unwrap_or_default());
    token.issuer = "ACME".into();
    token.account = "alice".into();
    token
}

fn write(token: &Imported) -> (String, Vec<Omission>) {
    let mut list = String::new();
    let omitted = export::uri_list(std::slice::from_ref(token), &mut list).unwrap();
    (
        list,
        omitted.into_iter().map(|omitted| omitted.what).collect(),
    )
}

fn read(list: &str) -> Import {
    import::read_as(Format::UriList, list.as_bytes(), &Options::default()).unwrap()
}

#[test]
fn what_a_list_has_no_room_for_is_told() {
    let mut rich = token(None);
    rich.serial = "123".into();
    rich.drift_steps = -3;
    rich.burned = Some(Burned::up_to(Step::new(60_000_000)));
    rich.recovery_codes.push("12345678");
    let parts = [
        Omission::SerialNumber,
        Omission::Drift,
        Omission::LastStep,
        Omission::RecoveryCodes,
    ];
    let (list, omitted) = write(&rich);
    assert_eq!(omitted, parts);
    assert!(omitted.iter().all(|what| !what.is_token()));
    assert_eq!(read(&list).tokens.len(), 1);
}

#[test]
fn a_token_that_a_list_cannot_describe_is_told() {
    let epoch = UnixTime::from_seconds(1);
    let later = Params::Totp(TotpParams {
        epoch,
        ..TotpParams::DEFAULT
    });
    let mut used_up = token(Params::Hotp(HotpParams::DEFAULT));
    used_up.burned = Some(Burned::up_to(Step::new(u64::MAX)));
    let mut long = token(None);
    long.account = "é".repeat(1_000);
    for (token, what) in [
        (token(later), Omission::Epoch),
        (used_up, Omission::Counter),
        (long, Omission::TooLong),
    ] {
        assert_eq!(write(&token), (String::new(), vec![what]));
        assert!(what.is_token());
    }
}

#[test]
fn the_others_are_written() {
    let mut odd = token(None);
    odd.account = "é".repeat(1_000);
    let tokens = [token(None), odd, token(Params::Hotp(HotpParams::DEFAULT))];
    let mut list = String::new();
    let omitted = export::uri_list(&tokens, &mut list).unwrap();
    assert!(matches!(
        omitted[..],
        [Omitted {
            index: 1,
            what: Omission::TooLong,
            ..
        }]
    ));
    assert_eq!(list.lines().count(), 2);
}

#[test]
fn a_serial_number_stands_for_the_account() {
    let mut hardware = token(Params::Hotp(HotpParams::DEFAULT));
    hardware.account = String::new();
    hardware.serial = "1000001".into();
    let (list, omitted) = write(&hardware);
    assert_eq!(
        (read(&list).tokens[0].account.as_str(), omitted.len()),
        ("1000001", 0)
    );
}

fn tokens() -> impl Strategy<Value = Imported> {
    let algorithms =
        prop::sample::select(vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]);
    let formats = prop::sample::select(vec![
        CodeFormat::SixDigits,
        CodeFormat::SevenDigits,
        CodeFormat::EightDigits,
        CodeFormat::Steam,
    ]);
    let params = (algorithms, formats, 1..=86_400_u32, any::<bool>());
    let secrets = prop::collection::vec(any::<u8>(), 10..=128);
    (
        params,
        secrets,
        any::<u64>(),
        "\\PC{0,30}",
        "(\\PC|[ :%?&#\n]){0,30}",
    )
        .prop_map(
            |((algorithm, format, seconds, hotp), secret, counter, issuer, account)| {
                let params = if hotp && format != CodeFormat::Steam {
                    Params::Hotp(HotpParams { algorithm, format })
                } else {
                    Params::Totp(TotpParams {
                        algorithm,
                        format,
                        period: Period::from_seconds(seconds).unwrap(),
                        ..TotpParams::DEFAULT
                    })
                };
                let mut token = Imported::new(Secret::from_legacy_bytes(&secret).unwrap(), params);
                if matches!(params, Params::Hotp(_)) {
                    token.burned = Some(Burned::before(Step::new(counter)));
                }
                token.issuer = issuer;
                token.account = account;
                token
            },
        )
}

proptest! {
    #[test]
    fn a_list_reads_the_same_again(written in prop::collection::vec(tokens(), 0..6)) {
        let mut list = String::new();
        let omitted = export::uri_list(&written, &mut list).unwrap();
        let read = read(&list);
        prop_assert_eq!(read.left_out.len(), 0);
        prop_assert_eq!(read.tokens.len() + omitted.len(), written.len());
        let lacks = |index| omitted.iter().any(|omitted| omitted.index == index);
        let written = written.iter().enumerate().filter(|(index, _)| !lacks(*index));
        for ((_, written), read) in written.zip(&read.tokens) {
            prop_assert_eq!(read.secret.as_bytes(), written.secret.as_bytes());
            prop_assert_eq!(read.params, written.params);
            prop_assert_eq!(read.counter(), written.counter());
            prop_assert_eq!(&read.issuer, written.issuer.trim());
            prop_assert_eq!(&read.account, written.account.trim());
        }
    }
}
