use super::{config::Config, settling};
use crate::{
    heap::{self, HeapFlow, LateRemains, Remains},
    report::{LateWork, Report},
    shield::shielded,
    verdict::{self, Evidence, Verdict},
};
use std::{mem, sync::Arc};
use tracing::{Dispatch, dispatcher};

/// A request whose window has closed, until it is reported.
///
/// What is alive of it at that moment may be its response, which the server is about to drop. So a request
/// of which more than a head is alive is reported a little later, by the thread of [`settling`].
pub(super) struct Ending {
    config: Arc<Config>,
    report: Report,
    remains: Option<Remains>,
    /// What was alive of the request when its window closed.
    live: u64,
}

impl Ending {
    pub(super) fn new(config: &Arc<Config>, report: Report, remains: Option<Remains>) -> Self {
        let live = remains.as_ref().map_or(0, Remains::live);
        Self {
            config: Arc::clone(config),
            report,
            remains,
            live,
        }
    }

    pub(super) fn tell_or_wait(self) {
        match self.is_settled() {
            true => self.tell(),
            false => settling::wait(self.into()),
        }
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_settled(&self) -> bool {
        self.remains.as_ref().is_none_or(Remains::is_settled)
    }

    pub(super) fn is_unsent(&self) -> bool {
        self.remains.as_ref().is_some_and(Remains::is_unsent)
    }

    /// Reports to the listeners.
    pub(super) fn tell(mut self) {
        let mut dropped = 0;
        let heap = self.remains.as_ref().map(|remains| {
            // What the server has dropped since the end is no longer in use.
            dropped = self.live.saturating_sub(remains.live());
            remains.settle(|| self.when_work_ends())
        });
        let report = &mut self.report;
        report.heap = heap;
        report.live_after = report.live_after.map(|live| live.saturating_sub(dropped));
        let evidence = Evidence {
            before: report.before,
            after: report.after,
            live: report.live_before.zip(report.live_after),
            overlap: report.overlap,
            heap: report.heap.as_ref(),
        };
        report.verdict = verdict::judge(&evidence, &self.config.thresholds);
        self.config.tell(|listener| listener.on_report(report));
        // It may be the last handle of the span, whose end the subscriber hears of.
        let span = mem::replace(&mut report.span, tracing::Span::none());
        shielded(|| drop(span));
    }

    /// Called when background work of this request ends, after the request's report.
    fn when_work_ends(&self) -> impl FnOnce(LateRemains) + Send + use<> {
        let config = Arc::clone(&self.config);
        let (method, route) = (self.report.method.clone(), self.report.route.clone());
        let span = self.report.span.clone();
        move |remains| {
            let ending = LateEnding {
                config,
                remains,
                work: LateWork {
                    method,
                    route,
                    heap: HeapFlow::default(),
                    verdict: Verdict::WithinThreshold,
                    is_awaited: false,
                    span,
                },
            };
            match ending.remains.is_settled() {
                true => ending.tell(),
                false => settling::wait(ending.into()),
            }
        }
    }
}

/// Background work of a request that went on after it, and has ended.
pub(super) struct LateEnding {
    config: Arc<Config>,
    remains: LateRemains,
    work: LateWork,
}

impl LateEnding {
    pub(super) fn is_settled(&self) -> bool {
        self.remains.is_settled()
    }

    pub(super) fn tell(self) {
        let Self {
            config,
            remains,
            mut work,
        } = self;
        if let Some(heap) = remains.settle() {
            work.heap = heap;
            work.verdict = verdict::judge_late(&heap, &config.thresholds);
            work.is_awaited = heap.received >= config.thresholds.growth.max(1);
            config.tell(|listener| listener.on_late_work(&work));
        }
        shielded(|| drop(work));
    }
}

/// What waits to be reported, with the subscriber that its events go to.
pub(super) struct Waiting {
    pub(super) ending: Either,
    subscriber: Dispatch,
}

pub(super) enum Either {
    Request(Ending),
    Late(LateEnding),
}

impl Waiting {
    pub(super) fn tell(self) {
        let Self { ending, subscriber } = self;
        dispatcher::with_default(&subscriber, || match ending {
            Either::Request(ending) => ending.tell(),
            Either::Late(ending) => ending.tell(),
        });
    }

    pub(super) fn is_settled(&self) -> bool {
        match &self.ending {
            Either::Request(ending) => ending.is_settled(),
            Either::Late(ending) => ending.is_settled(),
        }
    }

    pub(super) fn is_unsent(&self) -> bool {
        matches!(&self.ending, Either::Request(ending) if ending.is_unsent())
    }
}

impl From<Ending> for Waiting {
    fn from(ending: Ending) -> Self {
        Either::Request(ending).into()
    }
}

impl From<LateEnding> for Waiting {
    fn from(ending: LateEnding) -> Self {
        Either::Late(ending).into()
    }
}

impl From<Either> for Waiting {
    fn from(ending: Either) -> Self {
        Self {
            ending,
            subscriber: heap::as_nobody(|| dispatcher::get_default(Clone::clone)),
        }
    }
}
