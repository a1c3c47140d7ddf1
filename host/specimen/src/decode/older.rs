//! Numbers that layouts before 0.31 write otherwise: hex text of later ones is a double or a varint in 0.2.

use alloy_primitives::U256;

use super::{
    error::{Fault, FieldError, Read},
    wire::Wire,
};
use crate::{Layout, double};

impl Wire<'_> {
    /// A number of at most 256 bits: hex text, in 0.2 a double.
    #[inline]
    pub(super) fn u256_or_double(&mut self) -> Read<U256> {
        if self.layout == Layout::V0_2 { self.whole_double() } else { self.u256() }
    }

    /// A number of at most 64 bits: hex text, in 0.2 a double.
    #[inline]
    pub(super) fn u64_or_double(&mut self) -> Read<u64> {
        if self.layout == Layout::V0_2 { self.short_double() } else { self.u64() }
    }

    /// A number of at most 64 bits: hex text, in 0.2 a varint.
    #[inline]
    pub(super) fn u64_or_long(&mut self) -> Read<u64> {
        if self.layout == Layout::V0_2 { self.long() } else { self.u64() }
    }

    /// A number of at most 128 bits: hex text, in 0.2 a varint.
    #[inline]
    pub(super) fn u128_or_long(&mut self) -> Read<u128> {
        if self.layout == Layout::V0_2 { self.long().map(u128::from) } else { self.u128() }
    }

    /// A number of at most 64 bits: a varint, in 0.3 a double.
    #[inline]
    pub(super) fn long_or_double(&mut self) -> Read<u64> {
        if self.layout == Layout::V0_3 { self.short_double() } else { self.long() }
    }

    fn short_double(&mut self) -> Read<u64> {
        let start = self.offset();
        let number = self.whole_double()?;
        u64::try_from(number).map_err(|_| Fault::new(start, FieldError::OutOfRange { limit_bits: u64::BITS }))
    }

    #[cold]
    fn whole_double(&mut self) -> Read<U256> {
        let start = self.offset();
        let number = self.double()?;
        double::whole(number).ok_or_else(|| {
            let wrong = match number {
                ..0.0 => FieldError::NegativeDouble,
                _ if number.fract() != 0.0 => FieldError::NotWhole,
                _ => FieldError::OutOfRange { limit_bits: 256 },
            };
            Fault::new(start, wrong)
        })
    }
}
