import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Completed, type Ended, type Holder, recordStateOf, type StoredResponse } from '../store'
import { writeBody } from './body'
import { changeKey, isHeld, isHolder, isUnchanged } from './change'
import type { Item, TableDatabase, Update, Written } from './database'
import { all, is, isAtMost, isEmpty, ms, num, type Path, text } from './expression'
import { hasEffect, hasOnlyFailures, hasOpenEffect, type KeyItem, readKeyItem, writeStep } from './item'
import { keyItemOf, TTL_ATTRIBUTE, ttlOf } from './layout'
import { isTooLarge } from './unavailable'

/** What only a live key has. */
export const LIVE: readonly Path[] = ['live', 'a', 'o', 'u', 'h', 'r', 'e']

/** Completes where the fence matches: one write, after the parts of a large body. */
export async function completeKey(
  db: TableDatabase,
  holder: Holder,
  response: StoredResponse,
  ttlMs: number,
): Promise<Completed | 'stale'> {
  const expiresMs = Math.floor(db.nowMs() + ttlMs)
  const ttl = ttlOf(expiresMs)
  const set: [Path, AttributeValue][] = [
    ['s', text(recordStateOf(response.status) === 'failed_final' ? 'F' : 'C')],
    ['q', num(response.status)],
    ['x', num(expiresMs)],
    ['ttl', num(ttl)],
    ...(await writeBody(db, holder, response.body, ttl)),
  ]
  if (response.headers.length > 0) set.push(['d', text(JSON.stringify(response.headers))])
  const update: Update = {
    when: isHeld(holder, 'L', 'U'),
    set,
    remove: LIVE,
    keep: 'c',
    returns: 'UPDATED_OLD',
  }
  const written = await updateReducing(db, holder, update)
  if (written.done) return { createdAt: createdAtOf(written.attributes), expiresAt: new Date(expiresMs) }
  if (written.item === null) return 'stale'
  // Stale, unless this very holder completed before and did not hear of it.
  const seen = readKeyItem(written.item)
  const own = (seen.state === 'C' || seen.state === 'F') && seen.fence === holder.fence
  if (!own || seen.expiresMs <= db.nowMs()) return 'stale'
  return { createdAt: new Date(seen.createdMs), expiresAt: new Date(seen.expiresMs) }
}

function createdAtOf({ c }: Item): Date {
  if (c?.N === undefined) throw new Error('DynamoDB did not return what the completion replaced')
  return new Date(Number(c.N))
}

/** An item that its steps make too large is written without their results: no attempt comes any more to read them. */
async function updateReducing(db: TableDatabase, holder: Holder, update: Update): Promise<Written> {
  try {
    return await db.update(keyItemOf(holder), update)
  } catch (error) {
    if (!isTooLarge(error)) throw error
    const item = await db.get(keyItemOf(holder))
    if (item === null) return { done: false, item, repeated: false }
    const effects = [...readKeyItem(item).steps].filter(([, step]) => step.kind !== 'checkpoint')
    const reduced = effects.map(([name, step]) => [name, writeStep({ ...step, result: null })])
    return db.update(keyItemOf(holder), {
      ...update,
      when: all(update.when, is('v', num(readKeyItem(item).version))),
      set: [...update.set, ['steps', { M: Object.fromEntries(reduced) }]],
    })
  }
}

/** The request is not to be stored. Never deleted: the fence stays for whoever comes next. */
export function giveBackKey(db: TableDatabase, holder: Holder): Promise<Ended> {
  return end(db, holder, (seen, nowMs) => {
    if (seen === null || seen.steps.size === 0) {
      const ttl = num(ttlOf(nowMs))
      return {
        ended: 'absent',
        set: [
          ['s', text('G')],
          [TTL_ATTRIBUTE, ttl],
        ],
        remove: [...LIVE, 'i'],
      }
    }
    const reopened: Update['set'] = hasOnlyFailures(seen) ? [['e', { BOOL: true }]] : []
    return { ended: hasOpenEffect(seen) ? 'unknown' : 'retryable', set: reopened }
  })
}

/** The handler threw: retryable when no effect began (or all that began are known to have failed), else unknown. */
export function abandonKey(db: TableDatabase, holder: Holder): Promise<Ended> {
  return end(db, holder, (seen) => ({
    ended: seen !== null && hasEffect(seen) ? 'unknown' : 'retryable',
    set: [],
  }))
}

type Ending = { ended: Exclude<Ended, 'stale'>; set: Update['set']; remove?: Update['remove'] }

const ENDS = { G: 'absent', R: 'retryable', U: 'unknown' } as const

/** The first ending is that of a key without steps, almost always; else the steps decide. */
function end(
  db: TableDatabase,
  holder: Holder,
  endingOf: (seen: KeyItem | null, nowMs: number) => Ending,
): Promise<Ended> {
  const nowMs = db.nowMs()
  return changeKey<Ended>(db, holder, 'stale', (seen, repeated) => {
    if (!isHolder(seen, holder)) {
      // Only its holder ends it so under its own fence; only a reply that was lost tells that from a second end.
      const own = repeated && seen?.fence === holder.fence
      const state = seen?.state
      return { result: own && (state === 'G' || state === 'R' || state === 'U') ? ENDS[state] : 'stale' }
    }
    const { ended, set, remove = [] } = endingOf(seen, nowMs)
    const state: Update['set'] =
      ended === 'absent'
        ? []
        : [
            ['s', text(ended === 'unknown' ? 'U' : 'R')],
            ['u', ms(nowMs)],
          ]
    const expected = seen === null ? isEmpty('steps') : isUnchanged(seen)
    return {
      result: ended,
      update: { when: all(isHeld(holder, 'L'), expected), set: [...state, ...set], remove },
    }
  })
}

/** Prolongs the lease and never shortens it. False = lost. */
export function heartbeatKey(db: TableDatabase, holder: Holder, leaseMs: number): Promise<boolean> {
  const nowMs = db.nowMs()
  const untilMs = Math.floor(nowMs + leaseMs)
  return changeKey(db, holder, false, (seen) => {
    if (!isHolder(seen, holder)) return { result: false }
    const set: Update['set'] = [
      ['u', num(Math.max(untilMs, seen?.leaseUntilMs ?? 0))],
      ['h', ms(nowMs)],
    ]
    const expected = seen === null ? isAtMost('u', num(untilMs)) : isUnchanged(seen)
    return { result: true, update: { when: all(isHeld(holder, 'L'), expected), set } }
  })
}
