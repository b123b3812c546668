-- Incidents: opened by an alert that pages, or by a person. Alerts of one cause are one incident (docs/decisions/060-one-incident-a-cause.md).

CREATE TABLE incident (
  id              text           PRIMARY KEY,
  title           text           NOT NULL DEFAULT '',  -- '' = it is called as its first alert
  area            text           NOT NULL,             -- the payments that are watched, or the console itself
  system          text           NOT NULL DEFAULT '',  -- '' = none is known
  severity        text           NOT NULL,
  status          text           NOT NULL,
  opened_by       text,                                -- NULL = an alert
  opened_by_name  text,
  opened_at       timestamptz(3) NOT NULL,
  began_at        timestamptz(3),                      -- the first fact of it; NULL = not known
  acknowledged_at timestamptz(3),                      -- the first time
  acknowledged_by_name text,
  mitigated_at    timestamptz(3),                      -- the last time; NULL = not, or not any more
  closed_at       timestamptz(3),
  cause           text,                                -- asked for by closing
  follow_ups      text[]         NOT NULL DEFAULT '{}',
  revision        integer        NOT NULL DEFAULT 1,   -- what a verb was decided on
  CONSTRAINT incident_known CHECK
    (area IN ('payments', 'console') AND severity IN ('sev1', 'sev2', 'sev3')
     AND status IN ('open', 'acknowledged', 'mitigated', 'closed')),
  CONSTRAINT incident_times CHECK
    ((status = 'closed') = (closed_at IS NOT NULL) AND (status <> 'mitigated' OR mitigated_at IS NOT NULL)
     AND (status <> 'closed' OR cause IS NOT NULL))
);
CREATE INDEX incident_opened_at_id_idx ON incident (opened_at DESC, id);
-- Open ones are few.
CREATE INDEX incident_not_closed ON incident (opened_at) WHERE status <> 'closed';

-- Who does what: one person a role.
CREATE TABLE incident_role (
  incident_id text           NOT NULL REFERENCES incident ON DELETE CASCADE ON UPDATE CASCADE,
  role        text           NOT NULL CONSTRAINT incident_role_known CHECK (role IN ('commander', 'communications', 'scribe')),
  user_id     text           NOT NULL,
  name        text           NOT NULL,
  since       timestamptz(3) NOT NULL,
  PRIMARY KEY (incident_id, role)
);

-- What happened to it, and what people wrote down. Never changed.
CREATE TABLE incident_entry (
  id          bigserial      PRIMARY KEY,
  incident_id text           NOT NULL REFERENCES incident ON DELETE CASCADE ON UPDATE CASCADE,
  at          timestamptz(3) NOT NULL,
  kind        text           NOT NULL,
  by          text,                                    -- NULL = the console
  by_name     text           NOT NULL,
  text        text           NOT NULL DEFAULT '',
  data        jsonb          NOT NULL DEFAULT '{}',
  CONSTRAINT incident_entry_known CHECK
    (kind IN ('opened', 'acknowledged', 'severity', 'role', 'mitigated', 'closed', 'reopened', 'note'))
);
CREATE INDEX incident_entry_incident_id_at_idx ON incident_entry (incident_id, at);

ALTER TABLE alert_episode ADD COLUMN incident_id text REFERENCES incident ON DELETE SET NULL ON UPDATE CASCADE;
CREATE INDEX alert_episode_incident_id_idx ON alert_episode (incident_id);

-- The console's own processes are another cause than the payments that it watches.
CREATE FUNCTION incident_area(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN kind IN ('worker_dead', 'receiver_dead', 'notification_failing', 'queue_stuck', 'roll_up_late', 'audit_unsealed')
    THEN 'console' ELSE 'payments' END
$$;

-- sev1: customers are charged wrongly, or nothing protects them. sev2: payments are late or stuck. sev3: no customer notices.
CREATE FUNCTION incident_severity(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN kind IN ('duplicate_effects', 'store_down', 'unprotected_requests', 'orphaned_effects') THEN 'sev1'
    WHEN incident_area(kind) = 'console' THEN 'sev3' ELSE 'sev2' END
$$;

-- One decision after the other: alerts of one cause that commit at once open one incident. Released by the commit.
CREATE FUNCTION lock_incidents() RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('idemscope.incident', 0))
$$;

-- What fires in a place and belongs to no incident. What somebody changes at this moment is left where it is.
CREATE FUNCTION join_what_fires(incident text, in_area text, in_system text) RETURNS void LANGUAGE sql AS $$
  UPDATE alert_episode SET incident_id = incident WHERE id IN (
    SELECT e.id FROM alert_episode e
    WHERE e.cleared_at IS NULL AND e.incident_id IS NULL AND incident_area(e.kind) = in_area
      AND (in_system = '' OR coalesce(e.detail->>'system', '') IN ('', in_system))
    FOR NO KEY UPDATE SKIP LOCKED)
$$;

-- An alert that was raised, or came back, joins the incident of its cause: of the same area, with the same system where
-- both name one, not closed, and with an alert that fires or anything done in the last hour. A page without one opens it.
CREATE FUNCTION join_alert(episode text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e         alert_episode;
  raised_at timestamptz(3);
  first_at  timestamptz(3);
  place     text;
  chosen    text;
BEGIN
  PERFORM lock_incidents();
  SELECT * INTO e FROM alert_episode WHERE id = episode;
  IF NOT FOUND OR e.cleared_at IS NOT NULL THEN
    RETURN;
  END IF;
  place := coalesce(e.detail->>'system', '');
  SELECT coalesce(max(coalesce(c.fired_at, c.checked_at)), e.since) INTO raised_at
  FROM condition c WHERE c.kind = e.kind AND c.subject = e.subject;
  -- What it was raised on: the oldest of a group, or when a condition with a time to hold was first found.
  first_at := CASE WHEN e.detail->>'oldestAt' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$' THEN (e.detail->>'oldestAt')::timestamptz
                   WHEN e.since < raised_at THEN e.since END;
  IF first_at > raised_at THEN
    first_at := NULL;
  END IF;

  -- It came back: so does its incident.
  IF e.incident_id IS NOT NULL THEN
    UPDATE incident SET status = 'open', mitigated_at = NULL, closed_at = NULL, revision = revision + 1
    WHERE id = e.incident_id AND status IN ('mitigated', 'closed') AND e.severity = 'page';
    IF FOUND THEN
      INSERT INTO incident_entry (incident_id, at, kind, by_name, data)
      VALUES (e.incident_id, raised_at, 'reopened', 'system:conditions', jsonb_build_object('alert', e.id));
    END IF;
    RETURN;
  END IF;

  SELECT i.id INTO chosen FROM incident i
  WHERE i.status <> 'closed' AND i.area = incident_area(e.kind) AND (i.system = place OR i.system = '' OR place = '')
    AND (EXISTS (SELECT FROM alert_episode a
                 WHERE a.incident_id = i.id AND (a.cleared_at IS NULL OR a.cleared_at > raised_at - interval '1 hour'))
      OR EXISTS (SELECT FROM incident_entry t WHERE t.incident_id = i.id AND t.at > raised_at - interval '1 hour'))
  ORDER BY i.system = place DESC, i.opened_at DESC, i.id LIMIT 1;

  IF chosen IS NOT NULL THEN
    UPDATE alert_episode SET incident_id = chosen WHERE id = e.id;
    IF e.severity = 'page' THEN
      INSERT INTO incident_entry (incident_id, at, kind, by_name, data)
      SELECT id, raised_at, 'reopened', 'system:conditions', jsonb_build_object('alert', e.id)
      FROM incident WHERE id = chosen AND status = 'mitigated';
      UPDATE incident SET
        status = CASE WHEN status = 'mitigated' THEN 'open' ELSE status END, mitigated_at = NULL,
        system = CASE WHEN system = '' THEN place ELSE system END,
        severity = least(severity, incident_severity(e.kind)),
        began_at = least(began_at, first_at), revision = revision + 1
      WHERE id = chosen;
    END IF;
    RETURN;
  END IF;

  IF e.severity <> 'page' THEN
    RETURN;
  END IF;
  chosen := 'inc_' || replace(gen_random_uuid()::text, '-', '');
  INSERT INTO incident (id, area, system, severity, status, opened_at, began_at)
  VALUES (chosen, incident_area(e.kind), place, incident_severity(e.kind), 'open', raised_at, first_at);
  INSERT INTO incident_entry (incident_id, at, kind, by_name, data)
  VALUES (chosen, raised_at, 'opened', 'system:conditions', jsonb_build_object('alert', e.id));
  UPDATE alert_episode SET incident_id = chosen WHERE id = e.id;
  PERFORM join_what_fires(chosen, incident_area(e.kind), place);
END
$$;

CREATE FUNCTION join_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM join_alert(NEW.id);
  RETURN NULL;
END
$$;
-- At the commit of what raised it, so that the decision is never waited for longer than it takes.
CREATE CONSTRAINT TRIGGER episode_joins_incident AFTER INSERT ON alert_episode
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION join_incident();
CREATE CONSTRAINT TRIGGER episode_rejoins_incident AFTER UPDATE OF cleared_at ON alert_episode
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.cleared_at IS NOT NULL AND NEW.cleared_at IS NULL)
  EXECUTE FUNCTION join_incident();

-- Who looks after one of its alerts looks after it. It changes nothing that a verb was decided on.
CREATE FUNCTION acknowledge_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE incident i SET status = CASE WHEN i.status = 'open' THEN 'acknowledged' ELSE i.status END,
    acknowledged_at = coalesce(i.acknowledged_at, NEW.at), acknowledged_by_name = coalesce(i.acknowledged_by_name, NEW.by_name)
  FROM alert_episode e WHERE e.id = NEW.episode_id AND i.id = e.incident_id AND i.status <> 'closed';
  RETURN NULL;
END
$$;
CREATE TRIGGER acknowledgement_is_of_incident AFTER INSERT ON acknowledgement
  FOR EACH ROW EXECUTE FUNCTION acknowledge_incident();

-- What fires at the time of the upgrade, pages first.
SELECT join_alert(id) FROM (SELECT id FROM alert_episode WHERE cleared_at IS NULL ORDER BY severity, since, id) firing;
