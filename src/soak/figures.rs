//! Where the figures of a soak come from.

use super::remote::Remote;
use crate::{heap, resident};
use http::Uri;
use serde_json::Value;
use std::collections::BTreeMap;

/// The process whose memory is watched.
pub(super) enum Source {
    /// This one.
    Own,
    /// The one with this dashboard.
    Dashboard(Box<Remote>, Uri),
    /// One on this machine, of which only resident memory is known.
    #[cfg(target_os = "linux")]
    Process(u32),
}

/// Memory at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// Live heap, where it is known.
    pub(super) live: Option<u64>,
    /// The part of it that routes own, where blocks have owners.
    pub(super) owned: Option<u64>,
    /// Resident memory, where it could be read.
    pub(super) resident: Option<u64>,
    /// Requests that are not settled, where it is known.
    pub(super) open: u32,
    /// The process, so that another one can be told from it.
    pub(super) process: Option<u64>,
    /// Requests that it has counted, where it does.
    pub(super) requests: Option<u64>,
}

impl Look {
    /// Live heap where it is known, else resident memory.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.live.or(self.resident)
    }
}

impl Source {
    pub(super) async fn look(&self) -> Result<Look, String> {
        match self {
            Self::Own => Ok(own()),
            Self::Dashboard(remote, uri) => {
                // The first answer allocates what the second finds.
                remote.json(uri).await?;
                let figures = remote.json(uri).await?;
                Ok(of_dashboard(&figures))
            }
            #[cfg(target_os = "linux")]
            Self::Process(pid) => of_process(*pid),
        }
    }

    /// Live heap by route; nothing where it isn't known.
    pub(super) async fn routes(&self) -> Result<BTreeMap<String, u64>, String> {
        match self {
            Self::Own => {
                let live = heap::live_by_route();
                let routes = live.into_iter().flat_map(|live| live.routes);
                Ok(routes
                    .map(|it| (it.route.as_str().to_owned(), it.live))
                    .collect())
            }
            Self::Dashboard(remote, uri) => {
                let figures = remote.json(uri).await?;
                let route =
                    |it: &Value| Some((it["route"].as_str()?.to_owned(), it["live"].as_u64()?));
                Ok(routes(&figures).filter_map(route).collect())
            }
            #[cfg(target_os = "linux")]
            Self::Process(_) => Ok(BTreeMap::new()),
        }
    }

    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own)
    }
}

fn own() -> Look {
    let live = heap::live_by_route();
    let routes = || live.iter().flat_map(|live| &live.routes);
    let open = routes().map(|it| it.open_requests).sum();
    let owned = live.is_some().then(|| routes().map(|it| it.live).sum());
    // It is live heap itself.
    drop(live);
    Look {
        live: heap::live_bytes(),
        owned,
        resident: resident::now().map(|resident| resident.total),
        open,
        ..Look::default()
    }
}

fn of_dashboard(figures: &Value) -> Look {
    let of_each = |figure| routes(figures).filter_map(move |route| route[figure].as_u64());
    Look {
        live: figures["live"].as_u64(),
        owned: figures["nobody"].as_u64().map(|_| of_each("live").sum()),
        resident: figures["resident"].as_u64(),
        open: 0,
        // Milliseconds tell two starts apart.
        process: figures["began_at"]
            .as_f64()
            .map(|began| (began * 1e3) as u64),
        requests: Some(of_each("requests").sum()),
    }
}

fn routes(figures: &Value) -> impl Iterator<Item = &Value> {
    figures["routes"].as_array().into_iter().flatten()
}

#[cfg(target_os = "linux")]
fn of_process(pid: u32) -> Result<Look, String> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        std::fs::read_to_string(&path).map_err(|error| format!("{path} can't be read: {error}"))
    };
    let statm = read("statm")?;
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.filter(|pages| *pages > 0);
    let pages =
        pages.ok_or_else(|| format!("process {pid} has no resident memory: it has ended"))?;
    // Since boot, in ticks; after the name, which may contain anything.
    let stat = read("stat")?;
    let began = stat
        .rsplit(')')
        .next()
        .and_then(|stat| stat.split(' ').nth(20));
    Ok(Look {
        resident: Some(pages * rustix::param::page_size() as u64),
        process: began.and_then(|began| began.parse().ok()),
        ..Look::default()
    })
}
