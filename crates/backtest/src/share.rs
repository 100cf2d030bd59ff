//! A share of the customers: where all of their states do not fit into memory at once, a log is read once for each share.

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

#[cfg(test)]
mod tests {
    use super::*;

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
