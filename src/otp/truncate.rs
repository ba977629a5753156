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
    let by_two = Choice::from((last >> 3).to_le_bytes()[0] & 1);
    let by_one = Choice::from((last >> 2).to_le_bytes()[0] & 1);
    let w0 = u32::conditional_select(&w0, &w2, by_two);
    let w1 = u32::conditional_select(&w1, &w3, by_two);
    let w2 = u32::conditional_select(&w2, &w4, by_two);
    let w0 = u32::conditional_select(&w0, &w1, by_one);
    let w1 = u32::conditional_select(&w1, &w2, by_one);
    let bits = (last & 3) << 3;
    // Not one shift of 64 bits: where that is a routine, as on a Cortex-M0, it can branch on `bits`.
    ((w0 << bits) | ((w1 >> 1) >> (31 ^ bits))) & 0x7fff_ffff
}

/// A number to divide by, at least 2, with its reciprocal to multiply by instead.
///
/// A division instruction, or the routine that stands in for one on a Cortex-M0, takes a time
/// that depends on its operands. The reciprocal, rounded up at 31 + ⌈log2 divisor⌉ bits, is exact
/// for 31-bit values (Granlund and Montgomery, "Division by Invariant Integers using
/// Multiplication", 1994).
#[derive(Clone, Copy)]
pub(super) struct Divisor {
    number: u32,
    reciprocal: u32,
    /// By how many bits the product's upper word is shifted. Its lower word is left out first: a
    /// shift of 64 bits is a routine on a Cortex-M0.
    shift: u32,
}

impl Divisor {
    #[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]
    // run by the compiler only: what goes wrong fails the build
    pub(super) const fn new(number: u32) -> Self {
        let bits = 32 - (number - 1).leading_zeros();
        Self {
            number,
            reciprocal: ((1_u64 << (31 + bits)) / number as u64 + 1) as u32,
            shift: bits - 1,
        }
    }

    /// `value` divided, for a `value` below 2^31.
    pub(super) const fn quotient(self, value: u32) -> u32 {
        let product = (value as u64).wrapping_mul(self.reciprocal as u64);
        ((product >> 32) as u32) >> self.shift
    }

    /// What the division of a `value` below 2^31 leaves over.
    pub(super) const fn remainder(self, value: u32) -> u32 {
        value.wrapping_sub(self.quotient(value).wrapping_mul(self.number))
    }
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

    fn all_divisors_agree(value: u32) {
        let ranges = [1_000_000, 10_000_000, 100_000_000, 26_u32.pow(5)];
        for divisor in [2, 10, 26].into_iter().chain(ranges) {
            let divided = Divisor::new(divisor);
            assert_eq!(divided.quotient(value), value / divisor);
            assert_eq!(divided.remainder(value), value % divisor);
        }
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
