//! Splits large frames into pieces.
//!
//! A server takes the next frame when it has room for it. It would take a response of one large frame
//! at once, and the window would close long before the client had read it. In pieces, the window stays
//! open while the client reads, and a client that leaves is noticed.

use crate::heap;
use bytes::{Buf, Bytes};
use std::any::Any;

/// Enough to keep a socket busy: hyper takes two ahead.
const PIECE: usize = 256 << 10;

/// Leaves at most [`PIECE`] bytes in `data` and returns the rest. Only for [`Bytes`], which can be
/// split without a copy.
#[inline]
pub(super) fn cut<D: Buf + 'static>(data: &mut D) -> Option<Box<Bytes>> {
    if data.remaining() <= PIECE {
        return None;
    }
    let bytes = (data as &mut dyn Any).downcast_mut::<Bytes>()?;
    // Neither the request's nor that of a request around it.
    Some(heap::as_nobody(|| Box::new(bytes.split_off(PIECE))))
}

/// The next piece of `rest`, as the type of data that it was cut from.
#[inline]
pub(super) fn next<D: Buf + 'static>(rest: &mut Option<Box<Bytes>>) -> Option<D> {
    let left = rest.as_deref_mut()?;
    let piece = left.split_to(left.len().min(PIECE));
    if left.is_empty() {
        *rest = None;
    }
    let mut data: Option<D> = None;
    let same = (&mut data as &mut dyn Any).downcast_mut::<Option<Bytes>>()?;
    *same = Some(piece);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_frame_are_the_frame() {
        let whole: Bytes = (0..3 * PIECE + 5).map(|n| n as u8).collect();
        let mut first = whole.clone();
        let mut rest = cut(&mut first);
        let mut pieces = vec![first];
        while let Some(piece) = next::<Bytes>(&mut rest) {
            pieces.push(piece);
        }
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        assert_eq!(pieces.concat(), whole);
    }

    #[test]
    fn a_frame_of_one_piece_and_data_of_another_kind_stay_whole() {
        assert_eq!(cut(&mut Bytes::from(vec![0; PIECE])), None);
        let mut chain = Bytes::from(vec![0; PIECE]).chain(Bytes::from(vec![0; PIECE]));
        assert_eq!(cut(&mut chain), None);
    }
}
