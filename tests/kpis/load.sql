-- The events of a file as a table, in the order of its lines, each event once.
CREATE TABLE lines AS
SELECT row_number() OVER () AS line, * FROM read_json($path, format = 'newline_delimited', maximum_object_size = 1048576,
    columns = {id: 'VARCHAR', source: 'VARCHAR', type: 'VARCHAR', subject: 'VARCHAR', time: 'VARCHAR', data: 'JSON'});

CREATE TABLE events AS
SELECT
    line, type, subject, id, source,
    (time::TIMESTAMPTZ AT TIME ZONE 'UTC') AS time,
    (time::TIMESTAMPTZ AT TIME ZONE 'UTC')::DATE AS day,
    date_trunc('month', (time::TIMESTAMPTZ AT TIME ZONE 'UTC'))::DATE AS month,
    data,
    data->>'user' AS "user",
    -- Of two events at one instant the later step of a life has the last word.
    CASE type
        WHEN 'subscription.started' THEN 1 WHEN 'subscription.changed' THEN 2
        WHEN 'subscription.renewed' THEN 3 WHEN 'subscription.ended' THEN 4
        WHEN 'account.created' THEN 1 WHEN 'account.updated' THEN 2
        WHEN 'consent.changed' THEN 1 WHEN 'campaign.unsubscribed' THEN 2
        ELSE 0
    END AS rank
FROM lines
QUALIFY row_number() OVER (PARTITION BY subject, source, id ORDER BY line) = 1;

-- A day ends with the first line whose time, or that of any line before it, is beyond it.
CREATE TABLE clock AS
SELECT line, max(time) OVER (ORDER BY line ROWS UNBOUNDED PRECEDING) AS watermark
FROM (SELECT line, (time::TIMESTAMPTZ AT TIME ZONE 'UTC') AS time FROM lines);
