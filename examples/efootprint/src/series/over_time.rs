//! What adds up over time, and expires.

use super::spanned::Series;

impl Series {
    /// The sum of what came so far, hour by hour. One rounding after the other: that decides in
    /// which hour a storage is full.
    pub(crate) fn cumulative(&self) -> Self {
        let mut total = 0.0_f32;
        let mut sums = self.by_hour().into_owned();
        for sum in &mut sums {
            total += *sum;
            *sum = total;
        }
        Self::hourly(self.start, sums)
    }

    /// What changes by the hour where each value is taken back so many hours later.
    pub(crate) fn taken_back_after(self, hours: usize) -> Self {
        if hours >= self.hours() {
            return self;
        }
        let all = self.by_hour();
        let mut changes = all.to_vec();
        for (change, &back) in changes[hours..].iter_mut().zip(&*all) {
            *change -= back;
        }
        Self::from_hours(self.start, [&changes])
    }
}
