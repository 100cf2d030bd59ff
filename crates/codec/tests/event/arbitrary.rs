//! Arbitrary events: everything that a decoded event may be.

use std::borrow::Cow;

use bellwether_codec::timestamp::TIME_LIMIT;
use bellwether_engine::event::*;
use bellwether_engine::time::Time;
use bellwether_engine::trace_parent::TraceParent;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

type Owned = Text<'static>;

/// Text with anything in it but nothing.
fn text() -> impl Strategy<Value = Owned> {
    prop_oneof!["[a-z0-9_.-]{1,20}", "\\PC{1,20}", any::<String>().prop_map(|text| text.chars().take(60).collect())]
        .prop_filter("empty text is absent", |text| !text.is_empty())
        .prop_map(Cow::Owned)
}

fn code() -> impl Strategy<Value = Owned> {
    "[ -~]{1,64}".prop_map(Cow::Owned)
}

fn subject() -> impl Strategy<Value = Owned> {
    "\\PC{1,60}".prop_filter("no control characters", |text| !text.chars().any(char::is_control)).prop_map(Cow::Owned)
}

fn time() -> impl Strategy<Value = Time> {
    (0..TIME_LIMIT.0).prop_map(Time)
}

fn data_time() -> impl Strategy<Value = Time> {
    prop_oneof![9 => time(), 1 => Just(TIME_LIMIT)]
}

fn user() -> impl Strategy<Value = UserToken> {
    any::<u64>().prop_map(UserToken)
}

fn money() -> impl Strategy<Value = i64> {
    0..=i64::MAX
}

fn currency() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_map(|letters| Currency(letters.as_bytes().try_into().expect("three letters")))
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("JSON has no infinity", |value| value.is_finite()),
        (-1e6..1e6),
        (-1000i32..1000).prop_map(f64::from)
    ]
}

fn positive() -> impl Strategy<Value = f64> {
    number().prop_map(|value| value.abs().max(f64::MIN_POSITIVE))
}

fn activity() -> impl Strategy<Value = Body<'static>> {
    prop_oneof![
        (of(user()), any::<bool>()).prop_map(|(user, ok)| Body::Login { user, ok }),
        (text(), 1..=u32::MAX, of(number()), of(user())).prop_map(|(feature, count, value, user)| Body::Usage {
            feature,
            count,
            value,
            user
        }),
        (text(), positive(), positive()).prop_map(|(name, used, limit)| Body::Quota { name, used, limit }),
    ]
}

fn support() -> impl Strategy<Value = Body<'static>> {
    use CancellationStep as C;
    use TicketStep as T;
    let ticket_steps = select(vec![T::Opened, T::Answered, T::Solved, T::Reopened]);
    let priorities = select(vec![Priority::Low, Priority::Normal, Priority::High, Priority::Urgent]);
    let kinds = select(vec![SurveyKind::Nps, SurveyKind::Csat, SurveyKind::Ces, SurveyKind::Goal]);
    let cancellation_steps = select(vec![C::Viewed, C::Reasoned, C::Requested, C::Acknowledged, C::Withdrawn]);
    let scale = (-100i32..100, 1i32..100, 0.0f64..=1.0).prop_map(|(min, length, part)| {
        let (min, length) = (f64::from(min), f64::from(length));
        (min, min + length, (min + length * part).min(min + length))
    });
    prop_oneof![
        (ticket_steps, text(), of(text()), of(priorities), of(text())).prop_map(|(step, ticket, channel, priority, topic)| Body::Ticket {
            step,
            ticket,
            channel,
            priority,
            topic
        }),
        (kinds, scale, any::<bool>(), of(user()), of(text()), of(text())).prop_map(
            |(kind, (scale_min, scale_max, score), higher_is_better, user, role, ticket)| {
                Body::Survey { kind, score, scale_min, scale_max, higher_is_better, user, role, ticket }
            }
        ),
        (cancellation_steps, of(user()), of(code()), of(data_time())).prop_map(|(step, user, reason, effective)| Body::Cancellation {
            step,
            user,
            reason,
            effective
        }),
    ]
}

fn billing() -> impl Strategy<Value = Body<'static>> {
    use InvoiceStep as I;
    use SubscriptionStep as S;
    let subscription_steps = select(vec![S::Started, S::Changed, S::Renewed, S::Ended]);
    let reasons = select(vec![EndReason::Voluntary, EndReason::Involuntary, EndReason::Other]);
    let invoice_steps = select(vec![I::Issued, I::PaymentFailed, I::PaymentRecovered, I::Paid]);
    let amounts = (of(money()), of(currency()));
    prop_oneof![
        (subscription_steps, text(), of(text()), amounts, of(any::<u32>()), of(data_time()), of(any::<bool>()), of(reasons)).prop_map(
            |(step, subscription, plan, (mrr_minor, currency), seats, period_end, trial, reason)| {
                Body::Subscription { step, subscription, plan, mrr_minor, currency, seats, period_end, trial, reason }
            }
        ),
        (invoice_steps, text(), of(money()), of(currency()), of(data_time()), of(1..=u32::MAX)).prop_map(
            |(step, invoice, amount_minor, currency, due, attempt)| Body::Invoice { step, invoice, amount_minor, currency, due, attempt }
        ),
        (any::<bool>(), money(), currency(), text()).prop_map(|(acquisition, amount_minor, currency, period)| Body::Cost {
            acquisition,
            amount_minor,
            currency,
            period
        }),
    ]
}

fn account() -> impl Strategy<Value = Body<'static>> {
    use UserStep as U;
    let user_steps = select(vec![U::Invited, U::Activated, U::Removed]);
    prop_oneof![
        (any::<bool>(), of(text()), of(text()), of(text()), of(text()))
            .prop_map(|(created, segment, industry, country, owner)| Body::Account { created, segment, industry, country, owner }),
        (user_steps, user(), of(data_time())).prop_map(|(step, user, expires)| Body::User { step, user, expires }),
        (text(), any::<bool>()).prop_map(|(name, is_final)| Body::Milestone { name, is_final }),
        (text(), of(user()), of(user())).prop_map(|(role, user, previous_user)| Body::Contact { role, user, previous_user }),
        (any::<bool>(), of(user())).prop_map(|(marketing, user)| Body::Consent { marketing, user }),
        Just(Body::Erased),
    ]
}

fn relation() -> impl Strategy<Value = Body<'static>> {
    use CampaignStep as C;
    use FeedbackStep as F;
    let note_kinds = select(vec![NoteKind::FeatureRequest, NoteKind::Observation, NoteKind::Risk, NoteKind::Praise]);
    let campaign_steps = select(vec![C::Sent, C::Failed, C::Opened, C::Clicked, C::Converted, C::Unsubscribed]);
    let feedback_steps = select(vec![F::Acknowledged, F::Dismissed, F::Snoozed, F::Rated]);
    prop_oneof![
        (any::<bool>(), text(), of(note_kinds)).prop_map(|(resolved, note, kind)| Body::Note { resolved, note, kind }),
        of(text()).prop_map(|channel| Body::Touch { channel }),
        (any::<bool>(), text(), any::<bool>()).prop_map(|(resolved, incident, serious)| Body::Incident { resolved, incident, serious }),
        (any::<bool>(), text(), of(number()), of(number()), of(data_time())).prop_map(|(set, metric, target, value, due)| Body::Goal {
            set,
            metric,
            target,
            value,
            due
        }),
        of(text()).prop_map(|kind| Body::Lead { kind }),
        (campaign_steps, text(), of(user()), of(money()), of(currency()))
            .prop_map(|(step, campaign, user, amount_minor, currency)| Body::Campaign { step, campaign, user, amount_minor, currency }),
        (feedback_steps, text(), of(text()), of(data_time()), of(any::<bool>()))
            .prop_map(|(step, signal, by, until, useful)| Body::Feedback { step, signal, by, until, useful }),
    ]
}

/// One of two: they are borrowed.
fn traceparent() -> impl Strategy<Value = TraceParent<'static>> {
    let texts: Vec<&[u8]> =
        vec![b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", b"00-0000000000000000000000000000000f-f000000000000000-00"];
    select(texts).prop_map(|text| TraceParent::parse(text).expect("it is valid"))
}

/// Any event that a line can be decoded to.
pub fn event() -> impl Strategy<Value = Event<'static>> {
    let body = prop_oneof![activity(), support(), billing(), account(), relation()];
    (time(), text(), text(), subject(), of(traceparent()), body).prop_map(|(time, source, id, customer, traceparent, body)| {
        let customer = if matches!(body, Body::Cost { .. }) { Cow::Borrowed("_company") } else { customer };
        Event { time, source, id, customer, traceparent, body }
    })
}
