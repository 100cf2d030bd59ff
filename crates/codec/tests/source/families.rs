//! One realistic topic of each kind: a login service, a billing provider, a helpdesk, product analytics, surveys, a cancellation page.

use bellwether_codec::event::Decoder;
use bellwether_codec::source::{SourceDecoder, SourceFormat};

use crate::{check, mapped, outcome, record};

/// The attributes of what comes out, but for the data.
fn event(id: &str, source: &str, kind: &str, subject: &str, time: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"{kind}","subject":"{subject}","time":"{time}","data":{data}}}"#
    )
}

#[test]
fn the_logins_of_an_auth_service() {
    let decoder = mapped(
        r#"
skip:
  - { at: /client/kind, in: [service, health-check] }
  - { at: /tenant, missing: true }
type: { at: /eventType, map: { LOGGED_IN: login, LOGIN_FAILED: login } }
id: /eventId
source: { constant: /auth }
subject: /tenant/id
time: { at: /occurredAt, as: epoch_milliseconds }
data:
  user: { at: /user/email, trim: true, lowercase: true }
  ok: { at: /eventType, map: { LOGGED_IN: true }, otherwise: false }
"#,
    );
    let value = |kind: &str, client: &str| {
        format!(
            r#"{{"eventId":9007199254740993,"eventType":"{kind}","occurredAt":1772352900123,"tenant":{{"id":4711}},"user":{{"email":" U7"}},"client":{{"kind":"{client}"}}}}"#
        )
    };
    let login = |data: &str| event("9007199254740993", "/auth", "login", "4711", "2026-03-01T08:15:00.123Z", data);
    check(&decoder, &value("LOGGED_IN", "browser"), &login(r#"{"user":"u-325096f9a81aab86"}"#));
    check(&decoder, &value("LOGIN_FAILED", "browser"), &login(r#"{"user":"u-325096f9a81aab86","ok":false}"#));
    check(&decoder, &value("LOGGED_IN", "service"), "skipped");
    check(&decoder, r#"{"eventType":"LOGGED_IN"}"#, "skipped");
    check(&decoder, &value("LOGGED_OUT", "browser"), r#"unknown_type: type: the text "LOGGED_OUT" is not in the map (from /eventType)"#);
}

#[test]
fn the_events_of_a_billing_provider() {
    let decoder = mapped(
        r#"
type:
  at: /type
  map:
    invoice.finalized: invoice.issued
    invoice.paid: invoice.paid
    invoice.payment_failed: payment.failed
    customer.subscription.created: subscription.started
    customer.subscription.updated: subscription.changed
    customer.subscription.deleted: subscription.ended
id: /id
source: { constant: /billing }
subject: /data/object/customer
time: { at: /created, as: epoch_seconds }
data:
  invoice: /data/object/id
  amount_minor: /data/object/amount_due
  due: { at: /data/object/due_date, as: epoch_seconds }
  attempt: /data/object/attempt_count
  subscription: /data/object/id
  plan: /data/object/items/data/0/price/lookup_key
  mrr_minor: /data/object/items/data/0/price/unit_amount
  currency: /data/object/currency
  seats: /data/object/items/data/0/quantity
  period_end: { at: /data/object/current_period_end, as: epoch_seconds }
  trial: { at: /data/object/status, map: { trialing: true }, otherwise: false }
  reason:
    at: /data/object/cancellation_details/reason
    map: { cancellation_requested: voluntary, payment_failed: involuntary, payment_disputed: involuntary }
    otherwise: other
"#,
    );
    let invoice = r#"{"id":"evt_1","type":"invoice.payment_failed","created":1772352900,"data":{"object":{"id":"in_9","customer":"cus_1","amount_due":1999,"currency":"eur","attempt_count":2,"due_date":null}}}"#;
    let time = "2026-03-01T08:15:00Z";
    let data = r#"{"invoice":"in_9","amount_minor":1999,"currency":"EUR","attempt":2}"#;
    check(&decoder, invoice, &event("evt_1", "/billing", "payment.failed", "cus_1", time, data));
    let subscription = r#"{"id":"evt_2","type":"customer.subscription.deleted","created":1772352900,"data":{"object":{"id":"sub_3","customer":"cus_1","currency":"usd","status":"canceled","current_period_end":1775001600,"cancellation_details":{"reason":"payment_failed"},"items":{"data":[{"quantity":25,"price":{"lookup_key":"pro","unit_amount":4900}}]}}}}"#;
    let data = r#"{"subscription":"sub_3","plan":"pro","mrr_minor":4900,"currency":"USD","seats":25,"period_end":"2026-04-01T00:00:00Z","trial":false,"reason":"involuntary"}"#;
    check(&decoder, subscription, &event("evt_2", "/billing", "subscription.ended", "cus_1", time, data));
    let broken = invoice.replace("1999", "\"19.99\"");
    check(
        &decoder,
        &broken,
        r#"wrong_type: data.amount_minor: expected an integer in minor units, found the text "19.99" (from /data/object/amount_due)"#,
    );
    check(&decoder, &invoice.replace("\"in_9\"", "null"), "missing_field: data.invoice is missing (from /data/object/id)");
}

#[test]
fn the_tickets_of_a_helpdesk() {
    let decoder = mapped(
        r#"
skip: [{ at: /ticket/tags/0, equals: spam }]
type:
  at: /ticket/status
  lowercase: true
  map: { new: ticket.opened, open: ticket.reopened, pending: ticket.answered, solved: ticket.solved, closed: ticket.solved }
id: { header: x-delivery-id }
subject: /ticket/organization/external_id
time: /ticket/updated_at
data:
  ticket: { at: /ticket/id, as: text }
  channel: /ticket/via/channel
  priority: { at: /ticket/priority, lowercase: true, default: normal }
"#,
    );
    let value = r#"{"ticket":{"id":35436,"status":"New","priority":null,"tags":[],"via":{"channel":"web"},"organization":{"external_id":"c-77"},"updated_at":"2026-03-01T09:15:00+01:00"}}"#;
    let data = r#"{"ticket":"35436","channel":"web","priority":"normal"}"#;
    check(&decoder, value, &event("logins-3-41", "logins", "ticket.opened", "c-77", "2026-03-01T08:15:00Z", data));
    check(&decoder, &value.replace("\"tags\":[]", "\"tags\":[\"spam\"]"), "skipped");
    check(
        &decoder,
        &value.replace("\"priority\":null", "\"priority\":\"P1\""),
        r#"out_of_range: data.priority: "p1" is none of low, normal, high, urgent (from /ticket/priority)"#,
    );
    check(&decoder, &value.replace("New", "Hold"), r#"unknown_type: type: the text "hold" is not in the map (from /ticket/status)"#);
}

#[test]
fn the_events_of_product_analytics() {
    let decoder = mapped(
        r#"
skip:
  - { at: /properties/account_id, missing: true }
  - { at: /event, in: ["$pageview", "$identify"] }
type: { constant: usage }
id: /properties/$insert_id
source: { constant: /analytics }
subject: { at: /properties/account_id, as: text }
time: { at: /properties/time, as: epoch_microseconds }
data:
  feature: { at: /event, trim: true, lowercase: true }
  user: /properties/distinct_id
  count: { at: /properties/items, as: number, default: 1 }
"#,
    );
    let value = r#"{"event":"Report Exported ","properties":{"account_id":12,"$insert_id":"x1","time":1772352900123456,"distinct_id":"u7","items":"3"}}"#;
    let data = r#"{"feature":"report exported","user":"u-325096f9a81aab86","count":3}"#;
    let expected = event("x1", "/analytics", "usage", "12", "2026-03-01T08:15:00.123Z", data);
    check(&decoder, value, &expected);
    check(&decoder, &value.replace(",\"items\":\"3\"", ""), &expected.replace(",\"count\":3", ""));
    check(&decoder, &value.replace("Report Exported ", "$pageview"), "skipped");
    check(&decoder, &value.replace("\"account_id\":12", "\"x\":12"), "skipped");
}

#[test]
fn amounts_in_major_units_and_the_key_of_the_record() {
    let decoder = mapped(
        r#"
type: { constant: invoice.issued }
subject: { key: true }
data:
  invoice: /number
  amount_minor: { at: /total, as: minor_units, currency: /currency }
  currency: /currency
  due: /due
"#,
    );
    let value = |total: &str, currency: &str| format!(r#"{{"number":"R-1","total":{total},"currency":"{currency}","due":"2026-03-15"}}"#);
    let issued = |amount: &str, currency: &str| {
        let data = format!(r#"{{"invoice":"R-1","amount_minor":{amount},"currency":"{currency}","due":"2026-03-15T00:00:00Z"}}"#);
        event("logins-3-41", "logins", "invoice.issued", "c-1", "2026-03-01T08:15:00.25Z", &data)
    };
    check(&decoder, &value("12.34", "EUR"), &issued("1234", "EUR"));
    check(&decoder, &value("\"12.3\"", "eur"), &issued("1230", "EUR"));
    check(&decoder, &value("1200", "JPY"), &issued("1200", "JPY"));
    check(&decoder, &value("1.234", "KWD"), &issued("1234", "KWD"));
    check(&decoder, &value("90071992547409.93", "EUR"), &issued("9007199254740993", "EUR"));
    check(&decoder, &value("12.345", "EUR"), "out_of_range: data.amount_minor: 12.345 has more than 2 decimals (from /total)");
    check(
        &decoder,
        &value("0.10000000000000000555", "EUR"),
        "out_of_range: data.amount_minor: 0.10000000000000000555 has more than 2 decimals (from /total)",
    );
    check(&decoder, &value("-1", "EUR"), "out_of_range: data.amount_minor: -100 is negative (from /total)");
    check(
        &decoder,
        &value("1", "EURO"),
        r#"out_of_range: data.amount_minor: "EURO" is no currency of ISO 4217 with a number of decimals (from /total)"#,
    );
    check(
        &decoder,
        r#"{"number":"R-1","total":1}"#,
        "wrong_type: data.amount_minor: the currency at /currency: expected a code of three letters, found nothing (from /total)",
    );
}

#[test]
fn values_that_are_cut_off_anywhere_are_refused() {
    let decoder =
        mapped("{ type: { constant: usage }, subject: /c/0, data: { feature: /f, value: { at: /v, as: minor_units, exponent: 2 } } }");
    let value = r#"{"c":["ü"],"f":"\u00fc","v":1.50e2,"x":{"y":[null,true]}}"#;
    let plain = r#"{"type":"usage","subject":"ü","data":{"feature":"\u00fc","value":1.50e2}}"#;
    let auto = SourceDecoder::new(SourceFormat::Auto, Decoder::default());
    for (decoder, value) in [(decoder, value), (auto, plain)] {
        assert!(outcome(&decoder, &record(value)).starts_with('{'), "{value}");
        for end in (0..value.len()).filter(|end| value.is_char_boundary(*end)) {
            assert!(outcome(&decoder, &record(&value[..end])).starts_with("invalid_json: "), "{}", &value[..end]);
        }
    }
}
