export const MARK_DIRTY = `
  INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT minute FROM dirty ORDER BY minute`

/** $1 = minutes. */
export const MARK_MINUTES = `
  INSERT INTO telemetry.dirty_minute (minute) SELECT unnest($1::timestamptz[])`
