-- Sources are changed and removed by people: a change is conditional on the version that was seen.
ALTER TABLE source ADD COLUMN version integer NOT NULL DEFAULT 1;
-- What is read of it was begun before this, or not at all.
ALTER TABLE source ADD COLUMN switched_off_at timestamptz(3);
-- Where its records are kept, in the operator's own words.
ALTER TABLE source ADD COLUMN region text;

-- What a source had said until then is not in the mirror any more: it was removed, or reads another place now. Of what
-- happened before, nothing is concluded from its silence.
CREATE TABLE ended_reading (
  id        text           PRIMARY KEY,
  source_id text           NOT NULL,
  name      text           NOT NULL,
  kind      text           NOT NULL,
  adapter   text           NOT NULL,
  system    text           NOT NULL,
  removed   boolean        NOT NULL,
  at        timestamptz(3) NOT NULL
);
CREATE INDEX ended_reading_system_idx ON ended_reading (system);
CREATE INDEX ended_reading_source_id_idx ON ended_reading (source_id);

-- Where the readings of a source stand: the next one begins at its beginning. The caller has made sure that nothing of it is
-- under way.
CREATE FUNCTION forget_position(source text, of_system text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('mirror.' || of_system, 0));
  DELETE FROM mirror.cursor WHERE source_id = source;
  DELETE FROM mirror.range WHERE source_id = source;
  DELETE FROM mirror.coverage WHERE source_id = source;
END $$;

-- What was read of a source. `keep_cases`: all but what open cases rest on. Returns how many rows of the mirror went.
CREATE FUNCTION forget_reading(source text, of_system text, keep_cases boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE gone bigint;
BEGIN
  PERFORM forget_position(source, of_system);
  DELETE FROM mirror.object o WHERE o.source_id = source AND NOT (keep_cases AND o.operation_id IS NOT NULL
    AND EXISTS (SELECT FROM reconciliation_case c
      WHERE c.operation_id = o.operation_id AND c.system = of_system AND c.lifecycle <> 'resolved'));
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM mirror.unreadable WHERE source_id = source;
  DELETE FROM messages.topic_minute WHERE source_id = source;
  DELETE FROM messages.source_check WHERE source_id = source;
  DELETE FROM messages.dead_letter WHERE source_id = source;
  DELETE FROM lock WHERE source_id = source;
  DELETE FROM lock_check WHERE source_id = source;
  RETURN gone;
END $$;

-- What held of a source that is no more holds no longer.
CREATE FUNCTION clear_conditions_of(source text, now timestamptz) RETURNS void LANGUAGE sql AS $$
  UPDATE condition SET state = 'cleared', cleared_at = now, checked_at = now WHERE subject = source AND state <> 'cleared'
$$;
