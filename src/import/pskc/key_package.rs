//! A device and its keys, and the tokens that they are.

use std::string::String;
use std::vec::Vec;

use super::names;
use super::protection::Protection;
use super::value::Value;
use super::xml::{Element, Walker};
use crate::import::described::{Described, Kind, Number};
use crate::import::{ImportError, Imported, Reason, Remark, full_name};
use crate::{Burned, Secret, Step};

/// A `DeviceInfo`.
#[derive(Default)]
pub(super) struct Device {
    serial: Option<String>,
    user: Option<String>,
    /// Whether the file says from when or until when it may be used.
    restricted: bool,
}

impl Device {
    pub(super) fn read(
        place: &mut Option<Self>,
        walker: &mut Walker<'_>,
    ) -> Result<(), ImportError> {
        let mut device = Self::default();
        walker.children(|child, walker| {
            match child.name() {
                "SerialNo" => read_name(&mut device.serial, walker)?,
                "UserId" => read_name(&mut device.user, walker)?,
                "StartDate" | "ExpiryDate" => device.restricted = true,
                _ => {}
            }
            Ok(())
        })?;
        walker.put(place, device)
    }

    pub(super) fn serial(self) -> String {
        self.serial.unwrap_or_default()
    }
}

/// A `Key`.
#[derive(Default)]
pub(super) struct Key<'t> {
    id: String,
    algorithm: String,
    issuer: Option<String>,
    user: Option<String>,
    friendly_name: Option<String>,
    parameters: Parameters,
    data: Data<'t>,
    policy: Policy,
}

/// `AlgorithmParameters`.
#[derive(Default)]
struct Parameters {
    suite: Option<String>,
    response: Option<ResponseFormat>,
}

/// How codes are written.
#[derive(Default)]
struct ResponseFormat {
    digits: Number,
    /// Whether they are decimal digits and nothing else.
    plain: bool,
}

/// `Data`.
#[derive(Default)]
struct Data<'t> {
    secret: Option<Value<'t>>,
    counter: Option<Value<'t>>,
    time: Option<Value<'t>>,
    time_interval: Option<Value<'t>>,
    time_drift: Option<Value<'t>>,
}

/// `Policy`, as far as it says that something is restricted.
#[derive(Default)]
struct Policy {
    /// Whether there is a purpose named, and whether it is to make codes.
    usage: Option<bool>,
    pin: bool,
    /// Dates, a number of uses, anything that isn't known.
    other: bool,
}

impl<'t> Key<'t> {
    pub(super) fn read(
        element: &Element<'t>,
        walker: &mut Walker<'t>,
    ) -> Result<Self, ImportError> {
        let attribute = |name| {
            Ok(walker
                .attribute(element, name)?
                .unwrap_or_default()
                .trim()
                .into())
        };
        let mut key = Self {
            id: attribute("Id")?,
            algorithm: attribute("Algorithm")?,
            ..Self::default()
        };
        walker.children(|child, walker| key.read_child(child, walker))?;
        Ok(key)
    }

    fn read_child(
        &mut self,
        child: &Element<'t>,
        walker: &mut Walker<'t>,
    ) -> Result<(), ImportError> {
        match child.name() {
            "Issuer" => read_name(&mut self.issuer, walker),
            "UserId" => read_name(&mut self.user, walker),
            // It may stand once for each language; the first is as good as any.
            "FriendlyName" if self.friendly_name.is_none() => {
                read_name(&mut self.friendly_name, walker)
            }
            "AlgorithmParameters" => self.parameters.read(walker),
            "Data" => self.data.read(walker),
            "Policy" => self.policy.read(walker),
            _ => Ok(()),
        }
    }

    /// Whether a key or password is needed for any of its values.
    pub(super) fn is_encrypted(&self) -> bool {
        self.data
            .values()
            .any(|value| matches!(value, Some(Value::Sealed(_))))
    }

    /// Issuer and account, or else the serial number.
    pub(super) fn name(&self, device: &Device) -> String {
        let (account, serial) = self.account_and_serial(device);
        full_name(
            self.issuer.as_deref().unwrap_or_default(),
            if account.is_empty() { serial } else { account },
        )
    }

    /// Whose it is and the device's number; the key's own where the file has neither.
    fn account_and_serial<'k>(&'k self, device: &'k Device) -> (&'k str, &'k str) {
        let account = first_of([&self.user, &device.user, &self.friendly_name]);
        let serial = first_of([&device.serial]);
        if account.is_empty() && serial.is_empty() {
            return ("", &self.id);
        }
        (account, serial)
    }

    pub(super) fn token(
        &self,
        device: &Device,
        protection: &mut Protection<'t>,
    ) -> Result<Imported, Reason> {
        // First, because every secret tells something about the key.
        let secret = self.data.secret(protection);
        let kind = names::kind(&self.algorithm)?;
        let token = self.described(kind, protection)?.token(secret)?;
        let (account, serial) = self.account_and_serial(device);
        Ok(Imported {
            issuer: self.issuer.clone().unwrap_or_default(),
            account: account.into(),
            serial: serial.into(),
            remarks: self.policy.remarks(device),
            ..self.data.timed(kind, token, protection)?
        })
    }

    fn described(
        &self,
        kind: Kind,
        protection: &mut Protection<'t>,
    ) -> Result<Described<'_>, Reason> {
        let suite = self.parameters.suite.as_deref();
        let mut described = Described {
            algorithm: suite.filter(|suite| !suite.is_empty()),
            digits: self.parameters.digits()?,
            ..Described::new(kind)
        };
        match kind {
            Kind::Hotp => described.counter = self.data.counter(protection)?,
            Kind::Totp | Kind::Steam => {
                described.period = number(self.data.time_interval.as_ref(), protection)?;
            }
        }
        Ok(described)
    }
}

impl Parameters {
    fn read(&mut self, walker: &mut Walker<'_>) -> Result<(), ImportError> {
        walker.children(|child, walker| match child.name() {
            "Suite" => read_name(&mut self.suite, walker),
            "ResponseFormat" => {
                let format = ResponseFormat::read(child, walker)?;
                walker.put(&mut self.response, format)
            }
            _ => Ok(()),
        })
    }

    fn digits(&self) -> Result<Number, Reason> {
        match &self.response {
            None => Ok(Number::Absent),
            Some(format) if format.plain => Ok(format.digits),
            Some(_) => Err(Reason::ResponseFormat),
        }
    }
}

impl ResponseFormat {
    fn read(element: &Element<'_>, walker: &Walker<'_>) -> Result<Self, ImportError> {
        let length = walker.attribute(element, "Length")?.unwrap_or_default();
        let encoding = walker.attribute(element, "Encoding")?;
        let check = walker.attribute(element, "CheckDigits")?;
        let is_decimal = |encoding: &str| encoding.trim().eq_ignore_ascii_case("DECIMAL");
        let is_false = |check: &str| matches!(check.trim(), "false" | "0");
        Ok(Self {
            digits: Number::parse(&length),
            plain: encoding.as_deref().is_none_or(is_decimal)
                && check.as_deref().is_none_or(is_false),
        })
    }
}

impl<'t> Data<'t> {
    fn read(&mut self, walker: &mut Walker<'t>) -> Result<(), ImportError> {
        walker.children(|child, walker| {
            let place = match child.name() {
                "Secret" => &mut self.secret,
                "Counter" => &mut self.counter,
                "Time" => &mut self.time,
                "TimeInterval" => &mut self.time_interval,
                "TimeDrift" => &mut self.time_drift,
                _ => return Ok(()),
            };
            match Value::read(walker)? {
                None => Ok(()),
                Some(value) => walker.put(place, value),
            }
        })
    }

    fn values(&self) -> impl Iterator<Item = &Option<Value<'t>>> {
        [
            &self.secret,
            &self.counter,
            &self.time,
            &self.time_interval,
            &self.time_drift,
        ]
        .into_iter()
    }

    fn secret(&self, protection: &mut Protection<'t>) -> Result<Secret, Reason> {
        let value = self.secret.as_ref().ok_or(Reason::NoSecret)?;
        Ok(Secret::from_legacy_bytes(&protection.secret(value)?)?)
    }

    /// The next counter. A file without one is a maker's, for tokens that were never used.
    fn counter(&self, protection: &mut Protection<'t>) -> Result<Number, Reason> {
        match number(self.counter.as_ref(), protection)? {
            Number::Absent => Ok(Number::Whole(0)),
            counter => Ok(counter),
        }
    }

    /// Adds what the file knows of a time-based token's clock.
    fn timed(
        &self,
        kind: Kind,
        token: Imported,
        protection: &mut Protection<'t>,
    ) -> Result<Imported, Reason> {
        if kind == Kind::Hotp {
            return Ok(token);
        }
        let burned = match number(self.time.as_ref(), protection)? {
            Number::Absent => None,
            Number::Whole(step) => Some(Burned::up_to(Step::new(step))),
            Number::Wrong => return Err(Reason::Malformed),
        };
        Ok(Imported {
            burned,
            drift_steps: drift(self.time_drift.as_ref(), protection)?,
            ..token
        })
    }
}

/// A number, decimal in plain text; encrypted it is in big-endian bytes, eight at most.
fn number<'t>(
    value: Option<&Value<'t>>,
    protection: &mut Protection<'t>,
) -> Result<Number, Reason> {
    Ok(match value {
        None => Number::Absent,
        Some(Value::Plain(text)) => Number::parse(text),
        Some(Value::Sealed(sealed)) => from_big_endian(&protection.open(sealed)?, 0)
            .map_or(Number::Wrong, |bytes| {
                Number::Whole(u64::from_be_bytes(bytes))
            }),
    })
}

/// How many steps the token is ahead: RFC 6030 counts as keyfob does.
fn drift<'t>(value: Option<&Value<'t>>, protection: &mut Protection<'t>) -> Result<i16, Reason> {
    let steps = match value {
        None => Some(0),
        Some(Value::Plain(text)) => text.trim().parse().ok(),
        Some(Value::Sealed(sealed)) => {
            let bytes = protection.open(sealed)?;
            let negative = bytes.first().is_some_and(|first| first.leading_ones() > 0);
            from_big_endian(&bytes, if negative { u8::MAX } else { 0 }).map(i64::from_be_bytes)
        }
    };
    let steps = steps.and_then(|steps: i64| i16::try_from(steps).ok());
    steps.ok_or(Reason::Malformed)
}

/// A number's eight bytes, filled up in front.
fn from_big_endian(bytes: &[u8], filling: u8) -> Option<[u8; 8]> {
    let mut number = [filling; 8];
    let start = number.len().checked_sub(bytes.len())?;
    number.get_mut(start..)?.copy_from_slice(bytes);
    (!bytes.is_empty()).then_some(number)
}

impl Policy {
    fn read(&mut self, walker: &mut Walker<'_>) -> Result<(), ImportError> {
        walker.children(|child, walker| {
            match child.name() {
                "KeyUsage" => {
                    let is_otp = walker.text()?.trim() == "OTP";
                    self.usage = Some(self.usage.unwrap_or_default() || is_otp);
                }
                "PINPolicy" => self.pin = true,
                _ => self.other = true,
            }
            Ok(())
        })
    }

    fn remarks(&self, device: &Device) -> Vec<Remark> {
        let restricted = self.other || self.usage == Some(false) || device.restricted;
        let policy = restricted.then_some(Remark::KeyPolicy);
        let pin = self.pin.then_some(Remark::Pin);
        policy.into_iter().chain(pin).collect()
    }
}

fn read_name(place: &mut Option<String>, walker: &mut Walker<'_>) -> Result<(), ImportError> {
    let name = walker.name()?;
    walker.put(place, name)
}

/// The first name that isn't empty.
fn first_of<const COUNT: usize>(names: [&Option<String>; COUNT]) -> &str {
    let mut names = names.into_iter().flatten();
    names
        .find(|name| !name.is_empty())
        .map_or("", String::as_str)
}
