//! The layer one writes in an afternoon: the process's memory from `sysinfo`, before and after.

use http::{Request, Response};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tower::{BoxError, Layer, Service};

/// Keeps one `System` and refreshes only the memory of one process, the least that sysinfo can do.
#[derive(Clone)]
pub(super) struct NaiveLayer {
    process: Process,
}

#[derive(Clone)]
struct Process {
    system: Arc<Mutex<System>>,
    pid: Pid,
}

impl NaiveLayer {
    pub(super) fn new() -> Result<Self, BoxError> {
        let system = Arc::new(Mutex::new(System::new()?));
        let pid = sysinfo::get_current_pid()?;
        Ok(Self {
            process: Process { system, pid },
        })
    }
}

impl Process {
    fn memory(&self) -> Option<u64> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[self.pid]),
            false,
            ProcessRefreshKind::nothing().with_memory(),
        );
        Some(system.process(self.pid)?.memory())
    }
}

impl<S> Layer<S> for NaiveLayer {
    type Service = NaiveService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NaiveService {
            inner,
            process: self.process.clone(),
        }
    }
}

#[derive(Clone)]
pub(super) struct NaiveService<S> {
    inner: S,
    process: Process,
}

impl<S, B, C> Service<Request<B>> for NaiveService<S>
where
    S: Service<Request<B>, Response = Response<C>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let process = self.process.clone();
        let before = process.memory();
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await;
            if let (Some(before), Some(after)) = (before, process.memory())
                && after.saturating_sub(before) >= 100 << 20
            {
                tracing::warn!(before, after, "memory grew");
            }
            response
        })
    }
}
