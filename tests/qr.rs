//! QR codes of key URIs: in every form, another implementation reads the URI from them again.
#![cfg(feature = "qr")]

use keyfob::{KeyUri, QrBackground, QrBuffer, QrCode, QrError, Secret, TotpParams};
use proptest::prelude::*;

fn uri_of<'a>(secret: &[u8], issuer: &'a str, account: &'a str) -> KeyUri<'a> {
    let secret = Secret::from_bytes(secret).unwrap();
    KeyUri::totp(&secret, TotpParams::DEFAULT, issuer, account).unwrap()
}

fn uri<'a>(issuer: &'a str, account: &'a str) -> KeyUri<'a> {
    uri_of(b"12345678901234567890", issuer, account)
}

fn acme() -> KeyUri<'static> {
    uri("ACME Co", "john@example.com")
}

/// A name that makes a URI of so many bytes: the rest of it has 55.
fn account_for(bytes: usize) -> String {
    "a".repeat(bytes - 55)
}

/// Rows of pixels or modules; `true` is dark.
type Grid = Vec<Vec<bool>>;

/// What another implementation sees in a picture, with the version and the correction level (0 is
/// medium, 1 low, 2 high, 3 quartile).
fn scan(picture: &Grid) -> (String, usize, u16) {
    let shade = |x: usize, y: usize| if picture[y][x] { 0 } else { 255 };
    let (width, height) = (picture[0].len(), picture.len());
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
    let grids = picture.detect_grids();
    assert_eq!(grids.len(), 1);
    let (found, text) = grids[0].decode().unwrap();
    (text, found.version.0, found.ecc_level)
}

/// Each module as so many pixels on each side.
fn scaled(modules: &Grid, pixels: usize) -> Grid {
    let wide = |row: &Vec<bool>| -> Vec<bool> {
        let repeated = row.iter().map(|dark| [*dark].repeat(pixels));
        repeated.flatten().collect()
    };
    let rows = modules.iter().map(|row| vec![wide(row); pixels]);
    rows.flatten().collect()
}

fn drawn(code: &QrCode<'_>) -> Grid {
    let range = -QrCode::QUIET_ZONE..code.modules() + QrCode::QUIET_ZONE;
    let row = |y| range.clone().map(|x| code.is_dark(x, y)).collect();
    range.clone().map(row).collect()
}

/// The modules in a text of half blocks; `ink` tells whether the blocks are dark.
fn parsed(text: &str, ink: bool) -> Grid {
    let half = |line: &str, blocks: [char; 2]| -> Vec<bool> {
        assert!(line.chars().all(|letter| " ▀▄█".contains(letter)));
        let drawn = line.chars().map(|letter| blocks.contains(&letter));
        drawn.map(|drawn| drawn == ink).collect()
    };
    let rows = text
        .lines()
        .map(|line| [half(line, ['▀', '█']), half(line, ['▄', '█'])]);
    rows.flatten().collect()
}

/// The lines of a terminal between the escape sequences that must stand around each.
fn without_colours(text: &str) -> String {
    let bare = text.lines().map(|line| {
        let line = line.strip_prefix("\x1b[38;5;16;48;5;231m").unwrap();
        format!("{}\n", line.strip_suffix("\x1b[0m").unwrap())
    });
    bare.collect()
}

/// Checks that the first dark module stands after exactly four light ones, on every side.
fn assert_quiet_zone(modules: &Grid) {
    let dark_rows = modules.iter().map(|row| row.contains(&true));
    let dark_columns = (0..modules[0].len()).map(|x| modules.iter().any(|row| row[x]));
    for lines in [dark_rows.collect::<Vec<_>>(), dark_columns.collect()] {
        assert_eq!(lines.iter().position(|dark| *dark), Some(4));
        assert_eq!(lines.iter().rev().position(|dark| *dark), Some(4));
    }
}

#[test]
fn a_display_draws_it() {
    let mut buffer = QrBuffer::new();
    let code = QrCode::new(&acme(), &mut buffer).unwrap();
    assert_quiet_zone(&drawn(&code));
    let (text, version, level) = scan(&scaled(&drawn(&code), 3));
    assert_eq!(text, acme().to_string());
    assert_eq!(
        (version, level, code.modules()),
        (6, 0, 41),
        "medium correction"
    );
    for outside in [i32::MIN, -1, 41, i32::MAX] {
        assert!(!code.is_dark(outside, 0) && !code.is_dark(0, outside));
    }
}

#[test]
fn a_terminal_shows_it() {
    let mut buffer = QrBuffer::new();
    let code = QrCode::new(&acme(), &mut buffer).unwrap();
    let shown = [
        parsed(&without_colours(&code.terminal().to_string()), true),
        parsed(&code.plain(QrBackground::Light).to_string(), true),
        parsed(&code.plain(QrBackground::Dark).to_string(), false),
    ];
    for mut modules in shown {
        let below = modules.pop().unwrap();
        assert!(!below.contains(&true), "half of the last line");
        assert_eq!(modules, drawn(&code));
        assert_eq!(scan(&scaled(&modules, 3)).0, acme().to_string());
    }
}

#[test]
fn on_the_other_background_it_is_inverted() {
    let mut buffer = QrBuffer::new();
    let code = QrCode::new(&acme(), &mut buffer).unwrap();
    let dark = parsed(&code.plain(QrBackground::Dark).to_string(), false);
    let light = parsed(&code.plain(QrBackground::Light).to_string(), false);
    for (dark, light) in dark.iter().flatten().zip(light.iter().flatten()) {
        assert_ne!(dark, light);
    }
}

/// The picture that a browser would show, at four pixels a unit.
fn rendered(svg: &str) -> Grid {
    use resvg::{tiny_skia, usvg};
    let tree = usvg::Tree::from_str(svg, &usvg::Options::default()).unwrap();
    let size = tree.size().to_int_size().scale_by(4.0).unwrap();
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).unwrap();
    let scale = tiny_skia::Transform::from_scale(4.0, 4.0);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    let dark = |pixel: &tiny_skia::PremultipliedColorU8| {
        let shades = [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()];
        match shades {
            [0, 0, 0, 255] => true,
            [255, 255, 255, 255] => false,
            _ => panic!("neither black nor white: {shades:?}"),
        }
    };
    let rows = pixels.pixels().chunks(size.width() as usize);
    rows.map(|row| row.iter().map(dark).collect()).collect()
}

#[test]
fn a_browser_shows_it() {
    let mut buffer = QrBuffer::new();
    let code = QrCode::new(&acme(), &mut buffer).unwrap();
    let svg = code.svg().to_string();
    assert_eq!(rendered(&svg), scaled(&drawn(&code), 4));
    assert_eq!(scan(&rendered(&svg)).0, acme().to_string());
    assert!(svg.contains(r#"role="img" aria-label="QR code""#));
    for secret in ["otpauth", "GEZDGNBV", "ACME", "john"] {
        assert!(!svg.contains(secret), "{secret}");
    }
}

#[cfg(feature = "png")]
mod png {
    use keyfob::{PixelsPerModule, QrBuffer, QrCode};

    use super::{Grid, account_for, acme, drawn, scaled, scan, uri};

    fn decoded(image: &[u8]) -> Grid {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(image));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        assert_eq!(reader.info().bit_depth, png::BitDepth::One);
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        reader.finish().unwrap();
        assert_eq!(pixels.len(), frame.width as usize * frame.height as usize);
        let rows = pixels.chunks(frame.width as usize);
        rows.map(|row| row.iter().map(|shade| *shade == 0).collect())
            .collect()
    }

    #[test]
    fn a_picture_shows_it() {
        let mut buffer = QrBuffer::new();
        let code = QrCode::new(&acme(), &mut buffer).unwrap();
        for pixels in [1, 2, 3, 8, 64] {
            let image = code.png(PixelsPerModule::new(pixels).unwrap());
            let expected = scaled(&drawn(&code), pixels.into());
            assert!(decoded(&image) == expected, "{pixels} pixels a module");
        }
        let image = code.png(PixelsPerModule::default());
        assert_eq!(scan(&decoded(&image)).0, acme().to_string());
    }

    #[test]
    fn the_largest_code_makes_a_picture() {
        let account = account_for(2953);
        let mut buffer = QrBuffer::<{ QrBuffer::bytes_for(40).unwrap() }>::sized();
        let code = QrCode::new(&uri("", &account), &mut buffer).unwrap();
        let image = code.png(PixelsPerModule::new(3).unwrap());
        assert!(decoded(&image) == scaled(&drawn(&code), 3));
    }

    #[test]
    fn a_data_uri_has_the_picture() {
        let mut buffer = QrBuffer::new();
        let code = QrCode::new(&acme(), &mut buffer).unwrap();
        let data = code.png_data_uri(PixelsPerModule::DEFAULT);
        let data = data.strip_prefix("data:image/png;base64,").unwrap();
        let image = data_encoding::BASE64.decode(data.as_bytes()).unwrap();
        assert_eq!(image, code.png(PixelsPerModule::DEFAULT));
    }

    #[test]
    fn a_module_has_1_to_64_pixels() {
        let count = |pixels| PixelsPerModule::new(pixels).map(PixelsPerModule::count);
        assert_eq!((count(0), count(65)), (None, None));
        assert_eq!((count(1), count(64)), (Some(1), Some(64)));
    }
}

/// Checks that a buffer for `VERSION` holds URIs of up to `most` bytes, and tells so.
fn assert_holds<const BYTES: usize>(version: u8, most: usize) {
    assert_eq!(QrBuffer::bytes_for(version), Some(BYTES));
    let mut buffer = QrBuffer::<BYTES>::sized();

    let account = account_for(most + 1);
    let long = QrCode::new(&uri("", &account), &mut buffer).err();
    let bytes = most + 1;
    assert_eq!(long, Some(QrError::TooLong { bytes, most }));

    let account = account_for(most);
    let code = QrCode::new(&uri("", &account), &mut buffer).unwrap();
    assert_eq!(code.modules(), 17 + 4 * i32::from(version));
    let (text, _, level) = scan(&scaled(&drawn(&code), 3));
    assert_eq!((text.len(), level), (most, 1), "low correction");
    assert_eq!(text, uri("", &account).to_string());
}

/// As ISO/IEC 18004 has them in its table of capacities.
#[test]
fn the_longest_uri_of_a_version() {
    assert_holds::<138>(4, 78);
    assert_holds::<173>(5, 106);
    assert_holds::<255>(7, 154);
    assert_holds::<353>(9, 230);
    assert_holds::<408>(10, 271);
    assert_holds::<743>(15, 520);
    assert_holds::<1713>(25, 1273);
    assert_holds::<3918>(40, 2953);
    assert_eq!(size_of::<QrBuffer>(), 2 * 1713);
}

fn version_and_level(uri: &KeyUri<'_>) -> (usize, u16) {
    let mut buffer = QrBuffer::new();
    let code = QrCode::new(uri, &mut buffer).unwrap();
    let (_, version, level) = scan(&scaled(&drawn(&code), 3));
    (version, level)
}

/// Version 25 takes 997 bytes with medium correction; a byte more fits in version 22 with low.
#[test]
fn correction_is_low_only_where_medium_finds_no_room() {
    let of_length = |bytes| version_and_level(&uri("", &account_for(bytes)));
    assert_eq!(of_length(997), (25, 0));
    assert_eq!(of_length(998), (22, 1));
}

/// 44 bytes are too many for version 3 with medium correction, and fit in version 4 with quartile.
#[test]
fn correction_is_raised_where_there_is_room() {
    let secret = Secret::from_legacy_bytes(&[7; 10]).unwrap();
    let uri = KeyUri::totp(&secret, TotpParams::DEFAULT, "", "alice").unwrap();
    assert_eq!(uri.to_string().len(), 44);
    assert_eq!(version_and_level(&uri), (4, 3));
}

#[test]
fn sizes_between_versions() {
    // A byte less than version 10 needs: version 9.
    let account = account_for(231);
    let mut buffer = QrBuffer::<407>::sized();
    let long = QrCode::new(&uri("", &account), &mut buffer).err();
    let nine = QrError::TooLong {
        bytes: 231,
        most: 230,
    };
    assert_eq!(long, Some(nine));

    let mut larger = QrBuffer::<5000>::sized();
    let account = account_for(KeyUri::MAX_BYTES);
    let long = QrCode::new(&uri("", &account), &mut larger).err();
    let largest = QrError::TooLong {
        bytes: 4096,
        most: 2953,
    };
    assert_eq!(long, Some(largest));

    let smallest = QrCode::new(&acme(), &mut QrBuffer::<57>::sized()).err();
    let one = QrError::TooLong {
        bytes: 100,
        most: 17,
    };
    assert_eq!(smallest, Some(one));
}

#[test]
fn versions_are_1_to_40() {
    assert_eq!(QrBuffer::bytes_for(0), None);
    assert_eq!(QrBuffer::bytes_for(41), None);
    assert_eq!(QrBuffer::bytes_for(u8::MAX), None);
}

#[test]
fn too_long_a_uri_says_what_to_change() {
    let error = QrError::TooLong {
        bytes: 300,
        most: 271,
    };
    assert_eq!(
        error.to_string(),
        "the key URI has 300 bytes, the QR code takes at most 271: shorten the issuer or the \
         account, or use a larger QrBuffer"
    );
}

#[test]
fn a_buffer_can_be_used_again() {
    let mut buffer = QrBuffer::new();
    let long = "a".repeat(900);
    QrCode::new(&uri("", &long), &mut buffer).unwrap();
    assert!(QrCode::new(&uri("", &"a".repeat(1300)), &mut buffer).is_err());
    let again = drawn(&QrCode::new(&acme(), &mut buffer).unwrap());
    assert_eq!(
        again,
        drawn(&QrCode::new(&acme(), &mut QrBuffer::new()).unwrap())
    );
}

#[test]
fn nothing_is_debugged() {
    let mut buffer = QrBuffer::new();
    let code = QrCode::new(&acme(), &mut buffer).unwrap();
    assert_eq!(format!("{code:?}"), "QrCode { .. }");
    assert_eq!(format!("{buffer:?}"), "QrBuffer { .. }");
}

fn names() -> impl Strategy<Value = String> {
    "[^:\\p{Cc}]{1,20}".prop_filter("spaces at the ends go", |name| {
        name.trim() == name && !name.is_empty()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_code_can_be_scanned(
        issuer in prop_oneof![Just(String::new()), names()], account in names(),
        secret in prop::collection::vec(any::<u8>(), 16..=128),
    ) {
        let uri = uri_of(&secret, &issuer, &account);
        let mut buffer = QrBuffer::new();
        let code = QrCode::new(&uri, &mut buffer).unwrap();
        let (text, version, _) = scan(&scaled(&drawn(&code), 3));
        prop_assert_eq!(text, uri.to_string());
        prop_assert_eq!(code.modules(), 17 + 4 * i32::try_from(version).unwrap());
    }
}
