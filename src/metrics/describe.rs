use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Describes each metric to the installed recorder.
pub(super) fn describe() {
    let bytes = Unit::Bytes;
    describe_gauge!(
        "process.memory.usage",
        bytes,
        "Resident set of the process."
    );
    describe_gauge!("tower_memory.limit", bytes, "What the process may grow to.");
    describe_gauge!("tower_memory.heap.live", bytes, "Live heap of the process.");
    describe_gauge!(
        "tower_memory.heap.nobody",
        bytes,
        "Live heap that no request owns."
    );
    describe_gauge!(
        "tower_memory.route.live",
        bytes,
        "Live heap that requests of the route own."
    );
    describe_gauge!(
        "tower_memory.route.unsent",
        bytes,
        "Live heap of the route in responses that clients have not read yet."
    );
    describe_gauge!(
        "tower_memory.route.running",
        bytes,
        "Live heap of the route in use by work that outlives its request."
    );
    describe_counter!("tower_memory.requests", "Requests that ended.");
    describe_counter!(
        "tower_memory.growth",
        bytes,
        "Growth of the resident set in requests."
    );
    describe_counter!(
        "tower_memory.shrink",
        bytes,
        "Shrinking of the resident set in requests."
    );
    describe_histogram!(
        "tower_memory.request.growth",
        bytes,
        "Growth in each request that grew the resident set."
    );
    describe_counter!("tower_memory.allocated", bytes, "Allocated by requests.");
    describe_counter!(
        "tower_memory.retained",
        bytes,
        "Live heap that requests leave behind."
    );
    describe_counter!(
        "tower_memory.released",
        bytes,
        "Freed by requests beyond their own."
    );
}
