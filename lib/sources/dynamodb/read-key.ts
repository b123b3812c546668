import { isUnreadable, type KeyReading, UnreadableKeyError } from '../contracts'
import { isLive, toReading, toRow } from './item/row'
import { request, type Store, storeClock } from './store'
import { noteLive } from './walk/known'

/** One consistent read, by the library's key; by the caller's, where the configuration says how one becomes the other. */
export async function readKey(store: Store, scope: string, key: string): Promise<KeyReading> {
  const found = await readOne(store, scope, key)
  if (found.lease !== null || found.record !== null) return found
  const computed = store.identity.computeKey({ scope, key })
  return computed === null ? found : readOne(store, scope, computed)
}

async function readOne(store: Store, scope: string, key: string): Promise<KeyReading> {
  const place = store.identity.placeOf({ scope, key })
  if (place === null) return { now: await storeClock(store), lease: null, record: null }
  const { item, now } = await store.database.get(request(store), place)
  if (item === null) return toReading(store, null, now)
  const row = toRow(store, item)
  if (isUnreadable(row)) throw new UnreadableKeyError({ ...row, scope, key }, now)
  if (isLive(row)) noteLive(store, item, row)
  return toReading(store, row, now)
}
