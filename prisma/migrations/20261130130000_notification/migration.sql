-- Receivers of six kinds, routes to them, one message a group and interval, acknowledgements, and a log of every try.

ALTER TABLE receiver DROP CONSTRAINT receiver_kind_known;
ALTER TABLE receiver ADD CONSTRAINT receiver_kind_known
  CHECK (kind IN ('webhook', 'slack', 'pagerduty', 'opsgenie', 'alertmanager', 'email'));

-- Which alerts a receiver is told, and when. A change ends one version and begins the next.
CREATE TABLE notification_route (
  id          text           NOT NULL,
  version     integer        NOT NULL,
  receiver_id text           NOT NULL REFERENCES receiver ON DELETE RESTRICT ON UPDATE CASCADE,
  name        text           NOT NULL,
  position    integer        NOT NULL,            -- of a receiver's routes the first that matches decides
  severity    text,                               -- null = both
  kinds       text[]         NOT NULL DEFAULT '{}', -- none = all
  systems     text[]         NOT NULL DEFAULT '{}', -- none = all
  quiet       jsonb,                              -- hours in which it holds back; null = none
  interval_ms integer        NOT NULL,            -- at most one message of a group in this time
  remind_ms   integer,                            -- null = no reminders
  created_by  text           NOT NULL,
  created_at  timestamptz(3) NOT NULL,
  ended_at    timestamptz(3),
  PRIMARY KEY (id, version),
  CONSTRAINT notification_route_known
    CHECK (severity IN ('page', 'ticket') AND interval_ms > 0 AND (remind_ms IS NULL OR remind_ms > 0))
);
-- One version of a route is in force.
CREATE UNIQUE INDEX notification_route_in_force ON notification_route (id) WHERE ended_at IS NULL;

-- Alerts of one kind, system and severity that a receiver is told of by one route. '' = a receiver without routes; no
-- system. So a page never waits for a ticket.
CREATE TABLE notification_group (
  id          text           PRIMARY KEY,
  receiver_id text           NOT NULL REFERENCES receiver ON DELETE RESTRICT ON UPDATE CASCADE,
  route_id    text           NOT NULL DEFAULT '',
  kind        text           NOT NULL,
  system      text           NOT NULL DEFAULT '',
  severity    text           NOT NULL CONSTRAINT notification_group_severity_known CHECK (severity IN ('page', 'ticket')),
  incident    text,                               -- what the receiver knows it by while it fires; null = nothing is open
  opened_at   timestamptz(3),                     -- when the incident was first told
  told_at     timestamptz(3)                      -- when the last message was written
);
CREATE UNIQUE INDEX notification_group_receiver_id_route_id_kind_system_severit_key
  ON notification_group (receiver_id, route_id, kind, system, severity);

-- One message to one receiver: sent once, tried several times.
CREATE TABLE delivery (
  id          text           PRIMARY KEY,
  group_id    text           NOT NULL REFERENCES notification_group ON DELETE CASCADE ON UPDATE CASCADE,
  receiver_id text           NOT NULL REFERENCES receiver ON DELETE RESTRICT ON UPDATE CASCADE,
  event       text           NOT NULL,
  incident    text           NOT NULL,
  replaces    text,                               -- the incident that it takes the place of
  dedupe_key  text           NOT NULL,
  state       text           NOT NULL,
  attempts    integer        NOT NULL DEFAULT 0,
  due_at      timestamptz(3) NOT NULL,             -- when it may be tried; while somebody tries, when another may
  message     jsonb          NOT NULL DEFAULT '{}', -- what was sent last
  created_at  timestamptz(3) NOT NULL,
  finished_at timestamptz(3),
  CONSTRAINT delivery_known
    CHECK (event IN ('raised', 'cleared', 'reminder', 'acknowledged', 'escalated', 'refresh')
      AND state IN ('waiting', 'delivered', 'failed', 'silenced'))
);
CREATE UNIQUE INDEX delivery_group_id_dedupe_key_key ON delivery (group_id, dedupe_key);
CREATE INDEX delivery_state_due_at_idx ON delivery (state, due_at);
CREATE INDEX delivery_created_at_id_idx ON delivery (created_at DESC, id);
-- A group's messages go one after the other.
CREATE UNIQUE INDEX delivery_one_waiting ON delivery (group_id) WHERE state = 'waiting';

-- What a receiver answered, each time.
CREATE TABLE delivery_try (
  delivery_id text           NOT NULL REFERENCES delivery ON DELETE CASCADE ON UPDATE CASCADE,
  number      integer        NOT NULL,
  at          timestamptz(3) NOT NULL,
  accepted    boolean        NOT NULL,
  result      jsonb          NOT NULL DEFAULT '{}',
  PRIMARY KEY (delivery_id, number)
);

-- Somebody looks after the alerts of one kind and system: no reminders until then.
CREATE TABLE acknowledgement (
  id         text           PRIMARY KEY,
  kind       text           NOT NULL,
  system     text           NOT NULL DEFAULT '',
  episode_id text           NOT NULL REFERENCES alert_episode ON DELETE CASCADE ON UPDATE CASCADE,
  note       text           NOT NULL DEFAULT '',
  by         text           NOT NULL,
  by_name    text           NOT NULL,
  at         timestamptz(3) NOT NULL,
  until      timestamptz(3) NOT NULL,
  ended_at   timestamptz(3),                      -- withdrawn, or replaced by a later one
  CONSTRAINT acknowledgement_bounds CHECK (until > at)
);
CREATE INDEX acknowledgement_kind_system_at_idx ON acknowledgement (kind, system, at DESC);

-- Whether an alert came and went lately is asked of each that ends.
CREATE INDEX alert_episode_kind_subject_since_idx ON alert_episode (kind, subject, since DESC);

ALTER TABLE notification
  ADD COLUMN group_id text REFERENCES notification_group ON DELETE CASCADE ON UPDATE CASCADE,
  -- An alert that comes back after it was told that it is over is told again.
  ADD COLUMN turn integer NOT NULL DEFAULT 1,
  ADD COLUMN delivery_id text REFERENCES delivery ON DELETE SET NULL ON UPDATE CASCADE;

-- What was told before there were groups.
INSERT INTO notification_group (id, receiver_id, kind, system, severity)
SELECT 'ngr_' || replace(gen_random_uuid()::text, '-', ''), told.*
FROM (SELECT DISTINCT n.receiver_id, e.kind, coalesce(e.detail->>'system', ''), e.severity
      FROM notification n JOIN alert_episode e ON e.id = n.episode_id) told;
UPDATE notification n SET group_id = g.id
FROM alert_episode e, notification_group g
WHERE e.id = n.episode_id AND g.receiver_id = n.receiver_id AND g.kind = e.kind
  AND g.system = coalesce(e.detail->>'system', '')
  AND g.severity = e.severity;
UPDATE notification_group g SET incident = g.id, opened_at = told.at, told_at = told.at
FROM (SELECT n.group_id, max(n.finished_at) AS at
      FROM notification n JOIN alert_episode e ON e.id = n.episode_id
      WHERE n.transition = 'raised' AND n.state = 'delivered' AND e.cleared_at IS NULL GROUP BY n.group_id) told
WHERE told.group_id = g.id;

ALTER TABLE notification
  ALTER COLUMN group_id SET NOT NULL,
  DROP CONSTRAINT notification_known;
ALTER TABLE notification ADD CONSTRAINT notification_known
  CHECK (transition IN ('raised', 'cleared')
    AND state IN ('waiting', 'delivered', 'failed', 'silenced', 'merged'));
DROP INDEX notification_episode_id_transition_receiver_id_key;
CREATE UNIQUE INDEX notification_episode_id_transition_receiver_id_turn_key
  ON notification (episode_id, transition, receiver_id, turn);
CREATE INDEX notification_group_id_state_idx ON notification (group_id, state);
CREATE INDEX notification_delivery_id_idx ON notification (delivery_id);

-- Keeps each time that a condition fires, whoever wrote it. One that comes back within five minutes, before anybody was told
-- that it is over, is the alert that it was, with a count: what waits to be told goes with it. One whose severity changes is
-- another alert: who is to be woken was not told of a ticket, and a ticket is no reason to remind them.
CREATE OR REPLACE FUNCTION keep_alert_episode() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  was boolean := TG_OP = 'UPDATE' AND OLD.state = 'firing';
  other boolean := was AND OLD.severity <> NEW.severity;
BEGIN
  IF was AND (other OR NEW.state <> 'firing') THEN
    UPDATE alert_episode SET cleared_at = coalesce(NEW.cleared_at, NEW.checked_at), detail = OLD.detail
    WHERE kind = NEW.kind AND subject = NEW.subject AND cleared_at IS NULL;
  END IF;
  IF NEW.state = 'firing' AND (other OR NOT was) THEN
    UPDATE alert_episode SET cleared_at = NULL, times = times + 1
    WHERE id = (SELECT e.id FROM alert_episode e
                WHERE e.kind = NEW.kind AND e.subject = NEW.subject AND e.severity = NEW.severity
                  AND e.cleared_at > NEW.checked_at - interval '5 minutes'
                  AND NOT EXISTS (SELECT FROM notification n WHERE n.episode_id = e.id AND n.transition = 'cleared'
                    AND (n.state <> 'waiting' OR n.delivery_id IS NOT NULL))
                ORDER BY e.cleared_at DESC LIMIT 1);
    IF NOT FOUND THEN
      INSERT INTO alert_episode (id, kind, subject, severity, since, detail)
      VALUES ('alr_' || replace(gen_random_uuid()::text, '-', ''), NEW.kind, NEW.subject, NEW.severity,
              CASE WHEN other THEN NEW.checked_at ELSE NEW.since END, NEW.detail);
    END IF;
  END IF;
  RETURN NULL;
END
$$;
