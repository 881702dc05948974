//! gRPC: the path names the method, `/{service}/{method}`, and the content type says that it is gRPC.

use super::{Route, RouteTable};
use http::{HeaderValue, Method, Request, header::CONTENT_TYPE};
use std::sync::{Arc, LazyLock};

/// All paths that look like a method's, up to the table's bound. Beyond it they are `other`, because a
/// client may make up any name.
static METHODS: LazyLock<RouteTable<()>> = LazyLock::new(RouteTable::new);

/// Whether the request is a gRPC call.
#[inline]
pub(crate) fn is_call<B>(request: &Request<B>) -> bool {
    let content_type = || request.headers().get(CONTENT_TYPE);
    let is_grpc = |value: &HeaderValue| value.as_bytes().starts_with(b"application/grpc");
    request.method() == Method::POST
        && content_type().is_some_and(is_grpc)
        && is_method(request.uri().path())
}

/// The method that a [call](is_call) names.
pub(crate) fn method<B>(request: &Request<B>) -> Route {
    let path = request.uri().path();
    let new = || (Route::from(Arc::<str>::from(path)), ());
    METHODS.named(path, new, || ()).0.clone()
}

fn is_method(path: &str) -> bool {
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let is_name = |name: &str, more: &[u8]| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    parts.is_some_and(|(service, method)| is_name(service, b"._") && is_name(method, b"_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(path: &str, content_type: &str) -> Option<String> {
        let request = Request::post(path).header(CONTENT_TYPE, content_type);
        let request = request.body(()).expect("a request");
        is_call(&request).then(|| method(&request).to_string())
    }

    #[test]
    fn a_grpc_call_is_named_by_service_and_method() {
        let path = "/helloworld.v1.Greeter/SayHello";
        for content_type in ["application/grpc", "application/grpc+proto"] {
            assert_eq!(called(path, content_type).as_deref(), Some(path));
        }
        assert_eq!(called(path, "application/json"), None);
    }

    #[test]
    fn a_path_that_is_no_methods_names_nothing() {
        for path in ["/", "/a", "/a/", "//b", "/a/b/c", "/a/b%20c", "/a-b/c"] {
            assert_eq!(called(path, "application/grpc"), None, "{path}");
        }
    }
}
