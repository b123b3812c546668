/** $1 = minutes. */
export const MARK_MINUTES = `
  INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT unnest($1::timestamptz[])`
