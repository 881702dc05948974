//! Ways from needs up to patterns.

use std::collections::HashSet;
use std::sync::Arc;

use crate::classes::{EdgeFunction, EdgeUsageJourney, EdgeUsagePattern};
use crate::engine::{At, Entries, Failure};
use crate::objects::Ref;
use crate::series::{Hours, Series, sum};

/// A way from a need up to a pattern, and how often it is listed on it (E3.3).
#[derive(Clone, Copy)]
pub(crate) struct Path<'e> {
    pub(crate) pattern: At<'e, EdgeUsagePattern>,
    pub(crate) journey: At<'e, EdgeUsageJourney>,
    pub(crate) function: At<'e, EdgeFunction>,
    pub(crate) times: f64,
}

/// What edge patterns use.
pub(crate) trait UsedInPatterns<'e>: Copy + 'e {
    /// The patterns, each once.
    fn usage_patterns(self) -> Vec<At<'e, EdgeUsagePattern>>;

    /// A value for each pattern.
    fn per_pattern<V>(
        self,
        of: impl Fn(Self, At<'e, EdgeUsagePattern>) -> V + 'e,
    ) -> Entries<impl Iterator<Item = (&'e str, V)> + 'e> {
        let patterns = self.usage_patterns().into_iter();
        Entries(patterns.map(move |pattern| (pattern.id(), of(self, pattern))))
    }

    /// The sum over the patterns.
    fn over_patterns<S: Into<Arc<Series>>>(
        self,
        of: impl Fn(Self, At<'e, EdgeUsagePattern>) -> Result<Option<S>, Failure>,
    ) -> Result<Hours, Failure> {
        let patterns = self.usage_patterns().into_iter();
        sum(patterns.map(|pattern| of(self, pattern)))
    }
}

/// The patterns of some paths, each once and in the order of the paths: as the reference implementation
/// comes to them, which decides about the last bit of a sum.
pub(crate) fn patterns_of<'e>(
    paths: impl Iterator<Item = Path<'e>>,
) -> Vec<At<'e, EdgeUsagePattern>> {
    let mut known = HashSet::new();
    let patterns = paths.map(|path| path.pattern);
    patterns
        .filter(|pattern| known.insert(pattern.index()))
        .collect()
}

/// How often a list has what `is` tells.
pub(crate) fn occurrences_in<T>(list: &[Ref<T>], is: impl Fn(Ref<T>) -> bool) -> f64 {
    list.iter().filter(|&&of| is(of)).count() as f64
}
