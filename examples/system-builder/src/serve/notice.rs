use std::time::Duration;
use tokio::time::Instant;

/// How often the same thing is said at most.
const EVERY: Duration = Duration::from_secs(10);

/// Something that may happen a thousand times a second and is logged now and then.
#[derive(Default)]
pub(super) struct Notice {
    last: Option<Instant>,
    times: u64,
}

impl Notice {
    /// Says it with how often it happened since it was last said, unless that was just now.
    pub(super) fn say(&mut self, say: impl FnOnce(u64)) {
        self.times += 1;
        if self.last.is_none_or(|last| last.elapsed() >= EVERY) {
            say(self.times);
            *self = Self {
                last: Some(Instant::now()),
                times: 0,
            };
        }
    }
}
