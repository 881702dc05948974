//! What a series comes to.

/// Hours that are worked on at once where that needs several goes: 4 KiB.
pub(super) const PIECE: usize = 1024;

/// What a series comes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    pub(crate) sum: f64,
    pub(crate) min: f32,
    pub(crate) max: f32,
}

/// The sum of values and the extremes.
pub(super) fn totals(values: &[f32]) -> Totals {
    // Several of each at once, as one has to wait for itself at every step; and one after the
    // other over what fits the nearest cache, which the compiler makes more of.
    let mut sum = 0.0;
    let mut least = [f32::INFINITY; 8];
    let mut most = [f32::NEG_INFINITY; 8];
    for block in values.chunks(PIECE) {
        let (eights, rest) = block.as_chunks::<8>();
        let mut sums = [0.0_f64; 8];
        for eight in eights {
            for i in 0..8 {
                sums[i] += f64::from(eight[i]);
            }
        }
        for eight in eights {
            for i in 0..8 {
                least[i] = if eight[i] < least[i] {
                    eight[i]
                } else {
                    least[i]
                };
            }
        }
        for eight in eights {
            for i in 0..8 {
                most[i] = if eight[i] > most[i] {
                    eight[i]
                } else {
                    most[i]
                };
            }
        }
        sum += sums.iter().sum::<f64>();
        for &value in rest {
            sum += f64::from(value);
            least[0] = least[0].min(value);
            most[0] = most[0].max(value);
        }
    }
    Totals {
        sum,
        min: least.into_iter().fold(f32::INFINITY, f32::min),
        max: most.into_iter().fold(f32::NEG_INFINITY, f32::max),
    }
}
