-- The KPIs themselves at the end of the day $day, over the tables of kpis.sql: shares and means in millionths, amounts of money in hundredths.
CREATE OR REPLACE TEMP TABLE point AS
SELECT date_trunc('month', $day::DATE)::DATE AS present, (date_trunc('month', $day::DATE) - INTERVAL 1 MONTH)::DATE AS last;

CREATE OR REPLACE TEMP TABLE churn AS
SELECT months,
    (SELECT count(*) FROM customer_step, point WHERE was AND month > last - to_months(months) AND month <= last)
        / nullif((SELECT count(DISTINCT subject) FROM paid, point WHERE month = last - to_months(months)), 0) AS share
FROM (VALUES (1), (3), (12)) v(months);

-- Kaplan and Meier (1958): the share not done after a duration is the product of those who passed each duration, of those who came so far.
CREATE OR REPLACE TEMP TABLE duration AS
SELECT process, state = 'done' AS done, CASE WHEN state = 'waiting' THEN least(730, $day::DATE - began) ELSE days END AS days
FROM process JOIN retained USING (month);
CREATE OR REPLACE TEMP TABLE median AS
SELECT process, min(days) FILTER (survival <= 0.5) AS days FROM (
    SELECT process, days, product(1 - ended / at_risk) OVER (PARTITION BY process ORDER BY days) AS survival FROM (
        SELECT d.process, d.days, count(*) FILTER (o.done AND o.days = d.days) AS ended, count(*) AS at_risk
        FROM (SELECT DISTINCT process, days FROM duration WHERE done) d JOIN duration o ON o.process = d.process AND o.days >= d.days
        GROUP BY ALL))
GROUP BY process;

CREATE OR REPLACE TEMP TABLE response AS
WITH opened AS (SELECT count(*) AS tickets FROM e, point WHERE type = 'ticket.opened' AND month > present - INTERVAL 3 MONTH AND month <= present),
waited AS (SELECT least(720, epoch_ms(answered - opened) // 3600000) AS hours FROM ticket, point
    WHERE answered >= opened AND date_trunc('month', opened) > present - INTERVAL 3 MONTH AND date_trunc('month', opened) <= present),
reached AS (SELECT hours, count(*) OVER (ORDER BY hours) AS answers FROM waited)
SELECT min(hours) FILTER (2 * answers >= tickets) AS median, min(hours) FILTER (10 * answers >= 9 * tickets) AS p90 FROM reached, opened;

CREATE OR REPLACE TEMP TABLE recent_answer AS
SELECT answer.* FROM answer, point WHERE month > present - INTERVAL 3 MONTH AND month <= present;

CREATE OR REPLACE TEMP TABLE cost AS
SELECT data->>'currency' AS currency, sum((data->>'amount_minor')::BIGINT) FILTER (data->>'kind' = 'acquisition') AS acquisition,
    sum((data->>'amount_minor')::BIGINT) FILTER (data->>'kind' = 'retention') AS retention
FROM e, point WHERE type = 'cost.recorded' AND ((data->>'period') || '-01')::DATE = last GROUP BY 1;

-- By currency: MRR now and at the ends of earlier months, and what was lost.
CREATE OR REPLACE TEMP TABLE revenue AS
SELECT currency, sum(mrr) FILTER (month = present) AS now, count(*) FILTER (month = present) AS paying,
    sum(mrr) FILTER (month = last - INTERVAL 1 MONTH) AS month_ago, sum(mrr) FILTER (month = last - INTERVAL 3 MONTH) AS quarter_ago,
    sum(mrr) FILTER (month = last - INTERVAL 12 MONTH) AS year_ago
FROM paid, point GROUP BY 1;
CREATE OR REPLACE TEMP TABLE lost AS
SELECT currency, sum(before - after) FILTER (month = last AND after < before) AS month, sum(before - after) FILTER (after < before) AS quarter,
    sum(after - before) FILTER (month = last AND was AND "is" AND after > before) AS expansion
FROM step, point WHERE was AND month > last - INTERVAL 3 MONTH AND month <= last GROUP BY 1;
CREATE OR REPLACE TEMP TABLE starter AS
SELECT t.currency, sum(coalesce(n.mrr, 0)) AS now, sum(least(t.mrr, coalesce(n.mrr, 0))) AS capped
FROM point JOIN paid t ON t.month = last - INTERVAL 12 MONTH
LEFT JOIN paid n ON (n.month, n.subject, n.currency) = (last, t.subject, t.currency) GROUP BY 1;

CREATE OR REPLACE TEMP TABLE life AS
SELECT CASE WHEN share > 0 THEN least(60, 1 / share) WHEN share = 0 THEN 60 END AS months,
    (SELECT count(*) FROM customer_step, point WHERE NOT was AND month = last) AS won,
    (SELECT count(DISTINCT subject) FROM paid, point WHERE month = last) AS customers
FROM churn WHERE churn.months = 1;

SELECT name, round(value)::BIGINT AS value FROM (
SELECT 'kpi/nps' AS name, 1e8 * (count(*) FILTER (10 * good >= 9) - count(*) FILTER (10 * good <= 6)) / nullif(count(*), 0) AS value FROM nps
UNION ALL SELECT 'kpi/nps_decision_makers', 1e8 * (count(*) FILTER (10 * good >= 9) - count(*) FILTER (10 * good <= 6)) / nullif(count(*), 0)
    FROM nps WHERE decides
UNION ALL SELECT 'kpi/' || process || '_days', 1e6 * days FROM median
UNION ALL SELECT 'kpi/activation_rate', 1e6 * count(*) FILTER (done) / count(*) FROM duration WHERE process = 'activation' HAVING count(*) > 0
UNION ALL SELECT 'kpi/ces', 1e6 * sum(round(good * 10000)) / (100 * count(*)) FROM recent_answer WHERE kind = 'ces' HAVING count(*) > 0
UNION ALL SELECT 'kpi/csat', 1e6 * count(*) FILTER (good >= 0.75) / count(*) FROM recent_answer WHERE kind = 'csat' HAVING count(*) > 0
UNION ALL SELECT 'kpi/customer_churn' || CASE months WHEN 1 THEN '' WHEN 3 THEN '_quarter' ELSE '_year' END, 1e6 * share FROM churn
UNION ALL SELECT 'kpi/customer_churn_month_annualised', 1e6 * (1 - pow(1 - least(share, 1), 12)) FROM churn WHERE months = 1 AND share IS NOT NULL
UNION ALL SELECT 'kpi/customer_churn_annualised', 1e6 * (1 - pow(1 - least(share, 1), 4)) FROM churn WHERE months = 3 AND share IS NOT NULL
UNION ALL SELECT 'kpi/renewal_rate', 1e6 * count(*) FILTER (type = 'subscription.renewed') / count(*)
    FROM e, point WHERE type IN ('subscription.renewed', 'subscription.ended') AND month = last HAVING count(*) > 0
UNION ALL SELECT 'kpi/renewal_rate_due', 1e6 * count(*) FILTER (renewed) / count(*) FROM due, point WHERE month = last HAVING count(*) > 0
UNION ALL SELECT 'kpi/first_response_hours', 1e6 * median FROM response
UNION ALL SELECT 'kpi/first_response_hours_p90', 1e6 * p90 FROM response
UNION ALL SELECT 'kpi/active_user_ratio', 1e6 * (SELECT count(*) FROM active_user) / nullif((SELECT count(*) FROM provisioned_user), 0)
UNION ALL SELECT 'kpi/active_user_growth', 1e6 * (coalesce((SELECT users FROM active_at JOIN point ON month = last), 0)
        / (SELECT users FROM active_at JOIN point ON month = last - INTERVAL 3 MONTH) - 1)
UNION ALL SELECT 'kpi/current_customers', 1e6 * count(DISTINCT subject) FROM paid, point WHERE month = present
UNION ALL SELECT 'kpi/active_plans', 1e6 * count(*) FROM standing, point WHERE running AND NOT trial AND month = present
UNION ALL SELECT 'money/' || currency || '/mrr_start_minor', 100 * month_ago FROM revenue
UNION ALL SELECT 'money/' || currency || '/net_retention', 1e6 * (month_ago - coalesce(lost.month, 0) + coalesce(expansion, 0)) / month_ago
    FROM revenue LEFT JOIN lost USING (currency)
UNION ALL SELECT 'money/' || currency || '/gross_retention', 1e6 * (month_ago - coalesce(lost.month, 0)) / month_ago
    FROM revenue LEFT JOIN lost USING (currency)
UNION ALL SELECT 'money/' || currency || '/net_retention_year', 1e6 * starter.now / year_ago FROM revenue JOIN starter USING (currency)
UNION ALL SELECT 'money/' || currency || '/gross_retention_year', 1e6 * capped / year_ago FROM revenue JOIN starter USING (currency)
UNION ALL SELECT 'money/' || currency || '/revenue_churn', 1e6 * lost.month / month_ago FROM revenue JOIN lost USING (currency)
UNION ALL SELECT 'money/' || currency || '/revenue_churn_quarter', 1e6 * lost.quarter / quarter_ago FROM revenue JOIN lost USING (currency)
UNION ALL SELECT 'money/' || currency || '/revenue_churn_annualised', 1e6 * (1 - pow(1 - least(1, lost.quarter / quarter_ago), 4))
    FROM revenue JOIN lost USING (currency) WHERE quarter_ago > 0 AND lost.quarter IS NOT NULL
UNION ALL SELECT 'money/' || currency || '/arpa_minor', 100 * now / paying FROM revenue WHERE paying > 0
UNION ALL SELECT 'money/' || currency || '/cltv_minor', 100 * now / paying * 0.8 * life.months FROM revenue, life WHERE paying > 0
UNION ALL SELECT 'money/' || currency || '/cac_minor', 100 * acquisition / nullif(won, 0) FROM cost, life
UNION ALL SELECT 'money/' || currency || '/crc_minor', 100 * retention / nullif(customers, 0) FROM cost, life
) WHERE round(value) <> 0 ORDER BY name;
