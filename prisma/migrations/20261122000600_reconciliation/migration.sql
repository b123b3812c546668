-- Identity is for exceptions. A row of the mirror is staged without an operation; the match finds the pairs that agree by
-- columns, and only what is left gets an operation and its aliases. Whatever comes later and shares an alias with an
-- operation is given to it when it is staged. (Persisting every pair costs many times the join.)
ALTER TABLE mirror.object ALTER COLUMN operation_id DROP NOT NULL;

DROP INDEX mirror.object_operation;
CREATE INDEX object_operation ON mirror.object (operation_id) WHERE operation_id IS NOT NULL;
DROP INDEX mirror.object_seq;
CREATE INDEX object_seq_known ON mirror.object (system, seq) WHERE operation_id IS NOT NULL;
CREATE INDEX object_seq_loose ON mirror.object (system, seq) WHERE operation_id IS NULL;

CREATE INDEX object_untied    ON mirror.object (system, seq) WHERE operation_id IS NULL AND provider_ref IS NULL;

-- What leads from one row to its neighbours.
CREATE INDEX object_reference ON mirror.object (reference) WHERE reference IS NOT NULL;
CREATE INDEX object_parent    ON mirror.object (parent_ref) WHERE parent_ref IS NOT NULL AND parent_ref IS DISTINCT FROM provider_ref;

-- Rows of a run's scope that did not pair up, until they have an operation.
CREATE UNLOGGED TABLE mirror.loose (
  run_id    text NOT NULL,
  source_id text NOT NULL,
  object_id text NOT NULL,
  PRIMARY KEY (run_id, source_id, object_id)
);

-- A pass over a feed, cut into ranges of the source's time that any worker may take. They touch each other without a
-- gap; the cursor moves when all of them are done. A holder that dies is missed after its lease; its fence shuts it out.
CREATE TABLE mirror.range (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  from_at     timestamptz NOT NULL,
  to_at       timestamptz NOT NULL CHECK (to_at > from_at),
  fence       bigint      NOT NULL DEFAULT 0,
  read        bigint      NOT NULL DEFAULT 0,
  lease_until timestamptz,
  done_at     timestamptz,
  source_id   text        NOT NULL,
  feed        text        NOT NULL,
  position    text,                                -- where a range half read goes on
  owner       text,
  UNIQUE (source_id, feed, from_at)
);

-- Reports of a run and of a day.
CREATE INDEX "case_event_at_id_idx" ON "case_event" ("at", "id");
