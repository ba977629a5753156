//! A file: how it is protected, then its packages.

use std::string::String;

use super::key_package::{Device, Key};
use super::protection::Protection;
use super::xml::{Element, Walker};
use crate::import::import::Reading;
use crate::import::{ImportError, Place, Reason};

/// A `KeyContainer` under way.
pub(super) struct Container<'t, 'r, 'o> {
    reading: &'r mut Reading<'o>,
    protection: Protection<'t>,
    /// How many keys there were so far.
    keys: u64,
    /// Whether a package was met, after which nothing may change how values are protected.
    in_packages: bool,
}

impl<'t, 'r, 'o> Container<'t, 'r, 'o> {
    pub(super) fn new(reading: &'r mut Reading<'o>) -> Self {
        Self {
            reading,
            protection: Protection::default(),
            keys: 0,
            in_packages: false,
        }
    }

    pub(super) fn read(
        &mut self,
        element: &Element<'t>,
        walker: &mut Walker<'t>,
    ) -> Result<(), ImportError> {
        let version = walker.attribute(element, "Version")?;
        if !matches!(version.as_deref(), None | Some("1" | "1.0")) {
            return Err(ImportError::Version);
        }
        walker.children(|child, walker| self.read_child(child, walker))
    }

    pub(super) fn finish(self) -> Result<(), ImportError> {
        self.protection.finish()
    }

    fn read_child(
        &mut self,
        child: &Element<'t>,
        walker: &mut Walker<'t>,
    ) -> Result<(), ImportError> {
        match child.name() {
            "KeyPackage" => self.read_package(walker),
            "EncryptionKey" | "MACMethod" if self.in_packages => Err(walker.malformed()),
            "EncryptionKey" => self.protection.read_key(walker),
            "MACMethod" => self.protection.read_mac(child, walker),
            "Signature" => self.leave_out(String::new(), Reason::Signature),
            "Extensions" | "Extension" => Ok(()),
            name => self.leave_out(name.into(), Reason::Malformed),
        }
    }

    fn leave_out(&mut self, name: String, reason: Reason) -> Result<(), ImportError> {
        self.reading.leave_out(Place::File, name, reason)
    }

    fn read_package(&mut self, walker: &mut Walker<'t>) -> Result<(), ImportError> {
        self.in_packages = true;
        let before = self.keys;
        let mut device = None;
        walker.children(|child, walker| match child.name() {
            // A key that came before would have been read without it.
            "DeviceInfo" if self.keys != before => Err(walker.malformed()),
            "DeviceInfo" => Device::read(&mut device, walker),
            "Key" => self.read_key(child, device.get_or_insert_default(), walker),
            _ => Ok(()),
        })?;
        if self.keys != before {
            return Ok(());
        }
        let serial = device.unwrap_or_default().serial();
        self.leave_out(serial, Reason::NoOneTimePassword)
    }

    fn read_key(
        &mut self,
        element: &Element<'t>,
        device: &Device,
        walker: &mut Walker<'t>,
    ) -> Result<(), ImportError> {
        let key = Key::read(element, walker)?;
        self.keys = self.keys.saturating_add(1);
        if key.is_encrypted() {
            self.protection.unlock(self.reading.options)?;
        }
        let token = key.token(device, &mut self.protection);
        let place = Place::Entry(self.keys);
        self.reading.keep(place, token, || key.name(device))
    }
}
