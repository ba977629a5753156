//! A token as a package of one key.

use std::string::ToString as _;

use super::keys::Keys;
use super::xml::{self, Xml};
use crate::export::Omission;
use crate::import::Imported;
use crate::import::pskc::names;
use crate::{Algorithm, CodeFormat, Entropy, EntropyError, Params, Step, UnixTime};

/// A token that PSKC can describe.
pub(super) struct KeyPackage<'t> {
    token: &'t Imported,
    factor: Factor,
}

/// What moves a token on.
#[derive(Clone, Copy)]
enum Factor {
    Counter {
        next: Step,
    },
    Time {
        period_seconds: u32,
        last: Option<Step>,
        drift_steps: i16,
    },
}

impl<'t> KeyPackage<'t> {
    /// The package of a token, or why there can be none.
    pub(super) fn of(token: &'t Imported) -> Result<Self, Omission> {
        if token.params.format() == CodeFormat::Steam {
            return Err(Omission::SteamCodes);
        }
        let names = [&token.issuer, &token.account, &token.serial];
        if !names.into_iter().all(|name| name.chars().all(xml::allows)) {
            return Err(Omission::NameCharacter);
        }
        let factor = Factor::of(token)?;
        Ok(Self { token, factor })
    }

    pub(super) fn write(
        &self,
        id: usize,
        keys: &Keys,
        entropy: &mut (impl Entropy + ?Sized),
        xml: &mut Xml,
    ) -> Result<(), EntropyError> {
        xml.start("pskc:KeyPackage", &[]);
        if !self.token.serial.trim().is_empty() {
            xml.start("pskc:DeviceInfo", &[]);
            xml.text("pskc:SerialNo", &self.token.serial);
            xml.end("pskc:DeviceInfo");
        }
        let (id, kind) = (id.to_string(), self.factor.kind());
        xml.start("pskc:Key", &[("Id", &id), ("Algorithm", kind)]);
        xml.text_if_any("pskc:Issuer", &self.token.issuer);
        self.write_parameters(xml);
        self.write_data(keys, entropy, xml)?;
        xml.text_if_any("pskc:UserId", &self.token.account);
        xml.end("pskc:Key");
        xml.end("pskc:KeyPackage");
        Ok(())
    }

    fn write_parameters(&self, xml: &mut Xml) {
        let params = &self.token.params;
        let digits = params.format().symbols().to_string();
        xml.start("pskc:AlgorithmParameters", &[]);
        match params.algorithm() {
            // What every reader assumes where none is named.
            Algorithm::Sha1 => {}
            Algorithm::Sha256 => xml.text("pskc:Suite", "HMAC-SHA256"),
            Algorithm::Sha512 => xml.text("pskc:Suite", "HMAC-SHA512"),
        }
        let format = [("Length", digits.as_str()), ("Encoding", "DECIMAL")];
        xml.empty("pskc:ResponseFormat", &format);
        xml.end("pskc:AlgorithmParameters");
    }

    fn write_data(
        &self,
        keys: &Keys,
        entropy: &mut (impl Entropy + ?Sized),
        xml: &mut Xml,
    ) -> Result<(), EntropyError> {
        xml.start("pskc:Data", &[]);
        xml.start("pskc:Secret", &[]);
        keys.write_value(self.token.secret.as_bytes(), entropy, xml)?;
        xml.end("pskc:Secret");
        self.factor.write(xml);
        xml.end("pskc:Data");
        Ok(())
    }
}

impl Factor {
    fn of(token: &Imported) -> Result<Self, Omission> {
        match token.params {
            Params::Hotp(_) => match token.counter() {
                Some(next) => Ok(Self::Counter { next }),
                None => Err(Omission::Counter),
            },
            Params::Totp(params) if params.epoch != UnixTime::EPOCH => Err(Omission::Epoch),
            Params::Totp(params) => Ok(Self::Time {
                period_seconds: params.period.as_seconds(),
                last: token.burned.and_then(crate::Burned::last),
                drift_steps: token.drift_steps,
            }),
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Counter { .. } => names::HOTP,
            Self::Time { .. } => names::TOTP,
        }
    }

    fn write(self, xml: &mut Xml) {
        match self {
            Self::Counter { next } => write_plain("pskc:Counter", next.number(), xml),
            Self::Time {
                period_seconds,
                last,
                drift_steps,
            } => {
                if let Some(last) = last {
                    write_plain("pskc:Time", last.number(), xml);
                }
                write_plain("pskc:TimeInterval", period_seconds, xml);
                if drift_steps != 0 {
                    write_plain("pskc:TimeDrift", drift_steps, xml);
                }
            }
        }
    }
}

fn write_plain(name: &str, number: impl core::fmt::Display, xml: &mut Xml) {
    xml.start(name, &[]);
    xml.text("pskc:PlainValue", &number.to_string());
    xml.end(name);
}
