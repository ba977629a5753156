//! PSKC: what is read, what is left out and why, and the round trip through the writer.
#![cfg(feature = "import")]

use keyfob::export::{self, ExportError, Omission, Protection, Written};
use keyfob::import::{
    self, Format, Import, ImportError, Imported, Limits, Options, Place, Reason, Remark, Unlock,
};
use keyfob::{
    Algorithm, Burned, CodeFormat, Entropy, EntropyError, HotpParams, Params, Pbkdf2Iterations,
    Period, Secret, SecretError, Step, SystemEntropy, TotpParams, UnixTime, UnknownAlgorithm,
};
use proptest::prelude::*;

const SECRET: &[u8] = b"12345678901234567890";
const LONGER_SECRET: &[u8] = b"123456789012345678901234";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/pskc/", $name, ".xml"))
    };
}

fn read(file: &str, unlock: Unlock<'_>) -> Result<Import, ImportError> {
    let options = Options {
        unlock,
        ..Options::default()
    };
    import::read_as(Format::Pskc, file.as_bytes(), &options)
}

fn read_plain(file: &str) -> Import {
    read(file, Unlock::Nothing).unwrap()
}

/// The fixtures' key, as long as the cipher wants it.
fn key(bytes: u8) -> Vec<u8> {
    (0x40..0x40 + bytes).collect()
}

fn read_with_key(file: &str) -> Import {
    read(file, Unlock::Key(&key(32))).unwrap()
}

/// The only token of a file in which nothing is left out.
fn only(import: &Import) -> &Imported {
    assert!(import.left_out.is_empty(), "{:?}", import.left_out);
    assert_eq!(import.tokens.len(), 1);
    &import.tokens[0]
}

fn secrets(import: &Import) -> Vec<&[u8]> {
    let tokens = import.tokens.iter();
    tokens.map(|token| token.secret.as_bytes()).collect()
}

fn entries(import: &Import) -> Vec<Place> {
    import.tokens.iter().map(|token| token.place).collect()
}

fn reasons(import: &Import) -> Vec<(Place, &str, Reason)> {
    let left_out = import.left_out.iter();
    left_out
        .map(|left_out| (left_out.place, left_out.name.as_str(), left_out.reason))
        .collect()
}

#[test]
fn names_and_numbers_are_read_from_every_place() {
    let import = read_plain(fixture!("plain"));
    assert!(import.left_out.is_empty());
    assert_eq!(entries(&import), [1, 2, 3, 4].map(Place::Entry));
    let [hotp, totp, second, nameless] = &import.tokens[..] else {
        panic!()
    };

    assert_eq!(hotp.issuer, "A&B <C> DE");
    assert_eq!(hotp.account, "uid=alice,dc=example");
    assert_eq!(hotp.serial, "HOTP-1");
    assert_eq!(hotp.secret.as_bytes(), SECRET);
    let eight_digits = HotpParams {
        format: CodeFormat::EightDigits,
        ..HotpParams::DEFAULT
    };
    assert_eq!(hotp.params, Params::Hotp(eight_digits));
    assert_eq!(hotp.counter(), Some(Step::new(42)));
    assert!(hotp.remarks.is_empty());

    let minutes = TotpParams {
        algorithm: Algorithm::Sha256,
        period: Period::from_seconds(60).unwrap(),
        ..TotpParams::DEFAULT
    };
    assert_eq!(totp.params, Params::Totp(minutes));
    assert_eq!(
        (totp.account.as_str(), totp.serial.as_str()),
        ("bob", "TOTP-2")
    );
    assert_eq!(totp.burned, Some(Burned::up_to(Step::new(57_000_000))));
    assert_eq!(totp.drift_steps, -3);

    assert_eq!(second.params, Params::Totp(TotpParams::DEFAULT));
    assert_eq!((second.account.as_str(), second.burned), ("bob", None));

    assert_eq!(
        (nameless.account.as_str(), nameless.serial.as_str()),
        ("", "K-4")
    );
    assert_eq!(nameless.counter(), Some(Step::new(0)));
}

#[test]
fn what_is_left_out_has_its_reason() {
    let too_short = SecretError::TooShort {
        bytes: 4,
        fewest: Secret::MIN_LEGACY_BYTES,
    };
    let expected = [
        (Place::Entry(1), "ACME: S-1", Reason::NoSecret),
        (Place::Entry(2), "alice", Reason::Secret(too_short)),
        (Place::Entry(3), "3", Reason::Counter),
        (Place::Entry(4), "4", Reason::SecretEncoding),
        (Place::Entry(5), "5", Reason::Period),
        (Place::Entry(6), "6", Reason::Malformed),
        (Place::File, "no key", Reason::NoOneTimePassword),
        (Place::File, "Vault", Reason::Malformed),
    ];
    let import = read_plain(fixture!("left-out"));
    assert!(import.tokens.is_empty());
    assert_eq!(reasons(&import), expected);
}

#[test]
fn kinds_go_by_their_names_in_the_standard_and_its_drafts() {
    let import = read_plain(fixture!("algorithm-names"));
    let kinds = import.tokens.iter().map(|token| match token.params {
        Params::Hotp(_) => "hotp",
        Params::Totp(_) => "totp",
    });
    let kinds: Vec<_> = kinds.collect();
    assert_eq!(kinds, ["hotp", "hotp", "totp", "hotp", "totp"]);
    let others = [
        (6, "ACME: T-6"),
        (7, "ACME: T-7"),
        (8, "ACME: T-8"),
        (9, "ACME: T-9"),
    ];
    let others = others.map(|(entry, name)| (Place::Entry(entry), name, Reason::Kind));
    assert_eq!(reasons(&import), others);
}

#[test]
fn codes_that_arent_plain_digits_are_left_out() {
    let import = read_plain(fixture!("response-formats"));
    let format = |token: &Imported| (token.params.algorithm(), token.params.format());
    let formats: Vec<_> = import.tokens.iter().map(format).collect();
    let expected = [
        (Algorithm::Sha1, CodeFormat::SevenDigits),
        (Algorithm::Sha1, CodeFormat::EightDigits),
        (Algorithm::Sha1, CodeFormat::SixDigits),
        (Algorithm::Sha512, CodeFormat::SixDigits),
    ];
    assert_eq!(formats, expected);
    let expected = [
        (Place::Entry(4), "ACME: T-4", Reason::ResponseFormat),
        (Place::Entry(5), "ACME: T-5", Reason::ResponseFormat),
        (Place::Entry(6), "ACME: T-6", Reason::Digits),
        (
            Place::Entry(8),
            "ACME: T-8",
            Reason::Algorithm(UnknownAlgorithm),
        ),
    ];
    assert_eq!(reasons(&import), expected);
}

#[test]
fn restrictions_are_remarked() {
    let import = read_plain(fixture!("policies"));
    assert!(import.left_out.is_empty());
    let remarks: Vec<_> = import
        .tokens
        .iter()
        .map(|token| &token.remarks[..])
        .collect();
    let (policy, pin) = (&[Remark::KeyPolicy][..], &[Remark::Pin][..]);
    assert_eq!(remarks, [&[], &[], policy, pin, policy, policy, policy]);
}

#[test]
fn a_delivery_is_read_whole() {
    let import = read_plain(fixture!("bulk"));
    let serials: Vec<_> = import.tokens.iter().map(|token| &token.serial).collect();
    assert_eq!(serials, ["T-1", "T-2", "T-3", "T-4"]);
    assert!(
        import
            .tokens
            .iter()
            .all(|token| token.remarks == [Remark::KeyPolicy])
    );
}

#[test]
fn a_signature_is_said_to_be_unchecked() {
    let import = read_plain(fixture!("signed"));
    assert_eq!(secrets(&import), [SECRET]);
    assert_eq!(reasons(&import), [(Place::File, "", Reason::Signature)]);
}

#[test]
fn the_cryptograms_of_rfc_6030_open() {
    let key = *b"\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12";
    let import = read(fixture!("rfc6030-shared-key"), Unlock::Key(&key)).unwrap();
    let token = only(&import);
    assert_eq!(token.secret.as_bytes(), SECRET);
    assert_eq!(token.params.format(), CodeFormat::EightDigits);
    assert_eq!(token.counter(), Some(Step::new(0)));

    let import = read(fixture!("rfc6030-password"), Unlock::Password("qwerty")).unwrap();
    assert_eq!(only(&import).secret.as_bytes(), SECRET);

    let derived = 0x651e_63cd_5700_8476_af1f_f642_2cd0_2e41_u128.to_be_bytes();
    let import = read(fixture!("rfc6030-password"), Unlock::Key(&derived)).unwrap();
    assert_eq!(only(&import).secret.as_bytes(), SECRET);
}

#[test]
fn every_cipher_and_hash_opens() {
    for (bytes, file) in [
        (16, fixture!("cbc-aes128-hmac-sha1")),
        (24, fixture!("cbc-aes192-hmac-sha256")),
        (32, fixture!("cbc-aes256-hmac-sha512")),
        (32, fixture!("one-key-for-both")),
    ] {
        let import = read(file, Unlock::Key(&key(bytes))).unwrap();
        assert_eq!(only(&import).secret.as_bytes(), SECRET);
    }
}

#[test]
fn key_wraps_open() {
    let import = read(fixture!("key-wrap"), Unlock::Key(&key(16))).unwrap();
    assert_eq!(secrets(&import), [LONGER_SECRET, SECRET]);

    let import = read(fixture!("key-wrap-aes192-pad"), Unlock::Key(&key(24))).unwrap();
    assert_eq!(only(&import).secret.as_bytes(), SECRET);
    assert_eq!(only(&import).counter(), Some(Step::new(5)));

    let import = read_with_key(fixture!("key-wrap-aes256-mac"));
    assert_eq!(secrets(&import), [LONGER_SECRET]);
    assert_eq!(
        reasons(&import),
        [(Place::Entry(2), "ACME: T-2", Reason::Mac)]
    );
}

#[test]
fn passwords_open_whatever_the_hash() {
    for (password, file) in [
        ("correct horse", fixture!("password-default-prf")),
        ("correct horse", fixture!("password-hmac-sha256")),
        ("pässwörd", fixture!("password-hmac-sha512")),
    ] {
        let import = read(file, Unlock::Password(password)).unwrap();
        assert_eq!(only(&import).secret.as_bytes(), SECRET);
        let error = read(file, Unlock::Password("wrong horse")).unwrap_err();
        assert_eq!(error, ImportError::WrongPasswordOrDamaged);
    }
}

/// python-pskc writes the hash as text, and doesn't read that itself.
#[test]
fn the_hash_of_a_password_may_be_text() {
    let uri = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let attribute = format!("<x:PRF Algorithm=\"{uri}\"/>");
    let text = format!("<x:PRF>{uri}</x:PRF>");
    let file = fixture!("password-hmac-sha256");
    assert!(file.contains(&attribute));
    let import = read(
        &file.replace(&attribute, &text),
        Unlock::Password("correct horse"),
    );
    assert_eq!(only(&import.unwrap()).secret.as_bytes(), SECRET);
}

#[test]
fn encrypted_numbers_are_big_endian() {
    let import = read_with_key(fixture!("encrypted-numbers"));
    let [first, last, totp, ahead] = &import.tokens[..] else {
        panic!()
    };
    assert_eq!(first.counter(), Some(Step::new(300)));
    assert_eq!(last.counter(), Some(Step::new(u64::MAX)));
    assert_eq!(totp.burned, Some(Burned::up_to(Step::new(57_000_000))));
    assert_eq!((totp.drift_steps, ahead.drift_steps), (-2, 255));
    assert_eq!(
        reasons(&import),
        [(Place::Entry(3), "ACME: T-3", Reason::Counter)]
    );
}

#[test]
fn what_isnt_authenticated_isnt_decrypted() {
    for file in [fixture!("no-mac"), fixture!("no-mac-method")] {
        let import = read_with_key(file);
        assert!(import.tokens.is_empty());
        assert_eq!(
            reasons(&import),
            [(Place::Entry(1), "ACME: T-1", Reason::NoMac)]
        );
    }
}

#[test]
fn one_damaged_value_doesnt_lose_the_others() {
    let import = read_with_key(fixture!("damaged"));
    assert_eq!(entries(&import), [1, 3].map(Place::Entry));
    assert_eq!(
        reasons(&import),
        [(Place::Entry(2), "ACME: T-2", Reason::Mac)]
    );
}

/// A key that is wrong or of the wrong length takes nothing, not even what is plain.
#[test]
fn a_wrong_key_is_told_from_damage() {
    for file in [
        fixture!("cbc-aes256-hmac-sha512"),
        fixture!("one-key-for-both"),
        fixture!("damaged"),
        fixture!("key-wrap"),
        fixture!("key-wrap-aes192-pad"),
        fixture!("mixed"),
    ] {
        for key in [&[0x17; 32][..], &[0x17; 16], &[0x17; 24], &[]] {
            let error = read(file, Unlock::Key(key)).unwrap_err();
            assert_eq!(error, ImportError::WrongPasswordOrDamaged);
        }
    }
}

#[test]
fn without_the_key_only_what_is_plain_is_read() {
    let locked = ImportError::Locked {
        format: Format::Pskc,
    };
    for unlock in [Unlock::Nothing, Unlock::Password("a key is wanted")] {
        let error = read(fixture!("damaged"), unlock).unwrap_err();
        assert_eq!(error, locked);
        let import = read(fixture!("mixed"), unlock).unwrap();
        assert_eq!(secrets(&import), [SECRET]);
        assert_eq!(
            reasons(&import),
            [(Place::Entry(2), "ACME: T-2", Reason::Locked)]
        );
    }
    let error = read(fixture!("password-hmac-sha256"), Unlock::Nothing).unwrap_err();
    assert_eq!(error, locked);
    assert_eq!(secrets(&read_with_key(fixture!("mixed"))), [SECRET, SECRET]);
}

#[test]
fn unsupported_encryption_is_said_so_key_or_not() {
    for unlock in [
        Unlock::Nothing,
        Unlock::Key(&key(32)),
        Unlock::Password("p"),
    ] {
        let import = read(fixture!("unsupported-ciphers"), unlock).unwrap();
        let expected = [(1, "ACME: T-1"), (2, "ACME: T-2"), (3, "ACME: T-3")]
            .map(|(entry, name)| (Place::Entry(entry), name, Reason::Encryption));
        assert_eq!(reasons(&import), expected);

        let import = read(fixture!("unsupported-encryption"), unlock).unwrap();
        let expected = [
            (Place::Entry(1), "ACME: T-1", Reason::Encryption),
            (Place::Entry(2), "ACME: T-2", Reason::NoMac),
            (Place::Entry(3), "ACME: T-3", Reason::Encryption),
        ];
        assert_eq!(reasons(&import), expected);
    }
}

#[test]
fn other_ways_to_make_keys_of_passwords_arent_supported() {
    let file = fixture!("password-hmac-sha256");
    for (from, to) in [
        ("#pbkdf2", "#scrypt"),
        (
            "#hmac-sha256\"/>\n        </x",
            "#hmac-md5\"/>\n        </x",
        ),
        ("<x:KeyLength>32<", "<x:KeyLength>4294967295<"),
        ("x:Specified", "x:OtherSource"),
    ] {
        assert!(file.contains(from), "{from}");
        let import = read(&file.replace(from, to), Unlock::Password("correct horse")).unwrap();
        assert_eq!(
            reasons(&import),
            [(Place::Entry(1), "ACME: T-1", Reason::Encryption)]
        );
    }
}

#[test]
fn a_password_may_not_cost_more_than_the_limits_allow() {
    let limits = |pbkdf2_iterations| Limits {
        pbkdf2_iterations,
        ..Limits::DEFAULT
    };
    let read = |file: &str, limits| {
        let unlock = Unlock::Password("correct horse");
        let options = Options { unlock, limits };
        import::read_as(Format::Pskc, file.as_bytes(), &options).map(|import| import.tokens.len())
    };
    let file = fixture!("password-hmac-sha256");
    assert_eq!(read(file, limits(1_000)), Ok(1));
    assert_eq!(read(file, limits(999)), Err(ImportError::TooCostly));
    for iterations in ["4294967296", "18446744073709551615"] {
        let file = file.replace(">1000<", &format!(">{iterations}<"));
        assert_eq!(read(&file, limits(u32::MAX)), Err(ImportError::TooCostly));
    }
    for iterations in ["0", "-1", "18446744073709551616", "", "1e3"] {
        let file = file.replace(">1000<", &format!(">{iterations}<"));
        assert!(matches!(
            read(&file, Limits::DEFAULT),
            Err(ImportError::Malformed { .. })
        ));
    }
}

#[test]
fn entries_are_limited() {
    let limits = Limits {
        entries: 3,
        ..Limits::DEFAULT
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let error = import::read_as(Format::Pskc, fixture!("bulk").as_bytes(), &options).unwrap_err();
    assert_eq!(error, ImportError::TooManyEntries { most: 3 });
}

/// The line where a file can't be read on.
fn malformed_line(file: &str) -> usize {
    match read(file, Unlock::Nothing) {
        Err(ImportError::Malformed {
            format: Format::Pskc,
            line,
        }) => line,
        other => panic!("{other:?}: {file}"),
    }
}

#[test]
fn what_isnt_a_key_container_is_malformed() {
    for (line, file) in [
        (1, ""),
        (1, "no XML"),
        (1, "<KeyContainer>"),
        (2, "<KeyContainer>\n<KeyPackage></KeyContainer>"),
        (2, "<KeyContainer/>\n<KeyContainer/>"),
        (2, "<KeyContainer/>\nmore"),
        (1, "<Other/>"),
        (1, "<KeyContainer/><!--"),
        (1, "<KeyContainer></KeyContainer"),
        (1, "<KeyContainer Version='1.0' Version='1.0'/>"),
        (1, "<KeyContainer Version/>"),
        (1, "<KeyContainer Version='&version;'/>"),
    ] {
        assert_eq!(malformed_line(file), line, "{file}");
    }
    assert!(
        read_plain("<?xml version='1.0'?>\r\n<KeyContainer/> <!-- nothing -->")
            .tokens
            .is_empty()
    );
    let error = read("<KeyContainer Version='2.0'/>", Unlock::Nothing).unwrap_err();
    assert_eq!(error, ImportError::Version);
}

/// Cut off at whatever place, a file is never taken for a whole one.
#[test]
fn a_file_that_is_cut_off_is_malformed() {
    let file = fixture!("plain").trim_end();
    for (length, _) in file.char_indices() {
        malformed_line(&file[..length]);
    }
}

#[test]
fn what_may_stand_once_isnt_read_twice() {
    let file = fixture!("damaged");
    for element in ["<EncryptionKey/>", "<MACMethod/>"] {
        let before = file.replacen("  <KeyPackage>", &format!("{element}<KeyPackage>"), 1);
        malformed_line(&before);
        let after = file.replace("</KeyContainer>", &format!("{element}</KeyContainer>"));
        malformed_line(&after);
    }
    let file = fixture!("plain");
    for (after, element) in [
        ("</p:CryptoModuleInfo>", "<p:DeviceInfo/>"),
        ("</p:Key>", "<p:DeviceInfo/>"),
        ("</p:UserId>", "<p:UserId/>"),
        ("</p:Issuer>", "<p:Issuer/>"),
        ("</p:Secret>", "<p:Secret><p:PlainValue/></p:Secret>"),
        (
            "</p:Counter>",
            "<p:Counter><p:PlainValue>9</p:PlainValue></p:Counter>",
        ),
        ("</p:PlainValue>", "<p:PlainValue/>"),
        ("</p:PlainValue>", "<p:EncryptedValue/>"),
        ("</p:Suite>", "<p:Suite/>"),
    ] {
        malformed_line(&file.replacen(after, &format!("{after}{element}"), 1));
    }
}

#[test]
fn document_types_and_their_entities_are_refused() {
    let bomb = "<?xml version='1.0'?>
        <!DOCTYPE k [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>
        <KeyContainer><KeyPackage><Key Id='&b;'><Issuer>&b;</Issuer></Key></KeyPackage></KeyContainer>";
    let external = "<!DOCTYPE KeyContainer SYSTEM 'file:///etc/passwd'><KeyContainer/>";
    for file in [bomb, external] {
        let error = read(file, Unlock::Nothing).unwrap_err();
        assert_eq!(error, ImportError::DocumentType);
    }
    for reference in [
        "&b;",
        "&",
        "&#xd800;",
        "&#0;",
        "&#99999999;",
        "&#x;",
        "<x/>",
    ] {
        let file = fixture!("plain").replace("&amp;", reference);
        assert_eq!(malformed_line(&file), 13, "{reference}");
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| {
        let (open, close) = ("<a>".repeat(depth), "</a>".repeat(depth));
        format!("<KeyContainer>{open}{close}</KeyContainer>")
    };
    assert_eq!(read_plain(&nested(31)).left_out.len(), 1);
    let error = read(&nested(32), Unlock::Nothing).unwrap_err();
    assert_eq!(error, ImportError::TooDeep);
    let error = read(&nested(100_000), Unlock::Nothing).unwrap_err();
    assert_eq!(error, ImportError::TooDeep);
}

/// Attributes are looked up without comparing each with each other.
#[test]
fn many_and_long_attributes_are_passed_over() {
    let many: String = (0..100_000)
        .map(|number| format!(" a{number}=''"))
        .collect();
    let long = format!(" long='{}'", "x".repeat(1_000_000));
    for attributes in [many, long] {
        let file = fixture!("signed").replace("<Key ", &format!("<Key{attributes} "));
        assert_eq!(secrets(&read_plain(&file)), [SECRET]);
    }
}

fn full_key() -> [u8; 32] {
    key(32).try_into().unwrap()
}

fn write(tokens: &[Imported]) -> Written {
    export::pskc(tokens, Protection::Key(&full_key()), &mut SystemEntropy).unwrap()
}

fn hotp_token() -> Imported {
    let secret = Secret::from_bytes(SECRET).unwrap();
    Imported::new(secret, Params::Hotp(HotpParams::DEFAULT))
}

#[test]
fn what_pskc_cant_say_is_told() {
    let mut steam = hotp_token();
    steam.params = Params::Totp(TotpParams {
        format: CodeFormat::Steam,
        ..TotpParams::DEFAULT
    });
    let mut epoch = hotp_token();
    epoch.params = Params::Totp(TotpParams {
        epoch: UnixTime::from_seconds(1),
        ..TotpParams::DEFAULT
    });
    let mut used_up = hotp_token();
    used_up.burned = Some(Burned::up_to(Step::new(u64::MAX)));
    let mut bell = hotp_token();
    bell.account = "al\u{7}ice".into();
    let mut recovery = hotp_token();
    recovery.recovery_codes.push("ABCD-EFGH");

    let written = write(&[steam, epoch, used_up, bell, recovery]);
    let omitted: Vec<_> = written
        .omitted
        .iter()
        .map(|omitted| (omitted.index, omitted.what, omitted.what.is_token()))
        .collect();
    let expected = [
        (0, Omission::SteamCodes, true),
        (1, Omission::Epoch, true),
        (2, Omission::Counter, true),
        (3, Omission::NameCharacter, true),
        (4, Omission::RecoveryCodes, false),
    ];
    assert_eq!(omitted, expected);
    assert_eq!(only(&read_with_key(&written.text)).serial, "5");
}

#[test]
fn what_is_written_shows_no_secret() {
    let written = write(&[hotp_token()]);
    assert!(!written.text.contains("MTIzNDU2"));
    assert!(!format!("{written:?}").contains("KeyContainer"));
    let protection = Protection::password("correct horse");
    assert!(!format!("{protection:?}").contains("horse"));
}

#[test]
fn every_value_has_an_initialisation_vector_of_its_own() {
    let written = write(&vec![hotp_token(); 50]);
    let values = written.text.split("<xenc:CipherValue>").skip(1);
    let vectors: std::collections::HashSet<_> = values.map(|value| &value[..20]).collect();
    assert_eq!(vectors.len(), 51);
}

struct Stuck;

impl Entropy for Stuck {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(7);
        Ok(())
    }
}

#[test]
fn nothing_is_written_without_randomness_or_password() {
    let key = full_key();
    for protection in [Protection::Key(&key), Protection::password("correct horse")] {
        let error = export::pskc(&[hotp_token()], protection, &mut Stuck).unwrap_err();
        assert_eq!(error, ExportError::Entropy(EntropyError));
    }
    let error = export::pskc(&[], Protection::password(""), &mut SystemEntropy).unwrap_err();
    assert_eq!(error, ExportError::EmptyPassword);
}

/// A name with any character that XML has.
fn name() -> impl Strategy<Value = String> {
    let control = |letter: char| letter < ' ' && !matches!(letter, '\t' | '\n' | '\r');
    any::<String>().prop_map(move |name| {
        let allowed =
            |letter: &char| !control(*letter) && !matches!(letter, '\u{fffe}' | '\u{ffff}');
        name.chars().filter(allowed).collect()
    })
}

fn params() -> impl Strategy<Value = Params> {
    let algorithms = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let algorithm = prop::sample::select(algorithms.to_vec());
    let format = (6..=8_u8).prop_map(|digits| CodeFormat::from_digits(digits).unwrap());
    let period = (1..=86_400_u32).prop_map(|seconds| Period::from_seconds(seconds).unwrap());
    (any::<bool>(), algorithm, format, period).prop_map(|(counts, algorithm, format, period)| {
        if counts {
            return Params::Hotp(HotpParams { algorithm, format });
        }
        Params::Totp(TotpParams {
            algorithm,
            format,
            period,
            epoch: UnixTime::EPOCH,
        })
    })
}

prop_compose! {
    fn token()(
        secret in prop::collection::vec(any::<u8>(), Secret::MIN_LEGACY_BYTES..=Secret::MAX_BYTES),
        params in params(),
        burned in prop::option::of(0..u64::MAX),
        drift_steps in any::<i16>(),
        (issuer, account, serial) in (name(), name(), name()),
    ) -> Imported {
        let mut token = Imported::new(Secret::from_legacy_bytes(&secret).unwrap(), params);
        token.burned = burned.map(|step| Burned::up_to(Step::new(step)));
        token.drift_steps = drift_steps;
        token.issuer = issuer;
        token.account = account;
        token.serial = serial;
        token
    }
}

fn assert_same(index: usize, written: &Imported, read: &Imported) {
    assert_eq!(written.secret.as_bytes(), read.secret.as_bytes());
    assert_eq!(written.params, read.params);
    assert_eq!(written.issuer.trim(), read.issuer);
    assert_eq!(written.account.trim(), read.account);
    match (written.account.trim(), written.serial.trim()) {
        ("", "") => assert_eq!(read.serial, (index + 1).to_string()),
        (_, serial) => assert_eq!(read.serial, serial),
    }
    match written.params {
        Params::Hotp(_) => assert_eq!(written.counter(), read.counter()),
        Params::Totp(_) => {
            assert_eq!(written.burned, read.burned);
            assert_eq!(written.drift_steps, read.drift_steps);
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(
        tokens in prop::collection::vec(token(), 0..5),
        key: [u8; 32],
        password in "\\PC{1,20}",
        iterations in 1..5_u32,
    ) {
        let password = password.as_str();
        let iterations = Pbkdf2Iterations::new(iterations).unwrap();
        for (protection, unlock) in [
            (Protection::Key(&key), Unlock::Key(&key)),
            (Protection::Password { password, iterations }, Unlock::Password(password)),
        ] {
            let written = export::pskc(&tokens, protection, &mut SystemEntropy).unwrap();
            prop_assert!(written.omitted.is_empty());
            let import = read(&written.text, unlock).unwrap();
            prop_assert!(import.left_out.is_empty());
            prop_assert_eq!(import.tokens.len(), tokens.len());
            for (index, (written, read)) in tokens.iter().zip(&import.tokens).enumerate() {
                assert_same(index, written, read);
            }
        }
    }

    #[test]
    fn no_file_makes_the_reader_panic(
        place in any::<prop::sample::Index>(),
        with in "[<>&;#x/a-z0-9\"=! -]{0,8}",
        length in 0..40_usize,
        file in prop::sample::select(vec![
            fixture!("plain"),
            fixture!("password-hmac-sha512"),
            fixture!("encrypted-numbers"),
            fixture!("key-wrap-aes256-mac"),
        ]),
    ) {
        let bytes = file.as_bytes();
        let start = place.index(bytes.len());
        let end = (start + length).min(bytes.len());
        let changed = [&bytes[..start], with.as_bytes(), &bytes[end..]].concat();
        let key = key(32);
        for unlock in [Unlock::Nothing, Unlock::Key(&key), Unlock::Password("pässwörd")] {
            let options = Options { unlock, limits: Limits { pbkdf2_iterations: 1_000, ..Limits::DEFAULT } };
            let _ = import::read_as(Format::Pskc, &changed, &options);
        }
    }
}
