//! How long a client may take.

use std::time::Duration;

/// An upload that brings nothing for this long has stalled, and so has a download that isn't read.
pub(crate) const STALLED: Duration = Duration::from_secs(30);

/// What takes longer than this has no chance; it would hold a reader or a writer for ever.
pub(crate) const OVERDUE: Duration = Duration::from_secs(10 * 60);
