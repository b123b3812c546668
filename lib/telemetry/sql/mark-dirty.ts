export const MARK_DIRTY = `
  INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT minute FROM dirty ORDER BY minute`
