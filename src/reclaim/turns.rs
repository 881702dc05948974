use std::time::{Duration, Instant};

/// Waits of a thread that was never told anything: any time will do.
const IDLE: Duration = Duration::from_secs(3600);

/// When it is time to act on what was asked for: at once, but not twice within the interval.
#[derive(Debug)]
pub(super) struct Turns {
    every: Duration,
    last: Option<Instant>,
    asked: bool,
    ended: bool,
}

impl Turns {
    pub(super) fn at_most_every(every: Duration) -> Self {
        Self {
            every,
            last: None,
            asked: false,
            ended: false,
        }
    }

    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// How long to wait before asking again; zero when the turn is now, which it then was. `None` at
    /// the end.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        if self.ended {
            return None;
        }
        if !self.asked {
            return Some(IDLE);
        }
        let since_last = self.last.map(|last| now.saturating_duration_since(last));
        if let Some(since) = since_last
            && since < self.every
        {
            return Some(self.every - since);
        }
        self.asked = false;
        self.last = Some(now);
        Some(Duration::ZERO)
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
        assert_eq!(turns.wait(start), Some(IDLE));
        turns.ask();
        assert_eq!(turns.wait(start), Some(Duration::ZERO));
        assert_eq!(turns.wait(start), Some(IDLE));
        turns.ask();
        turns.ask();
        assert_eq!(turns.wait(start + seconds(10)), Some(seconds(20)));
        assert_eq!(turns.wait(start + seconds(30)), Some(Duration::ZERO));
        assert_eq!(turns.wait(start + seconds(70)), Some(IDLE));
    }

    #[test]
    fn nothing_has_its_turn_after_the_end() {
        let mut turns = Turns::at_most_every(Duration::ZERO);
        turns.ask();
        turns.end();
        assert_eq!(turns.wait(Instant::now()), None);
    }
}
