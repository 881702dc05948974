//! What was changed, for those who look at the results.

use std::collections::BTreeMap;

/// Kinds of changes that change what is computed, or what is there, beyond names and units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    Repeat,
    WebJob,
    Provider,
    NegativeData,
    StoragePower,
    Network,
    Form,
    Resolution,
    Parts,
}

/// How often what changed.
#[derive(Default)]
pub(super) struct Told(BTreeMap<Change, u32>);

impl Told {
    pub(super) fn tell(&mut self, change: Change) {
        *self.0.entry(change).or_default() += 1;
    }

    /// A sentence for each kind of change.
    pub(super) fn remarks(self, major: u64) -> Vec<String> {
        let first = format!("The file is of version {major} and was converted to 27.");
        let changes = self.0.into_iter();
        let changes = changes.map(|(change, times)| change.sentence(times));
        std::iter::once(first).chain(changes).collect()
    }
}

impl Change {
    fn sentence(self, times: u32) -> String {
        let (one, many, what) = match self {
            Self::Repeat => (
                "list",
                "lists",
                "that name something several times now name it once, with a count: it starts where \
                 it came first",
            ),
            Self::WebJob => (
                "request to a web application",
                "requests to web applications",
                "became jobs with default figures: 1 s, 0.1 cores, 50 MB of RAM",
            ),
            Self::Provider => (
                "language model",
                "language models",
                "moved from servers of its own to the provider's, so that its footprint is another",
            ),
            Self::NegativeData => (
                "job",
                "jobs",
                "stored less than nothing, and now store nothing",
            ),
            Self::StoragePower => ("storage", "storages", "drew power, and draw none any more"),
            Self::Network => (
                "deployment",
                "deployments",
                "got a network: Wi-Fi, with 0.05 kWh per GB",
            ),
            Self::Form => (
                "usage pattern",
                "usage patterns",
                "came from a form of before version 11; it spreads its volume as today's forms do, \
                 which may differ",
            ),
            Self::Resolution => (
                "video",
                "videos",
                "had a resolution that the model doesn't make, and got the first that it does",
            ),
            Self::Parts => (
                "edge device or need",
                "edge devices or needs",
                "got the parts that are objects of their own since version 14",
            ),
        };
        let noun = if times == 1 { one } else { many };
        format!("{times} {noun} {what}.")
    }
}
