use std::time::{Duration, Instant};

/// Decides when to act after [`ask`](Turns::ask): at once, but not twice within the interval.
#[derive(Debug)]
pub(super) struct Turns {
    every: Duration,
    last: Option<Instant>,
    asked: bool,
}

impl Turns {
    pub(super) fn at_most_every(every: Duration) -> Self {
        Self {
            every,
            last: None,
            asked: false,
        }
    }

    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    /// How long to wait for the next turn: `None` until the next [`ask`](Self::ask), and zero if
    /// the turn is now, which uses it up.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        if !self.asked {
            return None;
        }
        let due = match self.last {
            Some(last) => last.checked_add(self.every)?,
            None => now,
        };
        let wait = due.saturating_duration_since(now);
        if wait.is_zero() {
            self.asked = false;
            self.last = Some(now);
        }
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_turn_is_at_once_and_the_next_one_an_interval_later() {
        let seconds = Duration::from_secs;
        let start = Instant::now();
        let mut turns = Turns::at_most_every(seconds(30));
        assert_eq!(turns.wait(start), None);
        turns.ask();
        assert_eq!(turns.wait(start), Some(Duration::ZERO));
        assert_eq!(turns.wait(start), None);
        turns.ask();
        turns.ask();
        assert_eq!(turns.wait(start + seconds(10)), Some(seconds(20)));
        assert_eq!(turns.wait(start + seconds(30)), Some(Duration::ZERO));
        assert_eq!(turns.wait(start + seconds(70)), None);
    }
}
