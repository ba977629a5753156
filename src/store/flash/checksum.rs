//! CRC-32C, which tells up to five wrong bits in an item of usual length, and three in any.

/// The checksum of items.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    !advance(!0, bytes)
}

/// The register after so many bytes more.
pub(super) fn advance(register: u32, bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    bytes.iter().fold(register, |register, byte| {
        (0..8).fold(register ^ u32::from(*byte), |register, _| {
            let mask = (register & 1).wrapping_neg();
            (register >> 1) ^ (POLYNOMIAL & mask)
        })
    })
}
