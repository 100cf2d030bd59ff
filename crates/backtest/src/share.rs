//! A share of the customers: where all of their states do not fit into memory at once, a partition of a journal is read once for each share.

use bellwether_engine::event::CustomerKey;

/// The customers whose key leaves a remainder, divided by a number of shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    number: u32,
    of: u32,
}

impl Share {
    /// Every customer.
    pub const WHOLE: Self = Self { number: 0, of: 1 };

    /// How many shares of its size make the whole.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The two halves of it; nothing where it is too small to be halved.
    pub fn halves(self) -> Option<[Self; 2]> {
        let of = self.of.checked_mul(2)?;
        Some([Self { number: self.number, of }, Self { number: self.number + self.of, of }])
    }

    /// Whether a customer is in it. The partition of a customer is of the other half of its key, so that partitions stay even.
    pub fn holds(self, key: CustomerKey) -> bool {
        (key.0 >> 64) as u64 % u64::from(self.of) == u64::from(self.number)
    }
}

/// The shares of a partition that are still to be read.
///
/// Keys are hashes, so that shares of one size have as many customers: where one was too large, others of its size are halved untried.
pub(crate) struct Shares {
    left: Vec<Share>,
    too_large: u32,
}

impl Shares {
    /// Begins with every customer at once.
    pub fn new() -> Self {
        Self { left: vec![Share::WHOLE], too_large: 0 }
    }

    /// The next one to read.
    pub fn next(&mut self) -> Option<Share> {
        loop {
            let share = self.left.pop()?;
            if share.of() > self.too_large || !self.halve(share) {
                return Some(share);
            }
        }
    }

    /// Puts the halves of one that is too large in its place; false where it is too small to be halved.
    pub fn halve(&mut self, share: Share) -> bool {
        let Some([first, second]) = share.halves() else { return false };
        self.too_large = self.too_large.max(share.of());
        self.left.extend([second, first]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_was_too_large_others_of_its_size_are_not_tried() {
        let mut shares = Shares::new();
        let mut tried = Vec::new();
        while let Some(share) = shares.next() {
            tried.push((share.number, share.of));
            if share.of < 4 {
                assert!(shares.halve(share));
            }
        }
        assert_eq!(tried, [(0, 1), (0, 2), (0, 4), (2, 4), (1, 4), (3, 4)]);
    }

    #[test]
    fn halves_of_halves_hold_every_customer_once() {
        let halves = Share::WHOLE.halves().expect("it is large");
        let mut shares: Vec<Share> = halves.iter().flat_map(|half| half.halves().expect("it is large")).collect();
        let parts = shares.pop().and_then(Share::halves).expect("it is large");
        shares.extend(parts);
        for number in 0..10_000 {
            let key = CustomerKey::of(&format!("c-{number}"));
            assert!(Share::WHOLE.holds(key));
            assert_eq!(shares.iter().filter(|share| share.holds(key)).count(), 1);
        }
    }
}
