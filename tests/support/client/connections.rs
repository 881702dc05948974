//! Shares a batch among connections, and holds those that stay open.

use super::{Answer, Batch, Mode, Reading, http1, http2};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Connections that are open until they are closed.
#[derive(Default)]
pub struct Held {
    http1: Vec<http1::Connection>,
    http2: Vec<http2::Connection>,
}

impl Held {
    pub async fn close(&mut self) {
        self.http1.clear();
        for connection in self.http2.drain(..) {
            connection.close().await;
        }
    }
}

/// A connection that is still open, of either kind.
pub enum Open {
    Http1(http1::Connection),
    Http2(http2::Connection),
}

impl Open {
    async fn keep(self, held: Option<&mut Held>) {
        match (self, held) {
            (Self::Http1(connection), Some(held)) => held.http1.push(connection),
            (Self::Http2(connection), Some(held)) => held.http2.push(connection),
            (Self::Http1(_), None) => {}
            (Self::Http2(connection), None) => connection.close().await,
        }
    }
}

pub async fn run(batch: Batch, held: &mut Held) -> Answer {
    let batch = Arc::new(batch);
    let connections = batch.connections.clamp(1, batch.count.max(1));
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        // The first ones have one more if it doesn't come out even.
        let count = batch.count / connections + usize::from(number < batch.count % connections);
        tasks.spawn(serve(Arc::clone(&batch), count));
    }
    let mut answer = Answer::default();
    while let Some(done) = tasks.join_next().await {
        let (more, open) = done.expect("no panic");
        answer.add(more);
        for connection in open {
            connection.keep(batch.hold.then_some(&mut *held)).await;
        }
    }
    answer
}

/// This many requests of a batch, one connection at a time.
async fn serve(batch: Arc<Batch>, count: usize) -> (Answer, Vec<Open>) {
    let is_left = matches!(batch.reading, Reading::Head | Reading::Nothing);
    let is_single = is_left || matches!(batch.mode, Mode::Close | Mode::Churn);
    let of_each = if is_single { 1 } else { count };
    let (mut answer, mut open) = (Answer::default(), Vec::new());
    let mut left = count;
    while left > 0 {
        let number = of_each.min(left);
        let (more, connection) = match batch.mode {
            Mode::Http2 => http2::serve(&batch, number).await,
            _ => http1::serve(&batch, number).await,
        };
        left -= (more.responses + more.failed) as usize;
        answer.add(more);
        match connection {
            // Of connections that each serve one request, the last is held, lest descriptors run out.
            Some(connection) if batch.hold && (is_left || left == 0) => open.push(connection),
            Some(connection) => connection.keep(None).await,
            None => {}
        }
    }
    (answer, open)
}
