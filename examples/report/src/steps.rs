//! Figures by minutes and hours of UTC, joined to longer steps where there would be too many. Steps begin where their
//! length says, so the order of the log doesn't matter.

use jiff::Timestamp;

/// Minutes of a step: each a multiple of the one before it. Days are doubled further.
const WIDTHS: [i64; 8] = [1, 5, 15, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR];

pub(crate) const HOUR: i64 = 60;

/// Steps shorter than an hour that are shown or compared, those without events included: an hour of minutes, whenever it
/// begins.
const SHORT_STEPS: i64 = 61;

/// Figures of one step that can be joined with those of the next.
pub(crate) trait Join: Clone + Default {
    fn join(&mut self, later: &Self);
}

/// Steps with events, in order of time.
#[derive(Debug, Clone)]
pub(crate) struct Steps<T> {
    /// Minutes of a step.
    width: i64,
    /// Steps that are kept.
    most: usize,
    /// With their number since 1970.
    steps: Vec<(i64, T)>,
}

impl<T: Join> Steps<T> {
    pub(crate) const fn at_most(most: usize) -> Self {
        Self {
            width: WIDTHS[0],
            most,
            steps: Vec::new(),
        }
    }

    /// The step of a moment.
    pub(crate) fn of(&mut self, at: Timestamp) -> &mut T {
        let minute = at.as_second().div_euclid(60);
        let place = match self.place(minute) {
            Ok(place) => place,
            Err(place) => {
                let step = minute.div_euclid(self.width);
                self.steps.insert(place, (step, T::default()));
                self.coarsen_until(|steps| steps.steps.len() <= steps.most);
                self.place(minute).unwrap_or_else(|place| place)
            }
        };
        &mut self.steps[place].1
    }

    fn place(&self, minute: i64) -> Result<usize, usize> {
        let step = minute.div_euclid(self.width);
        match self.steps.last() {
            // Logs are in order, nearly.
            Some((last, _)) if *last == step => Ok(self.steps.len() - 1),
            _ => self.steps.binary_search_by_key(&step, |(at, _)| *at),
        }
    }

    /// The same as a person reads it: by the minute if it is an hour at most, else in at most so many steps.
    pub(crate) fn within(&self, most: usize) -> Self {
        let mut steps = self.clone();
        steps.coarsen_until(|steps| {
            let is_brief = steps.span() <= SHORT_STEPS * steps.width;
            let is_few = steps.steps.len() <= most || steps.width == WIDTHS[0];
            is_few && (is_brief || steps.width >= HOUR)
        });
        steps
    }

    /// The same in few enough steps, whether or not there is something in each of them, for one to be compared with the
    /// next.
    pub(crate) fn comparable(&self) -> Self {
        let mut steps = self.clone();
        steps.coarsen_until(|steps| steps.span() <= SHORT_STEPS * steps.width);
        steps
    }

    /// The same in steps of at least so many minutes.
    pub(crate) fn no_finer_than(&self, width: i64) -> Self {
        let mut steps = self.clone();
        steps.coarsen_until(|steps| steps.width >= width);
        steps
    }

    fn coarsen_until(&mut self, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            let next = WIDTHS.iter().find(|width| **width > self.width);
            let width = next.copied().unwrap_or(2 * self.width);
            let factor = width / self.width;
            self.width = width;
            let mut joined: Vec<(i64, T)> = Vec::with_capacity(self.steps.len());
            for (step, figures) in self.steps.drain(..) {
                let step = step.div_euclid(factor);
                match joined.last_mut() {
                    Some((last, whole)) if *last == step => whole.join(&figures),
                    _ => joined.push((step, figures)),
                }
            }
            self.steps = joined;
        }
    }

    /// Minutes of a step.
    pub(crate) fn width(&self) -> i64 {
        self.width
    }

    /// Minutes from the beginning of the first step to the end of the last.
    pub(crate) fn span(&self) -> i64 {
        let (first, last) = self.ends();
        last - first
    }

    /// The minutes since 1970 with which the first step begins and the last ends.
    pub(crate) fn ends(&self) -> (i64, i64) {
        match (self.steps.first(), self.steps.last()) {
            (Some((first, _)), Some((last, _))) => (first * self.width, (last + 1) * self.width),
            _ => (0, 0),
        }
    }

    /// Each step with the minute since 1970 that it begins with.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, &T)> {
        self.steps
            .iter()
            .map(|(step, figures)| (step * self.width, figures))
    }
}
