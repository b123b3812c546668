import { HOLD_KINDS, holdTargetSchema } from '@/lib/core/hold-target'
import type { Answered, Beginning, SeenHold } from '../world/holds'
import type { World } from '../world/world'
import { Violation } from './violation'

/** A hold is in force in every process so long after it was placed, where the store can be read. */
const KNOWN_MS_MAX = 2_000

/** What holds promise: nothing new begins, what runs ends, what is done is answered, and it is over when it is over. */
export async function checkHolds(world: World): Promise<void> {
  const { watch } = world
  if (watch === null) return
  await lookAtStore(world, watch.holds)
  const holds = [...watch.holds.values()]
  for (const begun of watch.begun) nothingBegins(holds, begun)
  for (const answered of watch.answered) holdsOnlyWhatIsNew(holds, answered)
  watch.begun = []
  watch.answered = []
  await whatWasSaidIsSo(world, watch.holds)
}

const endOf = ({ endsMs, liftedMs, goneMs }: SeenHold): number =>
  Math.min(endsMs, liftedMs ?? endsMs, goneMs ?? endsMs)

const concerns = ({ target }: SeenHold, key: string | null): boolean =>
  target.kind !== 'key' || target.key === key

function nothingBegins(holds: readonly SeenHold[], { what, key, process, atMs, read }: Beginning): void {
  for (const hold of holds) {
    // What runs, ends: only a hold on the step stops an effect of what runs already.
    if ((hold.target.kind === 'step') !== (what === 'effect') || !concerns(hold, key)) continue
    if (atMs <= hold.placedMs || atMs >= endOf(hold)) continue
    const wasRead = read.ofMs > hold.placedMs
    if (!wasRead && (read.unanswered || atMs - hold.placedMs <= KNOWN_MS_MAX)) continue
    const begins = `an ${what} of ${key ?? 'a request without a key'} begins in ${process}`
    throw new Violation(
      'nothing begins under a hold',
      `${begins} ${atMs - hold.placedMs} ms after a hold on ${hold.target.kind} was placed`,
    )
  }
}

function holdsOnlyWhatIsNew(holds: readonly SeenHold[], answered: Answered): void {
  if (!answered.held) return
  const { key, fromMs, toMs, executed, wasDone, read } = answered
  const name = key ?? 'a request without a key'
  if (wasDone)
    throw new Violation('replays go on', `${name} was done before, and is answered that it is held`)
  const held = holds.filter((hold) => {
    // Lifted where nobody could read it, it is over at its end.
    const known = read.unanswered ? hold.endsMs : endOf(hold)
    return concerns(hold, key) && hold.placedMs <= toMs && known + KNOWN_MS_MAX >= fromMs
  })
  if (held.length === 0)
    throw new Violation('a hold ends', `${name} is answered that it is held, and nothing holds it`)
  if (executed && held.every(({ target }) => target.kind !== 'step'))
    throw new Violation('what runs ends', `${name} was executed and is answered that it is held`)
}

/** Once placed, a hold is changed by being lifted, once. */
async function lookAtStore({ env }: World, seen: Map<string, SeenHold>): Promise<void> {
  const { rows } = await env.admin.query(`SELECT *, idem_key_text(key) AS key FROM idem_hold`)
  const now = rows.map(toSeen)
  for (const hold of now) {
    const before = seen.get(hold.id)
    if (before !== undefined && before.endsMs !== hold.endsMs)
      throw new Violation(
        'a hold is placed once',
        `${hold.id} ended at ${before.endsMs}, then ${hold.endsMs}`,
      )
    if (before !== undefined && before.liftedMs !== null && before.liftedMs !== hold.liftedMs)
      throw new Violation('a hold is lifted once', `${hold.id} was lifted again`)
    seen.set(hold.id, hold)
  }
  for (const hold of seen.values()) if (!now.some(({ id }) => id === hold.id)) hold.goneMs ??= env.time.nowMs
}

function toSeen(row: Record<string, unknown>): SeenHold {
  const { hold_id, kind, route, caller, step, scope, key, placed_at, ends_at, lifted_at } = row
  const named = {
    store: {},
    route: { route },
    caller: { caller },
    step: { step, route },
    key: { scope, key },
  }
  const known = HOLD_KINDS.find((each) => each === kind) ?? 'store'
  return {
    id: String(hold_id),
    target: holdTargetSchema.parse({ kind, ...named[known] }),
    placedMs: (placed_at as Date).getTime(),
    endsMs: (ends_at as Date).getTime(),
    liftedMs: (lifted_at as Date | null)?.getTime() ?? null,
    goneMs: null,
  }
}

/** What the console calls done is there; what it gave up is not. */
async function whatWasSaidIsSo({ env }: World, seen: ReadonlyMap<string, SeenHold>): Promise<void> {
  const { rows } = await env.db.pool.query(
    `SELECT id, kind, state, params->>'holdId' AS "holdId" FROM action WHERE kind IN ('hold', 'lift_hold')`,
  )
  for (const { id, kind, state, holdId } of rows) {
    const hold = seen.get(holdId)
    const isSo = kind === 'hold' ? hold !== undefined : hold !== undefined && endOf(hold) <= env.time.nowMs
    if (state === 'done' && !isSo)
      throw new Violation('what is said of a hold is so', `${kind} ${id} of ${holdId} is done, and is not so`)
    if (state === 'refused' && kind === 'hold' && hold !== undefined)
      throw new Violation('what is said of a hold is so', `${id} was refused, and holds`)
  }
}
