use super::{
    config::Config,
    settling::{self, Unsettled},
};
use crate::{
    heap::{HeapFlow, LateRemains, Remains},
    report::{LateWork, Report},
    shield::shielded,
    verdict::{self, Evidence, Verdict},
};
use std::{mem, sync::Arc};
use tracing::Span;

/// A request whose window has closed but which is not yet reported.
///
/// Memory still live at that moment may be the response, which the server is about to drop. So a request
/// with more than a response head live is reported a little later, by the [`settling`] thread.
struct Ending {
    config: Arc<Config>,
    report: Report,
    remains: Remains,
    /// Live bytes of the request when its window closed.
    live: u64,
}

/// Reports to the listeners, now or once the request has settled.
pub(super) fn tell_or_wait(config: &Arc<Config>, report: &mut Report, remains: Remains) {
    settling::tell_or_wait(Ending {
        config: Arc::clone(config),
        report: mem::replace(report, Report::blank()),
        live: remains.live(),
        remains,
    });
}

impl Ending {
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
            settling::tell_or_wait(ending);
        }
    }
}

impl Unsettled for Ending {
    fn is_settled(&self) -> bool {
        self.remains.is_settled()
    }

    fn is_unsent(&self) -> bool {
        self.remains.is_unsent()
    }

    fn tell(&mut self) {
        // Memory the server has dropped since the end is no longer in use.
        let dropped = self.live.saturating_sub(self.remains.live());
        self.report.heap = Some(self.remains.settle(|| self.when_work_ends()));
        let live_after = &mut self.report.live_after;
        *live_after = live_after.map(|live| live.saturating_sub(dropped));
        tell(&self.config, &mut self.report);
    }
}

/// Judges the final figures and reports them to the listeners.
pub(super) fn tell(config: &Config, report: &mut Report) {
    let (before, after) = (report.before.as_ref(), report.after.as_ref());
    let thresholds = &config.thresholds;
    report.verdict = match thresholds.are_above(before, after, report.heap.as_ref()) {
        true => Verdict::WithinThreshold,
        false => judge(config, report),
    };
    config.tell(|listener| listener.on_report(report));
    // This may be the last handle to the span, and dropping it tells the subscriber that the span closed.
    if !report.span.is_none() {
        let span = mem::replace(&mut report.span, Span::none());
        shielded(|| drop(span));
    }
}

#[inline(never)]
fn judge(config: &Config, report: &Report) -> Verdict {
    let evidence = Evidence {
        before: report.before,
        after: report.after,
        live: report.live_before.zip(report.live_after),
        overlap: report.overlap,
        heap: report.heap.as_ref(),
    };
    verdict::judge(&evidence, &config.thresholds)
}

/// Background work that went on after its request and has ended.
struct LateEnding {
    config: Arc<Config>,
    remains: LateRemains,
    work: LateWork,
}

impl Unsettled for LateEnding {
    fn is_settled(&self) -> bool {
        self.remains.is_settled()
    }

    fn is_unsent(&self) -> bool {
        false
    }

    fn tell(&mut self) {
        let Self {
            config,
            remains,
            work,
        } = self;
        if let Some(heap) = remains.settle() {
            work.heap = heap;
            work.verdict = verdict::judge_late(&heap, &config.thresholds);
            work.is_awaited = heap.received >= config.thresholds.growth.max(1);
            config.tell(|listener| listener.on_late_work(work));
        }
        let span = mem::replace(&mut work.span, Span::none());
        shielded(|| drop(span));
    }
}
