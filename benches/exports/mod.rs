//! Files as other systems export them, of any length, each entry with a name and a secret of its
//! own.

use std::fmt::Write as _;

use keyfob::{Base32Buffer, Secret};

/// Hardware tokens by serial number, one a line.
pub(crate) fn oath_csv(entries: u64) -> String {
    let mut file = String::new();
    for entry in 0..entries {
        let key = hexadecimal(&secret(entry));
        let kind = if entry % 2 == 0 {
            "totp, 6, 30"
        } else {
            "hotp, 6, 0"
        };
        writeln!(file, "{:08}, {key}, {kind}", 10_000_000 + entry).unwrap();
    }
    file
}

/// An Aegis vault without encryption, laid out as the app does.
pub(crate) fn aegis(entries: u64) -> String {
    let entries: Vec<_> = (0..entries).map(aegis_entry).collect();
    let database = format!(r#"{{"version": 3, "entries": [{}]}}"#, entries.join(",\n"));
    format!(r#"{{"version": 1, "header": {{"slots": null, "params": null}}, "db": {database}}}"#)
}

fn aegis_entry(entry: u64) -> String {
    let (account, issuer, secret) = (account(entry), issuer(entry), base32(&secret(entry)));
    format!(
        r#"        {{
            "type": "totp",
            "uuid": "00000000-0000-4000-8000-{entry:012x}",
            "name": "{account}",
            "issuer": "{issuer}",
            "note": "",
            "favorite": false,
            "icon": null,
            "info": {{
                "secret": "{secret}",
                "algo": "SHA1",
                "digits": 6,
                "period": 30
            }},
            "groups": []
        }}"#
    )
}

/// PSKC without encryption, indented as most makers do, a package for each token.
pub(crate) fn pskc(entries: u64) -> String {
    let packages: String = (0..entries).map(pskc_package).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
{packages}</KeyContainer>
"#
    )
}

fn pskc_package(entry: u64) -> String {
    let (serial, issuer) = (10_000_000 + entry, issuer(entry));
    let secret = data_encoding::BASE64.encode(secret(entry).as_bytes());
    format!(
        r#"  <KeyPackage>
    <DeviceInfo>
      <Manufacturer>Maker</Manufacturer>
      <SerialNo>{serial}</SerialNo>
    </DeviceInfo>
    <Key Id="{serial}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
      <Issuer>{issuer}</Issuer>
      <AlgorithmParameters>
        <ResponseFormat Length="6" Encoding="DECIMAL"/>
      </AlgorithmParameters>
      <Data>
        <Secret>
          <PlainValue>{secret}</PlainValue>
        </Secret>
        <Time>
          <PlainValue>0</PlainValue>
        </Time>
        <TimeInterval>
          <PlainValue>30</PlainValue>
        </TimeInterval>
      </Data>
    </Key>
  </KeyPackage>
"#
    )
}

/// Key URIs, one a line.
pub(crate) fn uri_list(entries: u64) -> String {
    let mut file = String::new();
    for entry in 0..entries {
        let (account, issuer, secret) = (account(entry), issuer(entry), base32(&secret(entry)));
        let (account, issuer) = (account.replace('@', "%40"), issuer.replace(' ', "%20"));
        writeln!(
            file,
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}"
        )
        .unwrap();
    }
    file
}

fn account(entry: u64) -> String {
    format!("user{entry}@example.com")
}

fn issuer(entry: u64) -> String {
    format!("Company {}", entry % 97)
}

/// Twenty bytes that no other entry has.
fn secret(entry: u64) -> Secret {
    let mut bytes = [0; 20];
    let mut state = entry;
    for chunk in bytes.chunks_mut(8) {
        // Multiplication by an odd number, and the middle folded back: enough to look random.
        state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
        state ^= state >> 29;
        chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
    }
    Secret::from_bytes(&bytes).unwrap()
}

fn base32(secret: &Secret) -> String {
    secret.to_base32(&mut Base32Buffer::new()).to_owned()
}

fn hexadecimal(secret: &Secret) -> String {
    data_encoding::HEXLOWER.encode(secret.as_bytes())
}
