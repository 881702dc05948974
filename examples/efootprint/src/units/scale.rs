//! The size of a unit, exactly.

/// A size as exponents of 2, 3, 5, 7 and 487, of which every unit's size is a product (a year is
/// 1461/4 days, and 1461 = 3 · 487): factors between units come out as the nearest `f64` whatever
/// chain of units led to them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale([i16; 5]);

impl Scale {
    pub(super) const ONE: Self = Self([0; 5]);

    /// The size 2^two · 3^three · 5^five · 7^seven · 487^leap.
    pub(super) const fn new(two: i16, three: i16, five: i16, seven: i16, leap: i16) -> Self {
        Self([two, three, five, seven, leap])
    }

    /// The size 10^exponent.
    pub(super) const fn ten(exponent: i16) -> Self {
        Self([exponent, 0, exponent, 0, 0])
    }

    pub(super) const fn times(self, other: Self) -> Self {
        let Self([two, three, five, seven, leap]) = self;
        let Self([a, b, c, d, e]) = other;
        Self([two + a, three + b, five + c, seven + d, leap + e])
    }

    /// This size times `other` to the power of `exponent`, if it is of a size that occurs.
    pub(super) fn times_power(self, other: Self, exponent: i16) -> Option<Self> {
        let mut product = self;
        for (total, part) in product.0.iter_mut().zip(other.0) {
            *total = total.checked_add(part.checked_mul(exponent)?)?;
        }
        Some(product)
    }

    /// How many times larger this is than `other`.
    pub(super) fn over(self, other: Self) -> f64 {
        // Powers of two cost no precision, so they stay out of the division.
        let (mut numerator, mut denominator) = (1.0, 1.0);
        let odd = [3.0_f64, 5.0, 7.0, 487.0];
        for (prime, (a, b)) in odd.into_iter().zip(self.0.into_iter().zip(other.0).skip(1)) {
            let exponent = i32::from(a) - i32::from(b);
            if exponent >= 0 {
                numerator *= prime.powi(exponent);
            } else {
                denominator *= prime.powi(-exponent);
            }
        }
        numerator / denominator * 2.0_f64.powi(i32::from(self.0[0]) - i32::from(other.0[0]))
    }
}
