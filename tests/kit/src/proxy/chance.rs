//! Chance that depends on places and not on time.
//!
//! How bytes are cut into reads differs from run to run. So nothing is drawn in the order of
//! events: each draw is a function of the seed, the connection, the direction, the purpose and the
//! place in the stream, and a run with the same seed and the same bytes has the same faults.

use gufo_core::random::{Random, SplitMix};

use super::Direction;

/// The draws of one direction of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    seed: u64,
}

/// What a draw is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Share = 1,
    Jitter = 2,
    Slice = 3,
    Flip = 4,
    Bit = 5,
}

impl Chance {
    pub(super) fn new(seed: u64, connection: u64, direction: Direction) -> Self {
        let seed = mixed(seed, connection);
        Self {
            seed: mixed(seed, direction.index() as u64),
        }
    }

    fn draw(self, purpose: Purpose, place: u64) -> SplitMix {
        SplitMix::new(mixed(mixed(self.seed, purpose as u64), place))
    }

    /// A number from 0 (included) to 1 (excluded).
    pub(super) fn unit(self, purpose: Purpose, place: u64) -> f64 {
        self.draw(purpose, place).unit()
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(super) fn below(self, purpose: Purpose, place: u64, bound: u64) -> u64 {
        self.draw(purpose, place).below(bound)
    }
}

fn mixed(seed: u64, with: u64) -> u64 {
    SplitMix::new(seed ^ with.wrapping_mul(0xd6e8_feb8_6659_fd93)).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_everything_that_names_it_and_on_nothing_else() {
        let draw = |seed, connection, direction, purpose, place| {
            Chance::new(seed, connection, direction).below(purpose, place, u64::MAX)
        };
        let base = draw(1, 1, Direction::Up, Purpose::Flip, 1);

        assert_eq!(base, draw(1, 1, Direction::Up, Purpose::Flip, 1));
        assert_ne!(base, draw(2, 1, Direction::Up, Purpose::Flip, 1));
        assert_ne!(base, draw(1, 2, Direction::Up, Purpose::Flip, 1));
        assert_ne!(base, draw(1, 1, Direction::Down, Purpose::Flip, 1));
        assert_ne!(base, draw(1, 1, Direction::Up, Purpose::Bit, 1));
        assert_ne!(base, draw(1, 1, Direction::Up, Purpose::Flip, 2));
    }

    #[test]
    fn draws_of_neighbours_are_evenly_spread() {
        let chance = Chance::new(7, 0, Direction::Down);

        let hits = (0..100_000).filter(|place| chance.unit(Purpose::Flip, *place) < 0.01);

        assert!((800..1200).contains(&hits.count()));
    }
}
