//! RFC 4226's dynamic truncation and its reduction, without a branch, a load or a division that
//! depends on the secret.

use subtle::{Choice, ConditionallySelectable};

/// RFC 4226 §5.3: the 31 bits at the byte offset that the MAC's last four bits name.
///
/// `words` are the MAC's first 20 bytes, `last` its last word. The plain form, `mac[offset]`,
/// would load from a secret address. Here each bit of the offset moves the wanted bytes to the
/// front: the upper two by two words and by one, selected by mask, the lower two by shifting bytes.
pub(super) fn truncate(words: [u32; 5], last: u32) -> u32 {
    let [w0, w1, w2, w3, w4] = words;
    let [w0, w1, w2] = select([w0, w1, w2], [w2, w3, w4], last >> 3);
    let [w0, w1] = select([w0, w1], [w1, w2], last >> 2);
    let bits = (last & 3) << 3;
    // Not one shift of 64 bits: where that is a routine, as on a Cortex-M0, it can branch on `bits`.
    ((w0 << bits) | ((w1 >> 1) >> (31 ^ bits))) & 0x7fff_ffff
}

/// `words` where the lowest bit of `bits` is clear, `others` where it is set.
fn select<const N: usize>(mut words: [u32; N], others: [u32; N], bits: u32) -> [u32; N] {
    let [byte, ..] = bits.to_le_bytes();
    let choice = Choice::from(byte & 1);
    for (word, other) in words.iter_mut().zip(&others) {
        word.conditional_assign(other, choice);
    }
    words
}

/// `value / DIVISOR` for a `value` below 2^31, by multiplication with the reciprocal.
///
/// A division instruction, or the routine that stands in for one on a Cortex-M0, takes a time
/// that depends on its operands. The reciprocal, rounded up at 31 + ⌈log2 DIVISOR⌉ bits, is exact
/// for 31-bit values (Granlund and Montgomery, "Division by Invariant Integers using
/// Multiplication", 1994).
#[allow(clippy::cast_possible_truncation)] // the quotient of a 31-bit value has at most 31 bits
pub(super) const fn quotient<const DIVISOR: u32>(value: u32) -> u32 {
    const { assert!(DIVISOR >= 2) };
    let shift = const { 63 - (DIVISOR - 1).leading_zeros() };
    let reciprocal = const { (1_u64 << (63 - (DIVISOR - 1).leading_zeros())) / DIVISOR as u64 + 1 };
    ((value as u64).wrapping_mul(reciprocal) >> shift) as u32
}

/// `value % DIVISOR` for a `value` below 2^31, by [`quotient`].
pub(super) const fn remainder<const DIVISOR: u32>(value: u32) -> u32 {
    value.wrapping_sub(quotient::<DIVISOR>(value).wrapping_mul(DIVISOR))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4226 §5.4's own example.
    #[test]
    fn example_of_the_rfc() {
        let words = [
            0x1f86_9869,
            0x0e02_ca16,
            0x6185_50ef,
            0x7f19_da8e,
            0x945b_555a,
        ];
        assert_eq!(truncate(words, 0x945b_555a), 0x50ef_7f19);
    }

    fn plain_truncation(mac: [u8; 20]) -> u32 {
        let offset = usize::from(mac[19] & 15);
        let bytes = mac[offset..].first_chunk().unwrap();
        u32::from_be_bytes(*bytes) & 0x7fff_ffff
    }

    fn agrees<const DIVISOR: u32>(value: u32) {
        assert_eq!(quotient::<DIVISOR>(value), value / DIVISOR);
        assert_eq!(remainder::<DIVISOR>(value), value % DIVISOR);
    }

    fn all_divisors_agree(value: u32) {
        agrees::<10>(value);
        agrees::<26>(value);
        agrees::<1_000_000>(value);
        agrees::<10_000_000>(value);
        agrees::<100_000_000>(value);
        agrees::<{ 26_u32.pow(5) }>(value);
    }

    #[test]
    fn division_is_exact_at_every_multiple_of_the_largest_divisors() {
        for multiple in (0..=i32::MAX as u32).step_by(1_000_000) {
            all_divisors_agree(multiple);
            all_divisors_agree(multiple.saturating_sub(1));
        }
        all_divisors_agree(i32::MAX as u32);
    }

    proptest! {
        #[test]
        fn masked_truncation_is_the_plain_one(mac: [u8; 20]) {
            let words: [u32; 5] =
                core::array::from_fn(|i| u32::from_be_bytes(*mac[4 * i..].first_chunk().unwrap()));
            prop_assert_eq!(truncate(words, words[4]), plain_truncation(mac));
        }

        #[test]
        fn division_is_exact(value in 0..=i32::MAX as u32) {
            all_divisors_agree(value);
        }
    }
}
