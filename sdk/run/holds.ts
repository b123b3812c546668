import { HeldError } from '../errors'
import { isSafeMethod } from '../requests/safe-methods'
import { problemResponse } from '../responses/problem'
import type { Hold, Store } from '../stores/store'
import type { Exchange } from './exchange'

/** An operator may lift a hold long before its end. */
const RETRY_S_MAX = 30

export const heldResponse = ({ leftMs }: Hold): Response =>
  problemResponse('held', { retryAfterS: Math.min(RETRY_S_MAX, leftMs / 1000) })

/** The hold on new executions with this key, by what was read at most 2 s ago where the store can be read. */
export async function findHold<Tx>(
  { holds }: Store<Tx>,
  scope: string,
  key: string | null,
): Promise<Hold | null> {
  if (holds === undefined) return null
  await holds.refresh()
  return holds.findExecutionHold(scope, key)
}

/** Throws HeldError instead of letting an execution begin. Time has passed since its acquire: the holds are looked at again. */
export async function requireNotHeld<Tx, Extra>(
  { settings, request, scope }: Exchange<Tx, Extra>,
  key: string | null,
): Promise<void> {
  if (isSafeMethod(request.method)) return
  const hold = await findHold(settings.store, scope, key)
  if (hold !== null) throw new HeldError(`an operator holds executions of ${scope}`, hold)
}

/** Throws HeldError instead of letting an effect begin. */
export function requireStepNotHeld<Tx>({ holds }: Store<Tx>, scope: string, step: string): void {
  const hold = holds?.findStepHold(scope, step) ?? null
  if (hold !== null) throw new HeldError(`an operator holds effect ${step}: it was not begun`, hold)
}
