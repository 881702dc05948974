//! Every route of the site over every other kind of connection.

use crate::{client::Mode, core::each_route_over};

#[test]
fn over_connections_that_close_each_route_has_what_it_keeps() {
    each_route_over(Mode::Close, 1, 4);
}

#[test]
fn over_connections_that_clients_close_each_route_has_what_it_keeps() {
    each_route_over(Mode::Churn, 4, 4);
}

#[test]
fn over_pipelined_connections_each_route_has_what_it_keeps() {
    each_route_over(Mode::Pipelined, 4, 4);
}

#[test]
fn over_http2_each_route_has_what_it_keeps() {
    each_route_over(Mode::Http2, 4, 4);
}
