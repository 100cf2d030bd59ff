-- KPIs at the end of the day $day, from the events alone: rows of a name and a whole number, none of them zero.
-- What a name means stands in crates/engine/src/kpi; nothing of it is shared with this.
CREATE OR REPLACE TEMP TABLE e AS
SELECT * FROM events
WHERE line < (SELECT coalesce(min(line), 9223372036854775807) FROM clock WHERE watermark >= $day::DATE + 1);

CREATE OR REPLACE TEMP TABLE label AS
SELECT c.subject, CASE WHEN s.value IN ('small', 'mid-market', 'enterprise') THEN s.value ELSE 'other' END AS segment,
    CASE WHEN i.value IN ('software', 'retail', 'health') THEN i.value ELSE 'other' END AS industry
FROM (SELECT DISTINCT subject FROM e WHERE subject <> '_company') c
LEFT JOIN (SELECT subject, arg_max(data->>'segment', (time, rank, line)) AS value FROM e
    WHERE type LIKE 'account.%' AND data->>'segment' IS NOT NULL GROUP BY 1) s USING (subject)
LEFT JOIN (SELECT subject, arg_max(data->>'industry', (time, rank, line)) AS value FROM e
    WHERE type LIKE 'account.%' AND data->>'industry' IS NOT NULL GROUP BY 1) i USING (subject);

CREATE OR REPLACE TEMP TABLE month AS
SELECT m::DATE AS month FROM range((SELECT min(month) FROM e)::TIMESTAMP - INTERVAL 1 MONTH,
    date_trunc('month', $day::DATE)::TIMESTAMP + INTERVAL 1 MONTH, INTERVAL 1 MONTH) t(m);
CREATE OR REPLACE TEMP TABLE retained AS
SELECT month FROM month WHERE month >= date_trunc('month', $day::DATE) - INTERVAL 13 MONTH;

CREATE OR REPLACE TEMP TABLE said AS
SELECT subject, data->>'subscription' AS subscription, time, month, rank, line,
    type <> 'subscription.ended' AS running,
    coalesce((data->>'trial')::BOOLEAN, CASE WHEN type IN ('subscription.started', 'subscription.renewed') THEN false END) AS trial,
    (data->>'mrr_minor')::BIGINT AS mrr, data->>'currency' AS currency, data->>'plan' AS plan
FROM e WHERE type LIKE 'subscription.%';

-- Each subscription at the end of each month, and of the present one.
CREATE OR REPLACE TEMP TABLE standing AS
SELECT m.month, s.subject, s.subscription,
    arg_max(running, (time, rank, line)) AS running,
    coalesce(arg_max(trial, (time, rank, line)) FILTER (trial IS NOT NULL), false) AS trial,
    coalesce(arg_max(mrr, (time, rank, line)) FILTER (mrr IS NOT NULL), 0) AS mrr,
    arg_max(plan, (time, rank, line)) FILTER (plan IS NOT NULL) AS plan
FROM month m JOIN said s ON s.month <= m.month GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE currency AS
SELECT subject, subscription, arg_max(currency, (time, rank, line)) FILTER (currency IS NOT NULL) AS currency FROM said GROUP BY ALL;

-- What each start or renewal begins, when it is due, and what followed it.
CREATE OR REPLACE TEMP TABLE due AS
SELECT date_trunc('month', (ends::TIMESTAMPTZ AT TIME ZONE 'UTC'))::DATE AS month, coalesce(next = 'subscription.renewed', false) AS renewed FROM (
    SELECT data->>'period_end' AS ends, (data->>'trial')::BOOLEAN AS trial,
        lead(type) OVER (PARTITION BY subject, data->>'subscription' ORDER BY time, rank, line) AS next
    FROM e WHERE type IN ('subscription.started', 'subscription.renewed'))
WHERE ends IS NOT NULL AND NOT coalesce(trial, false);

CREATE OR REPLACE TEMP TABLE paid AS
SELECT month, subject, coalesce(currency, 'XXX') AS currency, sum(mrr) AS mrr
FROM standing JOIN currency USING (subject, subscription)
WHERE running AND NOT trial GROUP BY ALL HAVING sum(mrr) > 0;

CREATE OR REPLACE TEMP TABLE step AS
WITH grid AS (SELECT m.month, p.subject, p.currency FROM month m CROSS JOIN (SELECT DISTINCT subject, currency FROM paid) p),
customer AS (SELECT month, subject, sum(mrr) AS total FROM paid GROUP BY ALL)
SELECT g.month, g.subject, g.currency, coalesce(b.mrr, 0) AS before, coalesce(a.mrr, 0) AS after,
    coalesce(cb.total, 0) > 0 AS was, coalesce(ca.total, 0) > 0 AS "is",
    EXISTS (SELECT 1 FROM customer c WHERE c.subject = g.subject AND c.month < g.month) AS paid_before
FROM grid g
LEFT JOIN paid a ON (a.month, a.subject, a.currency) = (g.month, g.subject, g.currency)
LEFT JOIN paid b ON (b.month, b.subject, b.currency) = ((g.month - INTERVAL 1 MONTH)::DATE, g.subject, g.currency)
LEFT JOIN customer ca ON (ca.month, ca.subject) = (g.month, g.subject)
LEFT JOIN customer cb ON (cb.month, cb.subject) = ((g.month - INTERVAL 1 MONTH)::DATE, g.subject);

CREATE OR REPLACE TEMP TABLE customer_step AS
SELECT DISTINCT month, subject, was, "is", paid_before FROM step WHERE was <> "is";

CREATE OR REPLACE TEMP TABLE answer AS
SELECT subject, coalesce("user", source || id) AS respondent, time, day, month, data->>'kind' AS kind, line,
    (data->>'role') = 'decision_maker' AS decides,
    CASE WHEN data->>'direction' = 'down' THEN 1 - share ELSE share END AS good
FROM (SELECT *, ((data->>'score')::DOUBLE - low) / (high - low) AS share
    FROM (SELECT *, coalesce((data->>'scale_min')::DOUBLE, CASE WHEN data->>'kind' = 'nps' THEN 0 ELSE 1 END) AS low,
            coalesce((data->>'scale_max')::DOUBLE, CASE WHEN data->>'kind' = 'nps' THEN 10 ELSE 5 END) AS high
        FROM e WHERE type = 'survey.answered'));
CREATE OR REPLACE TEMP TABLE nps AS
SELECT * FROM answer WHERE kind = 'nps' AND day > $day::DATE - 90
QUALIFY row_number() OVER (PARTITION BY subject, respondent ORDER BY time DESC, line DESC) = 1;

CREATE OR REPLACE TEMP TABLE activity AS
SELECT subject, "user", day, line FROM e
WHERE "user" IS NOT NULL AND (type = 'usage' OR type = 'login' AND coalesce((data->>'ok')::BOOLEAN, true));
-- Who was removed is back when it is active on a later day.
CREATE OR REPLACE TEMP TABLE seen_user AS
WITH removal AS (SELECT subject, "user", max(day) AS day FROM e WHERE type = 'user.removed' GROUP BY ALL)
SELECT a.subject, a."user", max(a.day) AS day FROM activity a LEFT JOIN removal r USING (subject, "user")
WHERE r.day IS NULL OR a.day > r.day GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE active_user AS
SELECT subject, "user" FROM seen_user WHERE day >= $day::DATE - 29;

-- The same at the end of each month that is over, by what was known then.
CREATE OR REPLACE TEMP TABLE active_at AS
WITH month_end AS (SELECT month, (month + INTERVAL 1 MONTH)::DATE AS ends,
        (SELECT coalesce(min(line), 9223372036854775807) FROM clock WHERE watermark >= month + INTERVAL 1 MONTH) AS until
    FROM retained WHERE month + INTERVAL 1 MONTH <= $day::DATE + 1),
removal AS (SELECT m.month, subject, "user", max(day) AS day FROM month_end m JOIN e ON e.line < m.until
    WHERE type = 'user.removed' GROUP BY ALL)
SELECT m.month, count(DISTINCT (a.subject, a."user")) AS users
FROM month_end m JOIN activity a ON a.line < m.until AND a.day >= m.ends - 30
LEFT JOIN removal r ON (r.month, r.subject, r."user") = (m.month, a.subject, a."user")
WHERE r.day IS NULL OR a.day > r.day GROUP BY ALL;

-- What is said of an invitation, and the first day on which its user is active after the first one; who was active in the four weeks before it too
-- has used it at once.
CREATE OR REPLACE TEMP TABLE word AS
SELECT subject, "user", time, day, replace(type, 'user.', '') AS step FROM e WHERE type LIKE 'user.%';
CREATE OR REPLACE TEMP TABLE first_use AS
WITH invited AS (SELECT subject, "user", min(day) AS day FROM word WHERE step = 'invited' GROUP BY ALL),
around AS (SELECT subject, "user", i.day, min(a.day) FILTER (a.day >= i.day) AS after, max(a.day) FILTER (a.day < i.day) AS before
    FROM invited i JOIN activity a USING (subject, "user") GROUP BY ALL)
SELECT subject, "user", CASE WHEN day - before <= 28 THEN day ELSE after END AS day FROM around WHERE after IS NOT NULL;
CREATE OR REPLACE TEMP TABLE invitation AS
SELECT subject, "user", max(w.time) FILTER (step = 'invited') AS invited,
    least(min(w.day) FILTER (step = 'activated'), any_value(u.day)) AS activated,
    CASE WHEN arg_max(step, w.time) = 'removed' THEN max(w.time) END AS removed
FROM word w LEFT JOIN first_use u USING (subject, "user") GROUP BY ALL;
-- Provisioned are those who were seen, and those invited or activated who were not removed.
CREATE OR REPLACE TEMP TABLE provisioned_user AS
SELECT subject, "user" FROM seen_user UNION SELECT subject, "user" FROM invitation WHERE removed IS NULL;

CREATE OR REPLACE TEMP TABLE beginning AS
SELECT c.subject, coalesce(min(e.time) FILTER (e.type = 'account.created'), min(e.time)) AS began,
    min(e.time) FILTER (e.type = 'milestone.reached' AND (e.data->>'final')::BOOLEAN) AS onboarded,
    min(e.time) FILTER (e.type = 'milestone.reached' AND e.data->>'name' = 'first-value') AS first_value
FROM label c JOIN e USING (subject) GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE gone AS
SELECT subject, max(time) AS gone FROM (
    SELECT subject, subscription, arg_max(running, (time, rank, line)) AS running, max(time) AS time FROM said GROUP BY ALL)
GROUP BY ALL HAVING NOT bool_or(running);
CREATE OR REPLACE TEMP TABLE process AS
SELECT process, began::DATE AS began, date_trunc('month', began)::DATE AS month,
    CASE WHEN done IS NOT NULL THEN 'done' WHEN gone IS NOT NULL THEN 'given_up' ELSE 'waiting' END AS state,
    greatest(0, least(730, coalesce(done, gone)::DATE - began::DATE)) AS days
FROM (SELECT 'onboarding' AS process, began, onboarded AS done, gone FROM beginning LEFT JOIN gone USING (subject)
    UNION ALL SELECT 'first_value', began, first_value, gone FROM beginning LEFT JOIN gone USING (subject)
    UNION ALL SELECT 'activation', invited, activated, removed FROM invitation WHERE invited IS NOT NULL);

CREATE OR REPLACE TEMP TABLE ticket AS
SELECT subject, data->>'ticket' AS ticket, min(time) FILTER (type = 'ticket.opened') AS opened,
    min(time) FILTER (type = 'ticket.answered') AS answered
FROM e WHERE type LIKE 'ticket.%' GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE campaign AS
SELECT c.*, l.industry,
    CASE WHEN c.data->>'campaign' IN ('2024-q2-news', '2024-q4-news') THEN c.data->>'campaign' ELSE 'other' END AS name,
    (SELECT max(s.time) FROM e s WHERE s.type = 'campaign.sent' AND s.subject = c.subject AND s.line < c.line
        AND s.data->>'campaign' = c.data->>'campaign') AS sent
FROM e c JOIN label l USING (subject) WHERE c.type LIKE 'campaign.%';

CREATE OR REPLACE TEMP TABLE consent AS
WITH word AS (SELECT subject, "user", time, rank, line,
        CASE WHEN type = 'campaign.unsubscribed' THEN false ELSE (data->>'marketing')::BOOLEAN END AS agrees
    FROM e WHERE type IN ('consent.changed', 'campaign.unsubscribed')),
last_word AS (SELECT subject, "user", arg_max(agrees, (time, rank, line)) AS agrees FROM word GROUP BY ALL)
SELECT subject, coalesce(bool_or(agrees) FILTER ("user" IS NULL), bool_or(agrees)) AS agrees,
    count(*) FILTER ("user" IS NOT NULL AND NOT agrees) AS users_withdrawn
FROM last_word GROUP BY ALL;

-- The stages that the test sets: the last one that holds. Who has no final milestone counts as onboarded after 90 days.
CREATE OR REPLACE TEMP TABLE staged AS
WITH present AS (SELECT subject, count(*) FILTER (running) AS subscriptions FROM standing
    WHERE month = date_trunc('month', $day::DATE) GROUP BY 1),
activity AS (SELECT subject, count(DISTINCT day) AS days FROM e WHERE day BETWEEN $day::DATE - 27 AND $day::DATE
    AND (type = 'usage' OR type = 'login' AND coalesce((data->>'ok')::BOOLEAN, true)) GROUP BY 1),
known AS (SELECT subject, onboarded IS NOT NULL OR $day::DATE - began::DATE >= 90 AS onboarded,
    coalesce(days, 0) AS days, coalesce(subscriptions, 0) AS subscriptions
    FROM beginning LEFT JOIN activity USING (subject) LEFT JOIN present USING (subject))
SELECT subject, CASE WHEN subscriptions = 0 THEN 'churned' WHEN onboarded AND days >= 8 THEN 'engagement' WHEN onboarded THEN 'adoption'
    ELSE 'onboarding' END AS stage FROM known;

SELECT name, value::BIGINT AS value FROM (
SELECT 'customers/' || segment AS name, count(*) AS value FROM label GROUP BY 1
UNION ALL SELECT 'stage/' || stage, count(*) FROM staged GROUP BY 1
UNION ALL SELECT 'current_customers/' || segment, count(DISTINCT subject) FROM paid JOIN label USING (subject)
    WHERE month = date_trunc('month', $day::DATE) GROUP BY 1
UNION ALL SELECT 'mrr_minor/' || segment || '/' || currency, sum(mrr) FROM paid JOIN label USING (subject)
    WHERE month = date_trunc('month', $day::DATE) GROUP BY 1
UNION ALL SELECT CASE WHEN trial THEN 'trials/' ELSE 'subscriptions/' END || segment, count(*) FROM standing JOIN label USING (subject)
    WHERE running AND month = date_trunc('month', $day::DATE) GROUP BY 1
UNION ALL SELECT CASE WHEN trial THEN 'plan_trials/' ELSE 'plan_subscriptions/' END
        || CASE WHEN plan IN ('starter', 'team', 'business', 'enterprise') THEN plan ELSE 'other' END, count(*)
    FROM standing WHERE running AND month = date_trunc('month', $day::DATE) GROUP BY 1
UNION ALL SELECT 'plan_mrr_minor/' || CASE WHEN plan IN ('starter', 'team', 'business', 'enterprise') THEN plan ELSE 'other' END
        || '/' || coalesce(currency, 'XXX'), sum(mrr)
    FROM standing JOIN currency USING (subject, subscription)
    WHERE running AND NOT trial AND month = date_trunc('month', $day::DATE) GROUP BY 1
UNION ALL SELECT 'moved/' || segment || '/' || strftime(month, '%Y-%m') || '/' || currency || '/'
        || CASE WHEN NOT was THEN CASE WHEN paid_before THEN 'reactivated' ELSE 'new' END
            WHEN NOT "is" THEN 'churned' WHEN after > before THEN 'expansion' ELSE 'contraction' END, sum(abs(after - before))
    FROM step JOIN label USING (subject) JOIN retained USING (month) WHERE before <> after GROUP BY 1
UNION ALL SELECT 'customers_moved/' || segment || '/' || strftime(month, '%Y-%m') || '/'
        || CASE WHEN was THEN 'churned' WHEN paid_before THEN 'reactivated' ELSE 'new' END, count(*)
    FROM customer_step JOIN label USING (subject) JOIN retained USING (month) GROUP BY 1
UNION ALL SELECT 'year/' || segment || '/' || strftime(m.month, '%Y-%m') || '/' || t.currency || '/' || kind,
        sum(CASE kind WHEN 'gained' THEN coalesce(n.mrr, 0) - t.mrr ELSE greatest(0, t.mrr - coalesce(n.mrr, 0)) END)
    FROM (SELECT month FROM month WHERE month >= date_trunc('month', $day::DATE) - INTERVAL 1 MONTH) m
    JOIN paid t ON t.month = m.month - INTERVAL 12 MONTH
    LEFT JOIN paid n ON (n.month, n.subject, n.currency) = (m.month, t.subject, t.currency)
    JOIN label l ON l.subject = t.subject CROSS JOIN (VALUES ('gained'), ('lost')) k(kind) GROUP BY 1
UNION ALL SELECT 'nps_' || CASE WHEN 10 * good >= 9 THEN 'promoters' WHEN 10 * good <= 6 THEN 'detractors' ELSE 'passives' END
        || '/' || segment, count(*) FROM nps JOIN label USING (subject) GROUP BY 1
UNION ALL SELECT 'nps_decision_maker_' || CASE WHEN 10 * good >= 9 THEN 'promoters' WHEN 10 * good <= 6 THEN 'detractors' ELSE 'passives' END
        || '/' || segment, count(*) FROM nps JOIN label USING (subject) WHERE decides GROUP BY 1
UNION ALL SELECT 'active_users_30d/' || segment, count(*) FROM active_user JOIN label USING (subject) GROUP BY 1
UNION ALL SELECT 'provisioned_users/' || segment, count(*) FROM provisioned_user JOIN label USING (subject) GROUP BY 1
UNION ALL SELECT 'consent_' || CASE WHEN agrees THEN 'given' ELSE 'refused' END || '/' || segment, count(*)
    FROM consent JOIN label USING (subject) GROUP BY 1
UNION ALL SELECT 'users_withdrawn/' || segment, sum(users_withdrawn) FROM consent JOIN label USING (subject) GROUP BY 1
UNION ALL SELECT process || '/' || strftime(month, '%Y-%m') || '/' || state || '/'
        || CASE WHEN state = 'waiting' THEN strftime(began, '%Y-%m-%d') ELSE days::VARCHAR END, count(*)
    FROM process JOIN retained USING (month) GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/' || replace(type, 'subscription.', ''), count(*)
    FROM e JOIN retained USING (month) WHERE type IN ('subscription.renewed', 'subscription.ended') GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/due', count(*) FROM due
    WHERE month >= (SELECT min(month) FROM retained) GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/due_renewed', count(*) FILTER (renewed) FROM due
    WHERE month >= (SELECT min(month) FROM retained) GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/leads', count(*)
    FROM e JOIN retained USING (month) WHERE type = 'lead.recorded' GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/' || kind || '_answers', count(*)
    FROM answer JOIN retained USING (month) WHERE kind IN ('csat', 'ces') GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/csat_satisfied', count(*)
    FROM answer JOIN retained USING (month) WHERE kind = 'csat' AND good >= 0.75 GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/ces_sum_hundredths', sum(round(good * 10000))
    FROM answer JOIN retained USING (month) WHERE kind = 'ces' GROUP BY 1
UNION ALL SELECT 'flow/' || strftime(month, '%Y-%m') || '/active_users_at_end', users FROM active_at
UNION ALL SELECT 'tickets/' || strftime(month, '%Y-%m') || '/'
        || CASE WHEN data->>'channel' IN ('email', 'chat') THEN data->>'channel' ELSE 'other' END, count(*)
    FROM e JOIN retained USING (month) WHERE type = 'ticket.opened' GROUP BY 1
UNION ALL SELECT 'first_response_hours/' || strftime(opened, '%Y-%m') || '/'
        || least(720, epoch_ms(answered - opened) // 3600000)::VARCHAR, count(*)
    FROM ticket WHERE answered >= opened AND date_trunc('month', opened) IN (SELECT month FROM retained) GROUP BY 1
UNION ALL SELECT 'cost/' || (data->>'period') || '/' || (data->>'kind') || '/' || (data->>'currency'), sum((data->>'amount_minor')::BIGINT)
    FROM e WHERE type = 'cost.recorded' AND ((data->>'period') || '-01')::DATE IN (SELECT month FROM retained) GROUP BY 1
UNION ALL SELECT 'campaign/' || name || '/' || industry || '/' || CASE
        WHEN type = 'campaign.converted' AND time - sent > INTERVAL 30 DAY THEN 'converted_late' ELSE replace(type, 'campaign.', '') END, count(*)
    FROM campaign GROUP BY 1
UNION ALL SELECT 'campaign_money/' || name || '/' || industry || '/' || coalesce(data->>'currency', 'XXX'), sum((data->>'amount_minor')::BIGINT)
    FROM campaign WHERE type = 'campaign.converted' AND data->>'amount_minor' IS NOT NULL AND NOT coalesce(time - sent > INTERVAL 30 DAY, false) GROUP BY 1
) WHERE value <> 0 ORDER BY name;
