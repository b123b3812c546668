import { isUnfiltered, type TelemetryWindow } from '../window'
import { DERIVED_KINDS, type DerivedKind } from './derive'
import { ROLL_UP_LOCK } from './roll-up-minutes'
import type { RollUpKind } from './roll-up-steps'

const ceil = (length: string, at: string) =>
  `date_bin('${length}', ${at}::timestamptz + interval '${length}' - interval '1 microsecond', 'epoch')`
const floor = (length: string, at: string) => `date_bin('${length}', ${at}::timestamptz, 'epoch')`

const CEIL_HOUR = ceil('1 hour', '$1')
const FLOOR_HOUR = floor('1 hour', '$2')
const CEIL_DAY = ceil('1 day', '$1')
const FLOOR_DAY = floor('1 day', '$2')

const CLEAN_HOUR = `minute <> ALL (ARRAY(
      SELECT hour FROM telemetry.dirty_hour WHERE hour >= ${CEIL_HOUR} AND hour < ${FLOOR_HOUR}))`
const CLEAN_DAY = `minute <> ALL (ARRAY(
      SELECT day FROM telemetry.dirty_day WHERE day >= ${CEIL_DAY} AND day < ${FLOOR_DAY}))`
const DIRTY_HOURS = `(SELECT DISTINCT hour FROM telemetry.dirty_hour WHERE hour >= ${CEIL_HOUR} AND hour < ${FLOOR_HOUR}) dirty`
const DIRTY_DAYS = `(SELECT DISTINCT day FROM telemetry.dirty_day WHERE day >= ${CEIL_DAY} AND day < ${FLOOR_DAY}) dirty`

/**
 * The figures of [$1, $2), which are whole minutes, as a table expression: whole hours and days where they are
 * rolled up, tens of minutes or minutes at the edges and wherever something changed since. One snapshot sees marks
 * and rows alike, so the sums are those of the minutes. `coarsest` = how coarse the rows may be, for a reader that keeps steps apart.
 */
export function rollUpRows(
  kind: RollUpKind | DerivedKind,
  coarsest: 'minute' | 'hour' | 'day',
  columns: string,
): string {
  const from = (step: string) => `SELECT minute, ${columns} FROM telemetry.${step}_${kind}`
  const joined = (step: string, dirty: string, at: string, length: string) => `
    SELECT f.minute, ${columns} FROM ${dirty}
    JOIN telemetry.${step}_${kind} f ON f.minute >= dirty.${at} AND f.minute < dirty.${at} + interval '1 ${length}'`
  if (coarsest === 'minute') return `(${from('minute')} WHERE minute >= $1 AND minute < $2) rolled`
  const hasTens = kind === 'latency_route'
  const between = (start: string, end: string) => {
    if (!hasTens) return `${from('minute')} WHERE minute >= ${start} AND minute < ${end}`
    const [first, last] = [ceil(ROLL_UP_LOCK, start), floor(ROLL_UP_LOCK, end)]
    return `${from('ten')} WHERE minute >= ${first} AND minute < ${last}
    UNION ALL ${from('minute')} WHERE minute >= ${start} AND minute < least(${end}, ${first})
    UNION ALL ${from('minute')} WHERE minute >= greatest(${last}, ${first}) AND minute < ${end}`
  }
  const minutes = `
    ${between('$1::timestamptz', `least($2::timestamptz, ${CEIL_HOUR})`)}
    UNION ALL ${between(`greatest(${FLOOR_HOUR}, ${CEIL_HOUR})`, '$2::timestamptz')}
    UNION ALL ${joined(hasTens ? 'ten' : 'minute', DIRTY_HOURS, 'hour', 'hour')}`
  if (coarsest === 'hour')
    return `(${from('hour')} WHERE minute >= ${CEIL_HOUR} AND minute < ${FLOOR_HOUR} AND ${CLEAN_HOUR}
    UNION ALL ${minutes}) rolled`
  return `(${from('day')} WHERE minute >= ${CEIL_DAY} AND minute < ${FLOOR_DAY} AND ${CLEAN_DAY}
    UNION ALL ${from('hour')} WHERE minute >= ${CEIL_HOUR} AND minute < least(${FLOOR_HOUR}, ${CEIL_DAY}) AND ${CLEAN_HOUR}
    UNION ALL ${from('hour')} WHERE minute >= greatest(${FLOOR_DAY}, ${CEIL_DAY}) AND minute < ${FLOOR_HOUR} AND ${CLEAN_HOUR}
    UNION ALL ${joined('hour', DIRTY_DAYS, 'day', 'day')} WHERE ${CLEAN_HOUR}
    UNION ALL ${minutes}) rolled`
}

/** How coarse the rows of a series may be whose steps are `seconds` long and aligned to the epoch. */
export function coarsestFor(seconds: number): 'minute' | 'hour' | 'day' {
  if (seconds % 86_400 === 0) return 'day'
  return seconds % 3_600 === 0 ? 'hour' : 'minute'
}

/**
 * Without a filter from the sums over all services, endpoints and clients, where there are some: far fewer rows. Else the
 * caller filters.
 */
export function rowsOfWindow(
  kind: RollUpKind,
  window: TelemetryWindow,
  coarsest: 'minute' | 'hour' | 'day',
  columns: string,
): string {
  const ofAll = isUnfiltered(window) ? DERIVED_KINDS.find((derived) => derived === `${kind}_all`) : undefined
  return rollUpRows(ofAll ?? kind, coarsest, columns)
}
