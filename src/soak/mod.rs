//! Does this service keep memory per request? A verdict, as a test or against a running server.
//!
//! A [`Soak`] sends requests in stages, each twice as long as the one before, and looks at the live heap between them,
//! when nothing is in flight. What a request keeps shows as bytes a request that stay the same from stage to stage; what
//! a warm-up, a cache or a pool costs fades.
//!
//! ```no_run
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use tower::service_fn;
//! use tower_memory::{heap::TrackingAllocator, soak::Soak};
//!
//! #[global_allocator]
//! static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
//!
//! # async fn handle(_: Request<String>) -> Result<Response<String>, Infallible> { Ok(Response::default()) }
//! # #[cfg(test)] mod tests {
//! #[tokio::test]
//! # async fn ignored() {}
//! # }
//! async fn uploads_leave_nothing_behind() {
//!     Soak::of(service_fn(handle)) // any Service<Request<Body>>, such as axum's Router
//!         .request(|n| Request::post("/upload").body(format!("{{\"id\": {n}}}")).unwrap())
//!         .judge()
//!         .await
//!         .assert_settled();
//! }
//! ```
//!
//! A failed assertion prints the judgement:
//!
//! ```text
//! grows: each request leaves 64.0 B behind; /leak explains 100 %
//! Next: Look for what /leak stores: a cache, a session, a queue, a task that never ends.
//!
//! stage  requests      live heap  a request  of routes  noise up to       resident
//!     1       250       +16000 B     64.0 B     64.0 B        4.0 B           +0 B
//!     2       500       +32000 B     64.0 B     64.0 B        4.0 B       +36864 B
//! ```
//!
//! # Procedure
//!
//! 1. *Warm-up*: rounds of 250 requests until two in a row leave nothing behind, or four grow alike; 16 at most.
//! 2. *Idle control*: a second without requests, to know what the process grows by itself.
//! 3. *Stages* of 1, 2, 4 and 8 rounds; up to three more where those don't decide.
//! 4. *Verdict* ([`Verdict`] has them all). A service is settled when growth fades twice in a row; it grows when at least
//!    three of the last four stages are at half the highest rate or more.
//! 5. *Control*: before anything is called settled, the soak itself forgets 32 bytes for each request of one more
//!    stage, and must see them. Against a server, its figures must show eight more connections.
//!
//! Failed requests, a restart, requests of others and figures that stand still make the run invalid.
//!
//! # What it can't see
//!
//! - Less than 4 bytes a request, and a leak that strikes less often than once in some thousand requests.
//! - Whether a cache with more entries than the soak has requests has a bound: until it is full it grows.
//! - Without a heap meter (any of [`heap`](crate::heap)) only resident memory is known. Then it takes 12,000
//!   requests, and growth below 1 KiB a request is lost in the noise.
//!
//! The soak runs in the process of the service, so tests that run at the same time count too: give it a test binary of
//! its own, or run it alone.

mod by_resident;
mod coarse;
mod conclusion;
mod figures;
mod judgement;
mod remote;
mod run;
mod series;
mod shape;
mod traffic;
mod verdict;

pub use self::{
    judgement::{Judgement, RouteGrowth, Stage},
    remote::Remote,
    series::Round,
    verdict::Verdict,
};

use self::{
    figures::Source,
    run::Run,
    series::Progress,
    traffic::{Batch, Send1, requests_to},
};
use http::{Request, Response, StatusCode, Uri};
use http_body::Body;
use std::{fmt, fmt::Display, time::Duration};
use tower_service::Service;

/// A soak: requests to a service, and a verdict on the memory they leave behind. The [module](self) explains it.
#[must_use = "a soak does nothing until `judge` is awaited"]
pub struct Soak<S> {
    service: S,
    watched: Watched,
    send: Option<Send1>,
    expect: fn(StatusCode) -> bool,
    at_once: usize,
    round: u64,
    most: Duration,
    progress: Option<Progress>,
}

/// What to look at.
enum Watched {
    Own,
    Dashboard(String),
    #[cfg(target_os = "linux")]
    Process(u32),
}

impl<S> Soak<S> {
    /// A soak of a service in this process, without a socket.
    pub fn of(service: S) -> Self {
        Self::new(service, Watched::Own)
    }

    fn new(service: S, watched: Watched) -> Self {
        Self {
            service,
            watched,
            send: None,
            expect: |status| status.is_success(),
            at_once: 16,
            round: 250,
            most: Duration::from_secs(300),
            progress: None,
        }
    }

    /// Sends the requests that `make` makes of their numbers, which count from 0. A later call replaces an earlier one.
    pub fn request<B, R>(mut self, make: impl Fn(u64) -> Request<B> + Send + Sync + 'static) -> Self
    where
        S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
        S::Error: Display,
        S::Future: Send,
        B: Send + 'static,
        R: Body + Send + 'static,
        R::Data: Send,
        R::Error: Display,
    {
        self.send = Some(requests_to(self.service.clone(), make));
        self
    }

    /// Sends these requests in turn, each as often as its weight says. Growth is told apart by route where blocks have
    /// owners.
    ///
    /// ```no_run
    /// use http::Request;
    /// use tower_memory::soak::Soak;
    ///
    /// # async fn soak() {
    /// let get = |path| Request::get(path).body("").unwrap();
    /// let judgement = Soak::url("http://127.0.0.1:3000")
    ///     .mixed([(9, get("/steady?kib=1")), (1, get("/leak?bytes=64"))])
    ///     .judge()
    ///     .await;
    /// println!("{judgement}");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If all weights together are 0.
    pub fn mixed<B, R>(self, requests: impl IntoIterator<Item = (u32, Request<B>)>) -> Self
    where
        S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
        S::Error: Display,
        S::Future: Send,
        B: Clone + Send + Sync + 'static,
        R: Body + Send + 'static,
        R::Data: Send,
        R::Error: Display,
    {
        let requests: Vec<_> = requests.into_iter().collect();
        let all: u64 = requests.iter().map(|(weight, _)| u64::from(*weight)).sum();
        assert!(
            all > 0,
            "a mixed soak needs at least one request with a weight"
        );
        self.request(move |number| {
            let mut turn = number % all;
            for (weight, request) in &requests {
                match turn.checked_sub(u64::from(*weight)) {
                    Some(rest) => turn = rest,
                    None => return request.clone(),
                }
            }
            unreachable!("the turn is below the sum of all weights")
        })
    }

    /// Which statuses count as answered (default: 200 to 299). Any other makes the run invalid.
    pub fn expect(mut self, expect: fn(StatusCode) -> bool) -> Self {
        self.expect = expect;
        self
    }

    /// How many requests are in flight at once (default: 16), and over how many connections.
    pub fn at_once(mut self, requests: usize) -> Self {
        self.at_once = requests.max(1);
        self
    }

    /// Requests of a round (default: 250). With all its stages a soak takes 15 to 143 of them.
    pub fn round(mut self, requests: u64) -> Self {
        self.round = requests.max(1);
        self
    }

    /// How long the soak may take (default: 5 minutes). If that doesn't do it is inconclusive.
    pub fn at_most(mut self, duration: Duration) -> Self {
        self.most = duration;
        self
    }

    /// Calls `progress` after each round.
    pub fn on_progress(mut self, progress: impl Fn(&Round) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Runs the soak. Needs a tokio runtime with time enabled.
    ///
    /// Takes some seconds and up to 36,000 requests; 3,750 and a warm-up where four stages decide.
    pub async fn judge(self) -> Judgement {
        let source = match (&self.watched, self.send.is_some()) {
            (Watched::Own, _) => Source::Own,
            #[cfg(target_os = "linux")]
            (Watched::Process(pid), _) => Source::Process(*pid),
            (Watched::Dashboard(url), _) => match url.parse::<Uri>() {
                Ok(uri) => Source::Dashboard(Box::new(Remote::new(url)), uri),
                Err(error) => return Judgement::invalid(format!("`{url}` is no address: {error}")),
            },
        };
        let Some(send) = self.send else {
            return Judgement::invalid(
                "there are no requests: say `request` or `mixed`".to_owned(),
            );
        };
        let batch = Batch {
            send,
            expect: self.expect,
            at_once: self.at_once,
            forget: None,
        };
        let mut run = Run::new(source, batch, self.round, self.most);
        run.progress = self.progress;
        run.judge().await
    }
}

impl Soak<Remote> {
    /// A soak of the server at this address, such as `http://127.0.0.1:3000`. Its figures come from the
    /// `dashboard` at `/memory` of the same server; no other traffic may come meanwhile.
    pub fn url(url: &str) -> Self {
        let remote = Remote::new(url);
        let figures = format!("{}/memory/figures.json", remote.base());
        Self::new(remote, Watched::Dashboard(figures))
    }

    /// The address of the figures, if it is another.
    pub fn figures(mut self, url: &str) -> Self {
        self.watched = Watched::Dashboard(url.to_owned());
        self
    }

    /// Watches the resident memory of a process on this machine instead, for a server without a dashboard.
    #[cfg(target_os = "linux")]
    pub fn pid(mut self, pid: u32) -> Self {
        self.watched = Watched::Process(pid);
        self
    }
}

impl<S> fmt::Debug for Soak<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Soak")
            .field("at_once", &self.at_once)
            .field("round", &self.round)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}
