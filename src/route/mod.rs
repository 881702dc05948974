pub(crate) mod grpc;
mod table;

pub(crate) use self::table::RouteTable;
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The matched route template, such as `/api/systems/{id}`; never a raw path.
///
/// It is the first of these that exists:
///
/// 1. the label returned by your function ([`MemoryLayer::route_with`](crate::MemoryLayer::route_with)),
/// 2. the router's `MatchedPath`, with feature `axum`,
/// 3. the method of a gRPC call, `/{service}/{method}`, by its `content-type` and path. Clients can make up names, so
///    only the first 512 count, and the rest are `other`,
/// 4. [`UNMATCHED`](Self::UNMATCHED).
///
/// Where axum matched only a prefix (`/{*rest}`, as tonic's router does for services), a gRPC call is labelled with its
/// method. Cloning costs at most one atomic increment.
///
/// ```
/// use tower_memory::Route;
///
/// assert_eq!(Route::from("/upload").as_str(), "/upload");
/// assert_eq!(Route::UNMATCHED.to_string(), "unmatched");
/// ```
#[derive(Clone)]
pub struct Route(Label);

#[derive(Clone)]
enum Label {
    Static(&'static str),
    Shared(Arc<str>),
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
}

impl Route {
    /// The request matched no route, or its route is unknown.
    pub const UNMATCHED: Self = Self(Label::Static("unmatched"));

    /// Stands for all routes beyond the bound of a table.
    pub(crate) const OTHER: Self = Self(Label::Static("other"));

    /// The route as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Label::Static(route) => route,
            Label::Shared(route) => route,
            #[cfg(feature = "axum")]
            Label::Matched(route) => route.as_str(),
        }
    }

    /// The router's label, if axum left one in the request.
    pub(crate) fn matched<B>(request: &http::Request<B>) -> Option<Self> {
        #[cfg(feature = "axum")]
        {
            let matched = request.extensions().get::<axum::extract::MatchedPath>();
            matched.map(|matched| Self(Label::Matched(matched.clone())))
        }
        #[cfg(not(feature = "axum"))]
        {
            let _ = request;
            None
        }
    }
}

impl From<&'static str> for Route {
    fn from(route: &'static str) -> Self {
        Self(Label::Static(route))
    }
}

impl From<Arc<str>> for Route {
    fn from(route: Arc<str>) -> Self {
        Self(Label::Shared(route))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
