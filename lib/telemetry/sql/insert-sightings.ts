/** Their flags come from the locked keys (store/key-facts.ts). Returns the minutes that changed. */
export const INSERT_SIGHTINGS = `
  WITH inserted AS (
    INSERT INTO telemetry.sighting SELECT * FROM sighting_stage ORDER BY time, trace_id, span_id
    ON CONFLICT DO NOTHING
    RETURNING time, end_time, final
  )
  SELECT date_bin('1 minute', time, 'epoch') AS minute FROM inserted
  UNION
  SELECT date_bin('1 minute', end_time, 'epoch') FROM inserted WHERE final`
