import type pg from 'pg'
import { FUTURE_AFTER_MS, LATE_AFTER_MS } from '../retention'
import { INSERT_SIGHTINGS } from '../sql/insert-sightings'
import { MARK_MINUTES } from '../sql/mark-dirty'
import { STAGE_EFFECTS } from '../sql/stage-facts'
import { applyTouched } from './apply-staged'
import { copyIn } from './copy-in'
import { timestamp } from './copy-text'
import { countIntake } from './count-intake'
import { collectKeys, EFFECT_COLUMNS, isFinal, plainEffect, plainSighting, stagedFacts } from './key-facts'
import { lockKeys } from './lock-keys'
import { queryPrepared } from './prepared'
import {
  type Rendered,
  resourceNames,
  SIGHTING_COLUMNS,
  SPAN_COLUMNS,
  STAGED_FACT_COLUMNS,
  spanFields,
} from './rows'
import { openStage } from './stage-tables'
import { storeDeliveries } from './store-deliveries'

/**
 * A batch of spans of which none is stored: COPY into the tables, without staging. Sightings and effects of keys
 * that are new and come once need no look at others; only the rest is staged and flagged by SQL.
 * Fails with unique_violation when a span is there already.
 */
export async function storeNew(
  client: pg.PoolClient,
  rows: readonly Rendered[],
  receivedAt: Date,
): Promise<void> {
  const received = receivedAt.toISOString()
  const spans = rows.map((row) => `${spanFields(row)}\t${received}`)
  const keys = collectKeys(rows)
  await openStage(client)
  const touched = await lockKeys(client, keys, 'touch what is not plain')
  await copyIn(client, `telemetry.span (${SPAN_COLUMNS}, received_at)`, spans)

  const sightings: string[] = []
  const effects: string[] = []
  const staged: string[] = []
  let stagedEffects = false
  const minutes = new Set<string>()
  for (const row of rows) {
    const sighting = plainSighting(row)
    if (sighting !== null) {
      sightings.push(sighting)
      minutes.add(minuteOf(row.start))
      if (row.request !== null && isFinal(row.request)) minutes.add(minuteOf(row.end))
    }
    const effect = plainEffect(row, resourceNames(row.span.resource))
    if (effect !== null) {
      effects.push(effect)
      minutes.add(minuteOf(row.start))
    }
    const facts = stagedFacts(row)
    if (facts === null) continue
    staged.push(facts)
    stagedEffects ||= row.effect !== null
  }
  await copyIn(client, `telemetry.sighting (${SIGHTING_COLUMNS})`, sightings)
  await copyIn(client, `telemetry.effect (${EFFECT_COLUMNS})`, effects)
  if (touched > 0) {
    await copyIn(client, `stage (${STAGED_FACT_COLUMNS})`, staged)
    await queryPrepared(client, INSERT_SIGHTINGS)
    if (stagedEffects) await queryPrepared(client, STAGE_EFFECTS)
    await applyTouched(client, { effects: stagedEffects })
  }
  if (minutes.size > 0) await queryPrepared(client, MARK_MINUTES, [[...minutes]])
  await storeDeliveries(client, rows)
  await countIntake(client, countArrived(rows, receivedAt), receivedAt)
}

const minuteOf = (time: string) => `${time.slice(0, 16)}:00Z`

/** As INSERT_SPANS would count them. */
function countArrived(rows: readonly Rendered[], receivedAt: Date) {
  const text = (ms: number) => timestamp(BigInt(receivedAt.getTime() + ms) * 1_000_000n)
  const lateBefore = text(-LATE_AFTER_MS)
  const futureAfter = text(FUTURE_AFTER_MS)
  type Arrived = {
    minute: string
    service: string
    version: string
    environment: string
    spans: number
    late: number
    future: number
    first_at: string
    last_at: string
  }
  const counted = new Map<string, Arrived>()
  for (const { start, resource, span } of rows) {
    const minute = minuteOf(start)
    const id = `${minute}\t${resource}`
    let known = counted.get(id)
    if (known === undefined) {
      const { service, version, environment } = resourceNames(span.resource)
      known = {
        minute,
        service,
        version,
        environment,
        spans: 0,
        late: 0,
        future: 0,
        first_at: start,
        last_at: start,
      }
      counted.set(id, known)
    }
    known.spans += 1
    if (start < lateBefore) known.late += 1
    if (start > futureAfter) known.future += 1
    if (start < known.first_at) known.first_at = start
    if (start > known.last_at) known.last_at = start
  }
  return [...counted.values()]
}
