-- Objects of a source that are there and cannot be understood: counted and shown until they can be.
CREATE TABLE mirror.unreadable (
  source_id text        NOT NULL,
  object_id text        NOT NULL,
  reason    text        NOT NULL,
  seen_at   timestamptz NOT NULL,
  PRIMARY KEY (source_id, object_id)
);
CREATE INDEX unreadable_newest ON mirror.unreadable (source_id, seen_at DESC);
INSERT INTO mirror.unreadable (source_id, object_id, reason, seen_at)
SELECT source_id, object_id, data->>'unreadable', staged_at FROM mirror.object WHERE data->>'unreadable' IS NOT NULL;
