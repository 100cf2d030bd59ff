//! What a customer adds to the aggregates of its partition, and the compact form in which that is remembered until it changes.

use crate::customer::{Customer, Packed, PackedReader, PackedWriter};
use crate::event::Currency;
use crate::journey::JourneyPart;
use crate::kpi::{self, KpiContribution, Money, put_money, take_money};
use crate::rule_set::RuleSet;
use crate::time::{Day, Time};

/// The subject of events about ourselves, which is no customer.
const COMPANY: &str = "_company";

/// What a customer adds: a function of its state, the rule set and the day.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contribution {
    pub counted: bool,
    pub active: bool,
    pub stage: u8,
    pub journey: JourneyPart,
    pub mrr_minor: Money,
    pub kpis: KpiContribution,
    /// Before this day time alone changes nothing of it.
    stands_until: Day,
}

/// A contribution as it is remembered beside the customer, in few bytes: nearly always it is only asked whether it still stands.
#[derive(Clone, Debug, Default)]
pub struct Contributed {
    stage: u8,
    quadrant: Option<u8>,
    grade: Option<u8>,
    entered: Option<Time>,
    stands_until: Day,
    /// The contribution; empty while there is none.
    packed: Box<[u8]>,
}

/// No part of the state: it follows from the rest, and the rule set.
impl PartialEq for Contributed {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Contributed {
    /// What a customer contributes as it was when it was last evaluated, under a rule set.
    #[must_use]
    pub fn of(customer: &Customer, rules: &RuleSet) -> Self {
        Contribution::of(customer, rules).remembered()
    }

    /// Whether nothing was ever contributed.
    pub(crate) fn is_nothing(&self) -> bool {
        self.packed.is_empty()
    }

    /// Whether both add the same.
    pub(crate) fn is_same_amount(&self, other: &Self) -> bool {
        self.packed == other.packed
    }

    /// Whether neither time nor an evaluation has changed anything of it.
    pub(crate) fn stands(&self, customer: &Customer, rules: &RuleSet) -> bool {
        self.stage == customer.health.stage
            && self.quadrant == customer.health.quadrant
            && self.entered == customer.journey.entered()
            && customer.clock.day() < self.stands_until
            && self.grade == customer.health.grade(&rules.settings.health)
    }

    /// The contribution that was remembered.
    pub(crate) fn recalled(&self) -> Contribution {
        if self.is_nothing() {
            return Contribution::default();
        }
        let contribution = Contribution::unpack(&mut PackedReader::new(&self.packed));
        contribution.expect("what was packed in this process can be unpacked")
    }
}

impl Contribution {
    /// What a customer contributes as it was when it was last evaluated, under a rule set.
    pub fn of(customer: &Customer, rules: &RuleSet) -> Self {
        let today = customer.clock.day();
        Self {
            counted: *customer.id != *COMPANY,
            active: customer.billing.active().next().is_some(),
            stage: customer.health.stage,
            journey: JourneyPart {
                quadrant: customer.health.quadrant,
                entered: customer.journey.entered(),
                stays: customer.journey.stays().to_vec(),
            },
            mrr_minor: mrr_by_currency(customer),
            kpis: KpiContribution::of(customer, rules),
            stands_until: kpi::next_change(customer, today).unwrap_or(Day(i32::MAX)),
        }
    }

    /// The form in which it is remembered.
    pub fn remembered(&self) -> Contributed {
        if *self == Self::default() {
            return Contributed::default();
        }
        let mut writer = PackedWriter::new();
        self.pack(&mut writer);
        Contributed {
            stage: self.stage,
            quadrant: self.journey.quadrant,
            grade: self.kpis.grade(),
            entered: self.journey.entered,
            stands_until: self.stands_until,
            packed: writer.bytes.into_boxed_slice(),
        }
    }
}

impl Packed for Contribution {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_flags([self.counted, self.active]);
        writer.bytes.push(self.stage);
        writer.put(self.journey.quadrant.map_or(0, |quadrant| u64::from(quadrant) + 1));
        writer.put_list(&self.journey.stays);
        put_money(writer, &self.mrr_minor);
        self.kpis.pack(writer);
    }

    /// All that is added; until when it stands, and since when its stage does, is remembered beside it.
    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let [counted, active] = reader.take_flags()?;
        Some(Self {
            counted,
            active,
            stage: reader.take_byte()?,
            journey: JourneyPart {
                quadrant: reader.take()?.checked_sub(1).and_then(|quadrant| u8::try_from(quadrant).ok()),
                entered: None,
                stays: reader.take_list(Packed::unpack)?,
            },
            mrr_minor: take_money(reader)?,
            kpis: KpiContribution::unpack(reader)?,
            stands_until: Day::default(),
        })
    }
}

fn mrr_by_currency(customer: &Customer) -> Money {
    let mut sums: Vec<(Currency, i64)> = Vec::new();
    for subscription in customer.billing.active().filter(|subscription| !subscription.is_trial()) {
        let currency = subscription.paid_currency();
        let mrr = subscription.mrr_minor.get().copied().unwrap_or(0);
        match sums.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(mrr),
            None => sums.push((currency, mrr)),
        }
    }
    sums
}
