-- Alerts: a history of every time a condition held, silences, receivers, and what each of them was sent.

CREATE TABLE "alert_episode" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "cleared_at" TIMESTAMPTZ(3),
    "detail" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "alert_episode_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "silence" (
    "id" TEXT NOT NULL,
    "kind" TEXT,
    "subject" TEXT,
    "prefix" BOOLEAN NOT NULL,
    "environment" TEXT,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expired_at" TIMESTAMPTZ(3),
    "expired_by" TEXT,
    "expired_reason" TEXT,

    CONSTRAINT "silence_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "receiver" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "secret" BYTEA NOT NULL,
    "paging" BOOLEAN NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "receiver_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "notification" (
    "id" TEXT NOT NULL,
    "episode_id" TEXT NOT NULL,
    "receiver_id" TEXT NOT NULL,
    "transition" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "paging" BOOLEAN NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "result" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "notification_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "alert_episode_since_id_idx" ON "alert_episode"("since" DESC, "id");
CREATE INDEX "silence_ends_at_id_idx" ON "silence"("ends_at" DESC, "id");
CREATE INDEX "notification_state_due_at_idx" ON "notification"("state", "due_at");
CREATE UNIQUE INDEX "notification_episode_id_transition_receiver_id_key"
  ON "notification"("episode_id", "transition", "receiver_id");

ALTER TABLE "notification" ADD CONSTRAINT "notification_episode_id_fkey"
  FOREIGN KEY ("episode_id") REFERENCES "alert_episode"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "notification" ADD CONSTRAINT "notification_receiver_id_fkey"
  FOREIGN KEY ("receiver_id") REFERENCES "receiver"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A condition holds at most once at a time; two receivers in use never have one name.
CREATE UNIQUE INDEX alert_episode_open ON alert_episode (kind, subject) WHERE cleared_at IS NULL;
CREATE UNIQUE INDEX receiver_name_in_use ON receiver (name) WHERE removed_at IS NULL;

ALTER TABLE silence ADD CONSTRAINT silence_bounds CHECK (ends_at > starts_at AND (kind IS NOT NULL OR subject IS NOT NULL));
ALTER TABLE receiver ADD CONSTRAINT receiver_kind_known CHECK (kind = 'webhook');
ALTER TABLE notification ADD CONSTRAINT notification_known
  CHECK (transition IN ('raised', 'cleared') AND state IN ('waiting', 'delivered', 'failed', 'silenced'));

-- Several modules raise and clear conditions; each time that one holds is kept here, whoever wrote it.
CREATE FUNCTION keep_alert_episode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'firing' AND (TG_OP = 'INSERT' OR OLD.state <> 'firing') THEN
    INSERT INTO alert_episode (id, kind, subject, since, detail)
    VALUES ('alr_' || replace(gen_random_uuid()::text, '-', ''), NEW.kind, NEW.subject, NEW.since, NEW.detail);
  ELSIF TG_OP = 'UPDATE' AND NEW.state <> 'firing' AND OLD.state = 'firing' THEN
    UPDATE alert_episode SET cleared_at = NEW.cleared_at, detail = OLD.detail
    WHERE kind = NEW.kind AND subject = NEW.subject AND cleared_at IS NULL;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER condition_keeps_episodes AFTER INSERT OR UPDATE ON condition
  FOR EACH ROW EXECUTE FUNCTION keep_alert_episode();

-- What held before there was a history: the last time of each.
INSERT INTO alert_episode (id, kind, subject, since, cleared_at, detail)
SELECT 'alr_' || replace(gen_random_uuid()::text, '-', ''), kind, subject, since,
       CASE WHEN state = 'firing' THEN NULL ELSE coalesce(cleared_at, checked_at) END, detail
FROM condition;
