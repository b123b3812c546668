const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** A group gets at most one message in this time, unless its route says otherwise. */
export const INTERVAL_MS = 5 * MINUTE_MS
/** So often a page is repeated that nobody has acknowledged, unless its route says otherwise. */
export const REMIND_MS = HOUR_MS
/** What fires on and could not be told, in any of its tries, is told again after this. */
export const UNTOLD_MS = 15 * MINUTE_MS
/** So long an acknowledgement holds, unless it says otherwise. */
export const ACKNOWLEDGED_MS = 2 * HOUR_MS
