/** Days that each kind is kept by default. A partition is dropped when all of it is older. */
export const SPAN_DAYS = 7
/** M5 is measured only while this covers the longest TTL plus the retry window. */
export const KEYED_REQUEST_DAYS = 30
export const EFFECT_DAYS = 400
/** A broker forgets a message sooner: after that its next delivery would count as a new message. */
export const DELIVERY_DAYS = 30
export const LOG_DAYS = 7
/** Roll-ups are small: a minute of one endpoint is a few hundred bytes. */
export const ROLL_UP_DAYS = 400

/** A span that starts earlier than this, or later than FUTURE_MAX_MS, is rejected with its reason. */
export const LATE_MAX_MS = 7 * 86_400_000
export const FUTURE_MAX_MS = 86_400_000

/** What arrives within these is in time; beyond them it is marked, and its minute is recomputed all the same. */
export const LATE_AFTER_MS = 5 * 60_000
export const FUTURE_AFTER_MS = 60_000
