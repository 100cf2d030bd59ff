//! What an event adds to the sums by happening, whatever it makes of its customer.

use super::campaigns::Reached;
use super::durations::add;
use super::month::Month;
use super::sums::{Flow, KpiSums};
use crate::currency::NO_CURRENCY;
use crate::customer::Customer;
use crate::event::{Body, Event, SubscriptionStep, SurveyKind, TicketStep};
use crate::fold::Folded;
use crate::settings::Settings;

/// A CSAT answer on its scale from 0 to 1 is satisfied from here on: 4 of 1 to 5, the top two of five.
const SATISFIED_FROM: f64 = 0.75;

/// Longer waits for a first answer count as so many hours.
const MAX_RESPONSE_HOURS: i64 = 720;

impl KpiSums {
    /// Counts an event that was folded and is no duplicate.
    pub(crate) fn count(&mut self, customer: &Customer, event: &Event<'_>, folded: &Folded, settings: &Settings) {
        // Most events are of use only to their customer.
        if matches!(event.body, Body::Login { .. } | Body::Usage { .. }) {
            return;
        }
        let month = Month::of(event.time.day());
        for (due, renewed) in &folded.closed_terms {
            self.flow(*due, Flow::Due, 1);
            self.flow(*due, Flow::DueRenewed, i64::from(*renewed));
        }
        match &event.body {
            Body::Ticket { step, channel, .. } => {
                if let (TicketStep::Opened, Some(sums)) = (step, self.month(month)) {
                    add(&mut sums.tickets, settings.kpis.channels.of(channel.as_deref()).into(), 1);
                }
                for (response, sign) in folded.first_response.iter().zip([-1, 1]) {
                    let Some((opened, waited_ms)) = response else { continue };
                    let hours = (waited_ms / crate::time::HOUR_MS).clamp(0, MAX_RESPONSE_HOURS) as u16;
                    if let Some(sums) = self.month(Month::of(opened.day())) {
                        add(&mut sums.first_response_hours, hours, sign);
                    }
                }
            }
            Body::Subscription { step: SubscriptionStep::Renewed, .. } => self.flow(month, Flow::Renewed, 1),
            Body::Subscription { step: SubscriptionStep::Ended, .. } => self.flow(month, Flow::Ended, 1),
            Body::Survey { kind, score, scale_min, scale_max, higher_is_better, .. } => {
                let share = (score - scale_min) / (scale_max - scale_min);
                let good = if *higher_is_better { share } else { 1.0 - share };
                match kind {
                    SurveyKind::Csat => {
                        self.flow(month, Flow::CsatAnswers, 1);
                        self.flow(month, Flow::CsatSatisfied, i64::from(good >= SATISFIED_FROM));
                    }
                    SurveyKind::Ces => {
                        self.flow(month, Flow::CesAnswers, 1);
                        self.flow(month, Flow::CesSum, (good * 10_000.0).round() as i64);
                    }
                    SurveyKind::Nps | SurveyKind::Goal => {}
                }
            }
            Body::Lead { .. } => self.flow(month, Flow::Leads, 1),
            Body::Campaign { step, campaign, amount_minor, currency, .. } => {
                let money = amount_minor.map(|amount| (currency.map_or(NO_CURRENCY, |currency| currency.counted()), amount));
                self.count_campaign(customer, Reached { step: *step, campaign, time: event.time, money }, settings);
            }
            Body::Cost { acquisition, amount_minor, currency, period } => {
                if let Some(sums) = self.month(Month::parse(period).unwrap_or(month)) {
                    let costs = if *acquisition { &mut sums.acquisition_cost_minor } else { &mut sums.retention_cost_minor };
                    add(costs, currency.counted(), *amount_minor);
                }
            }
            _ => {}
        }
    }

    pub(super) fn flow(&mut self, month: Month, flow: Flow, amount: i64) {
        if let Some(sums) = self.month(month) {
            add(&mut sums.flows, flow, amount);
        }
    }
}
