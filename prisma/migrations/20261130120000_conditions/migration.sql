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

-- Keeps each time that a condition fires, whoever wrote it. One that comes back within five minutes, before
-- anybody was told that it had ended, is the alert that it was, with a count. One that becomes worse is another alert: who is to be woken was not told of a ticket.
CREATE OR REPLACE FUNCTION keep_alert_episode() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  was boolean := TG_OP = 'UPDATE' AND OLD.state = 'firing';
  worse boolean := was AND OLD.severity = 'ticket' AND NEW.severity = 'page';
BEGIN
  IF was AND (worse OR NEW.state <> 'firing') THEN
    UPDATE alert_episode SET cleared_at = coalesce(NEW.cleared_at, NEW.checked_at), detail = OLD.detail
    WHERE kind = NEW.kind AND subject = NEW.subject AND cleared_at IS NULL;
  END IF;
  IF NEW.state = 'firing' AND (worse OR NOT was) THEN
    UPDATE alert_episode SET cleared_at = NULL, times = times + 1
    WHERE id = (SELECT e.id FROM alert_episode e
                WHERE e.kind = NEW.kind AND e.subject = NEW.subject AND e.severity = NEW.severity
                  AND e.cleared_at > NEW.checked_at - interval '5 minutes'
                  AND NOT EXISTS (SELECT FROM notification n WHERE n.episode_id = e.id AND n.transition = 'cleared')
                ORDER BY e.cleared_at DESC LIMIT 1);
    IF NOT FOUND THEN
      INSERT INTO alert_episode (id, kind, subject, severity, since, detail)
      VALUES ('alr_' || replace(gen_random_uuid()::text, '-', ''), NEW.kind, NEW.subject, NEW.severity,
              CASE WHEN worse THEN NEW.checked_at ELSE NEW.since END, NEW.detail);
    END IF;
  END IF;
  RETURN NULL;
END
$$;
