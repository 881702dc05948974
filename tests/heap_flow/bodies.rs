//! Memory of bodies, on their way in and out.

use super::*;

#[tokio::test]
async fn a_download_is_not_retained_and_what_is_kept_beside_it_is() {
    with_and_without(Bytes::new(), |keeps| {
        Router::new().route(
            "/",
            post(async move || {
                keep_some(keeps);
                vec![7_u8; LARGE]
            }),
        )
    })
    .await;
}

#[tokio::test]
async fn a_download_that_was_written_into_too_large_a_buffer_is_not_retained() {
    with_and_without(Bytes::new(), |keeps| {
        Router::new().route(
            "/",
            post(async move || {
                keep_some(keeps);
                let mut text = String::with_capacity(2 * LARGE);
                text.extend(iter::repeat_n('x', LARGE));
                text
            }),
        )
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_chunks_is_not_retained() {
    with_and_without(Bytes::new(), |keeps| {
        Router::new().route(
            "/",
            post(async move || {
                keep_some(keeps);
                let mut left = LARGE >> 20;
                Body::new(Frames(move || {
                    left = left.checked_sub(1)?;
                    Some(Bytes::from(vec![7; 1 << 20]))
                }))
            }),
        )
    })
    .await;
}

#[tokio::test]
async fn a_cached_asset_is_neither_retained_nor_given_away() {
    let asset = Bytes::from(vec![7_u8; LARGE]);
    with_and_without(Bytes::new(), |keeps| {
        let asset = asset.clone();
        let answer = move || {
            keep_some(keeps);
            std::future::ready(asset.clone())
        };
        Router::new().route("/", post(answer))
    })
    .await;
}

#[tokio::test]
async fn an_asset_that_is_put_into_a_cache_is_retained() {
    let handler = async || {
        let asset = Bytes::from(vec![7_u8; KEPT]);
        keep(asset.clone());
        asset
    };
    let flow = flow_of(Router::new().route("/", post(handler)), Bytes::new()).await;
    assert_retained(&flow, KEPT);
}

#[tokio::test]
async fn an_upload_that_is_collected_and_dropped_is_not_retained() {
    with_and_without(Bytes::from(vec![7; LARGE]), |keeps| {
        Router::new().route(
            "/",
            post(async move |body: Bytes| {
                keep_some(keeps);
                assert_eq!(body.len(), LARGE);
            }),
        )
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_read_frame_by_frame_is_not_retained() {
    with_and_without(Bytes::from(vec![7; LARGE]), |keeps| {
        Router::new().route(
            "/",
            post(async move |mut body: Body| {
                keep_some(keeps);
                while let Some(frame) = body.frame().await {
                    drop(frame.expect("all of it"));
                }
            }),
        )
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_not_read_is_not_retained() {
    with_and_without(Bytes::from(vec![7; LARGE]), |keeps| {
        Router::new().route("/", post(async move || keep_some(keeps)))
    })
    .await;
}

#[tokio::test]
async fn frames_of_an_upload_that_are_kept_are_retained_where_the_body_is_wrapped() {
    let handler = async |body: Body| {
        let mut body = RequestBody::new(body);
        let mut kept = Vec::new();
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            let data = frame.expect("all of it").into_data().expect("data");
            if size < KEPT {
                size += data.len();
                kept.push(data);
            }
        }
        keep(kept);
        size.to_string()
    };
    let router = Router::new().route("/", post(handler));
    let flow = flow_of(router, Bytes::from(vec![7; LARGE])).await;
    let retained = flow.retained();
    // The last frame is kept whole.
    assert!(
        retained.abs_diff(KEPT as i64) < KEPT as u64 / 10,
        "{retained}: {flow:?}"
    );
}

#[tokio::test]
async fn a_request_body_of_any_kind_can_be_wrapped_by_hand() {
    for kept in [false, true] {
        let (layer, mut reports) = reports_of(MemoryLayer::new().without_log());
        let handler = move |request: Request<RequestBody<Full<Bytes>>>| async move {
            let body = request.into_body().collect().await.expect("all of it");
            if kept {
                keep(body);
            }
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        };
        let mut service = layer.layer(service_fn(handler));
        let body = RequestBody::new(Full::new(Bytes::from(vec![7; KEPT])));
        let response = service.call(Request::new(body)).await.expect("it answers");
        drop(response);
        let flow = heap(&mut reports).await;
        assert_retained(&flow, if kept { KEPT } else { 0 });
    }
}

/// A body of frames given by a function.
struct Frames<F>(F);

impl<F: FnMut() -> Option<Bytes> + Unpin> http_body::Body for Frames<F> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready((self.get_mut().0)().map(|data| Ok(http_body::Frame::data(data))))
    }
}
