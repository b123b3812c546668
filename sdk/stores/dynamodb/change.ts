import { StoreUnavailableError } from '../../errors'
import type { Holder } from '../store'
import type { TableDatabase, Update } from './database'
import { all, type Condition, is, isOneOf, num, text } from './expression'
import { type KeyItem, readKeyItem, type StateLetter } from './item'
import { keyItemOf } from './layout'

/** Each turn ends in an answer unless somebody else changed the key meanwhile. */
export const TURNS_MAX = 8

export type Decided<Result> = { result: Result; update?: Update }

/**
 * Changes a key by one conditional write: first as `decide` would have it for what it expects (`seen` is null), and when
 * that condition fails, by the item that made it fail and on condition that it is still so. `repeated` = an earlier sending
 * of the write may have been done and its reply lost. `stale` is the answer where there is no item any more.
 */
export async function changeKey<Result>(
  db: TableDatabase,
  holder: Holder,
  stale: Result,
  decide: (seen: KeyItem | null, repeated: boolean) => Decided<Result>,
): Promise<Result> {
  const key = keyItemOf(holder)
  let seen: KeyItem | null = null
  let repeated = false
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const { result, update } = decide(seen, repeated)
    if (update === undefined) return result
    const written = await db.update(key, update)
    if (written.done) return result
    if (written.item === null) return stale
    seen = readKeyItem(written.item)
    repeated ||= written.repeated
  }
  throw new StoreUnavailableError(`the key ${holder.key} changed faster than it could be written`)
}

/** This holder has it, in one of these states. */
export const isHeld = (holder: Holder, ...states: StateLetter[]): Condition =>
  all(is('f', num(holder.fence)), isOneOf('s', states.map(text)))

export const isUnchanged = (seen: KeyItem): Condition =>
  all(is('f', num(seen.fence)), is('v', num(seen.version)))

export const isHolder = (seen: KeyItem | null, holder: Holder): boolean =>
  seen === null || (seen.fence === holder.fence && seen.state === 'L')
