use super::entry::GENERATIONS;

/// The owner of a block: four bytes that stay with it until it is freed.
///
/// ```text
/// | 10 bits: number of the route | 6 bits: generation | 16 bits: place in the ring |
/// ```
///
/// The place is that of one request's [entry](super::ring), and the generation tells the request
/// from earlier ones that left blocks behind there. Place 0 is no request: such a block counts for
/// its route alone. All zeros is nobody's.
///
/// A block freed with a wrong layout may yield any bits as its tag, so each part is a valid index
/// whatever the bits are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tag(u32);

/// The number of a route, the same for all layers of the process. 0 is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RouteNumber(pub(super) u16);

/// Routes that can be numbered.
pub(super) const ROUTES: usize = 1 << 10;

/// Places in the ring.
pub(super) const PLACES: usize = 1 << 16;

impl Tag {
    /// The owner of all blocks that no request allocated.
    pub(super) const NOBODY: Self = Self(0);

    pub(super) const fn new(route: RouteNumber, generation: u64, place: usize) -> Self {
        let generation = (generation % GENERATIONS) as u32;
        Self((route.0 as u32) << 22 | generation << 16 | (place % PLACES) as u32)
    }

    #[inline]
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    #[inline]
    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// Below [`ROUTES`].
    #[inline]
    pub(super) const fn route(self) -> usize {
        (self.0 >> 22) as usize
    }

    #[inline]
    pub(super) const fn generation(self) -> u64 {
        (self.0 >> 16) as u64 % GENERATIONS
    }

    /// Below [`PLACES`].
    #[inline]
    pub(super) const fn place(self) -> usize {
        self.0 as usize % PLACES
    }

    #[inline]
    pub(super) const fn has_place(self) -> bool {
        self.place() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_parts_come_back_as_they_went_in(
            route in 0..ROUTES as u16,
            generation in 0..GENERATIONS,
            place in 0..PLACES,
        ) {
            let tag = Tag::new(RouteNumber(route), generation, place);
            let tag = Tag::from_bits(tag.bits());
            prop_assert_eq!(tag.route(), usize::from(route));
            prop_assert_eq!((tag.generation(), tag.place()), (generation, place));
        }

        #[test]
        fn whatever_the_bits_each_part_is_an_index(bits: u32) {
            let tag = Tag::from_bits(bits);
            prop_assert!(tag.route() < ROUTES && tag.place() < PLACES);
        }
    }
}
