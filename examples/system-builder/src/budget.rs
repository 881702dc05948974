//! Memory for work: uploads while they are read, and results until they are sent.

use crate::problem::Problem;
use axum::http::StatusCode;
use bytesize::ByteSize;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// When what others work on is done, most likely.
const SOON: Duration = Duration::from_secs(5);

/// What all work may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: ByteSize,
    /// In bytes, and never more than the limit.
    taken: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit: ByteSize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            taken: AtomicU64::new(0),
        })
    }

    /// A share for one request, empty at first.
    pub(crate) fn share(self: &Arc<Self>) -> Arc<Share> {
        Arc::new(Share {
            budget: Arc::clone(self),
            taken: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }
}

/// What one request takes of it, given back when nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    taken: AtomicU64,
    /// What it asked for in vain at last, in bytes.
    refused: AtomicU64,
}

impl Share {
    /// Takes so many bytes more, or tells that there aren't as many. One request has half of all
    /// at most: nobody keeps all others from working.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let limit = self.budget.limit.as_u64();
        let own = self.taken.load(Relaxed).saturating_add(bytes);
        let taken = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= limit);
        let fits = own <= limit / 2
            && self
                .budget
                .taken
                .fetch_update(Relaxed, Relaxed, taken)
                .is_ok();
        if fits {
            self.taken.fetch_add(bytes, Relaxed);
        } else {
            self.refused.store(own.max(1), Relaxed);
        }
        fits
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes as u64, Relaxed);
        self.budget.taken.fetch_sub(bytes as u64, Relaxed);
    }

    /// Why it got no more, if it asked in vain: `subject` takes too much, or others do.
    pub(crate) fn refusal(&self, subject: &str) -> Option<Problem> {
        let wanted = match self.refused.load(Relaxed) {
            0 => return None,
            wanted => ByteSize(wanted),
        };
        let limit = self.budget.limit;
        if wanted.as_u64() > limit.as_u64() / 2 {
            let half = ByteSize(limit.as_u64() / 2);
            return Some(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "{subject} takes more than {half} of memory, the most for one: split the system, \
                     or start the server with a higher `--work-limit`."
                ),
            ));
        }
        let detail = format!(
            "Other requests are at work in the {limit} that the server has for it: try again in a few seconds, \
             or start it with a higher `--work-limit`."
        );
        Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(SOON))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.taken.load(Relaxed) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(share: &Share) -> Option<u64> {
        let problem = serde_json::to_value(share.refusal("It")?).unwrap();
        problem["status"].as_u64()
    }

    #[test]
    fn one_request_has_half_at_most_and_is_told_that_it_is_too_large() {
        let budget = Budget::new(ByteSize(100));
        let share = budget.share();
        assert!(share.take(50));
        assert_eq!(status(&share), None);
        assert!(!share.take(1));
        assert_eq!(status(&share), Some(413));
    }

    #[test]
    fn who_finds_nothing_left_is_told_to_come_again_and_finds_it_then() {
        let budget = Budget::new(ByteSize(100));
        let others = [budget.share(), budget.share()];
        assert!(others.iter().all(|share| share.take(50)));
        let share = budget.share();
        assert!(!share.take(1));
        assert_eq!(status(&share), Some(503));
        drop(others);
        assert!(share.take(50));
    }
}
