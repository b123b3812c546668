-- A condition pages somebody or can wait, fires once it has held for its time, and comes back as the alert that it was.

ALTER TABLE condition
  ADD COLUMN severity text NOT NULL DEFAULT 'page' CONSTRAINT condition_severity_known CHECK (severity IN ('page', 'ticket')),
  ADD COLUMN for_ms   bigint NOT NULL DEFAULT 0,   -- how long it has to hold before it fires
  ADD COLUMN fired_at timestamptz(3);              -- null = it has not
UPDATE condition SET fired_at = since WHERE state = 'firing';

ALTER TABLE alert_episode
  ADD COLUMN severity text    NOT NULL DEFAULT 'page'
    CONSTRAINT alert_episode_severity_known CHECK (severity IN ('page', 'ticket')),
  ADD COLUMN times    integer NOT NULL DEFAULT 1;  -- how often it was raised: one that comes and goes is one alert

UPDATE condition SET severity = 'ticket'
WHERE kind IN ('clock_skew', 'stale_source', 'unread_rows', 'stale_telemetry')
   OR (kind = 'case_flood' AND detail->>'severity' IN ('P3', 'warn'));
UPDATE alert_episode SET severity = 'ticket'
WHERE kind IN ('clock_skew', 'stale_source', 'unread_rows', 'stale_telemetry')
   OR (kind = 'case_flood' AND detail->>'severity' IN ('P3', 'warn'));
