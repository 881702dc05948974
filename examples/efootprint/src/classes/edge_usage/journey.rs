//! Journeys of deployments and their functions.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::classes::{
    AnyEdgeDeviceNeed, EdgeUsagePattern, Path, RecurrentServerNeed, occurrences_in,
};
use crate::engine::At;
use crate::objects::List;

class! {
    /// Functions of a deployment. One listed twice is needed twice.
    EdgeUsageJourney {
        edge_functions: List<EdgeFunction>,
    }
}

class! {
    /// What a function needs of devices and of servers.
    EdgeFunction {
        recurrent_edge_device_needs: List<AnyEdgeDeviceNeed>,
        recurrent_server_needs: List<RecurrentServerNeed>,
    }
}

impl Answers for EdgeUsageJourney {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Journey);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl Answers for EdgeFunction {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Step);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl<'e> At<'e, EdgeFunction> {
    /// The ways from here up to all patterns.
    pub(crate) fn paths(self) -> impl Iterator<Item = Path<'e>> {
        self.referrers::<EdgeUsageJourney>()
            .flat_map(move |journey| {
                let listed =
                    occurrences_in(&journey.get().edge_functions, |of| self.at(of) == self);
                journey.referrers::<EdgeUsagePattern>().map(move |pattern| {
                    let journeys = &pattern.get().edge_usage_journeys;
                    Path {
                        pattern,
                        journey,
                        function: self,
                        times: listed * occurrences_in(journeys, |of| self.at(of) == journey),
                    }
                })
            })
    }
}
