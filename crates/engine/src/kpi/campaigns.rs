//! What became of campaigns, by campaign and industry.
//!
//! These are counts of what was sent. Whether those who got it did better than those held out (uplift) is for the outcomes of episodes to say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::durations::add;
use super::sums::KpiSums;
use crate::customer::Customer;
use crate::event::{CampaignStep, Currency};
use crate::settings::Settings;
use crate::time::Time;

/// What became of a campaign in an industry; events, not people: who opens twice counts twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignSums {
    /// Messages sent.
    pub sent: i64,
    /// Messages that did not arrive.
    pub failed: i64,
    /// Messages opened.
    pub opened: i64,
    /// Links followed.
    pub clicked: i64,
    /// Conversions within the horizon after it was sent, or of a customer to whom its sending is not remembered.
    pub converted: i64,
    /// Conversions after the horizon; their money does not count.
    pub converted_late: i64,
    /// Withdrawals of consent.
    pub unsubscribed: i64,
    /// Money of the conversions within the horizon, minor units by currency.
    pub converted_minor: BTreeMap<Currency, i64>,
}

/// A step of a campaign at a customer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached<'a> {
    pub step: CampaignStep,
    pub campaign: &'a str,
    pub time: Time,
    pub money: Option<(Currency, i64)>,
}

impl KpiSums {
    /// Counts a step of a campaign. Its customer has been told of it already.
    pub(super) fn count_campaign(&mut self, customer: &Customer, reached: Reached<'_>, settings: &Settings) {
        let campaign = settings.kpis.campaigns.of(Some(reached.campaign));
        let industry = settings.kpis.industries.of(customer.account.industry.get().map(|industry| &**industry));
        let sums = self.campaigns.entry((campaign.into(), industry.into())).or_default();
        match reached.step {
            CampaignStep::Sent => sums.sent += 1,
            CampaignStep::Failed => sums.failed += 1,
            CampaignStep::Opened => sums.opened += 1,
            CampaignStep::Clicked => sums.clicked += 1,
            CampaignStep::Unsubscribed => sums.unsubscribed += 1,
            CampaignStep::Converted => {
                let sent_at = customer.ledger.as_ref().and_then(|ledger| ledger.campaign_sent_at(reached.campaign));
                let is_late = sent_at.is_some_and(|sent| reached.time.since_ms(sent) > settings.kpis.campaign_horizon_ms);
                if is_late {
                    sums.converted_late += 1;
                    return;
                }
                sums.converted += 1;
                if let Some((currency, amount)) = reached.money {
                    add(&mut sums.converted_minor, currency, amount);
                }
            }
        }
    }
}

impl CampaignSums {
    pub(super) fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.opened += other.opened;
        self.clicked += other.clicked;
        self.converted += other.converted;
        self.converted_late += other.converted_late;
        self.unsubscribed += other.unsubscribed;
        other.converted_minor.iter().for_each(|(currency, amount)| add(&mut self.converted_minor, *currency, *amount));
    }
}
