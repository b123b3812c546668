import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import type { ActionView } from '../view'

/** What became of one item. `reason` and `text` say why, unless it is done. */
export type OperateResult = {
  id: string
  actionId: string | null
  state: string
  reason: string | null
  text: string | null
}

const whySchema = z.object({ reason: z.string(), text: z.string() }).partial()

export function toResult(id: string, action: ActionView): OperateResult {
  const why = whySchema.parse(action.result)
  return {
    id,
    actionId: action.id,
    state: action.state,
    reason: why.reason ?? null,
    text: why.text ?? null,
  }
}

const notDone = (id: string, { code, message }: AppError): OperateResult => ({
  id,
  actionId: null,
  state: 'failed',
  reason: code,
  text: message,
})

/** Writes that were switched off, and rights that were lost, end all that is left; whatever else, only the one. */
const endsAll = ({ code }: AppError): boolean => code === 'kill_switch' || code === 'forbidden'

/** One item of a bulk act: of several, one that cannot be done must not hide the others. Throws what ends all. */
export async function operateOne(id: string, operate: () => Promise<ActionView>): Promise<OperateResult> {
  try {
    return toResult(id, await operate())
  } catch (error) {
    if (!(error instanceof AppError) || endsAll(error)) throw error
    return notDone(id, error)
  }
}

/**
 * A few items within one request, one after the other. What ends all is told for each that is left, beside what was done
 * before; it is thrown when nothing was, and so is whatever keeps a single one from being done.
 */
export async function operateEach<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  operate: (item: Item) => Promise<ActionView>,
): Promise<OperateResult[]> {
  const [only] = items
  if (only !== undefined && items.length === 1) return [toResult(idOf(only), await operate(only))]
  const results: OperateResult[] = []
  for (const item of items) {
    try {
      results.push(await operateOne(idOf(item), () => operate(item)))
    } catch (error) {
      if (!(error instanceof AppError) || results.length === 0) throw error
      return [...results, ...items.slice(results.length).map((item) => notDone(idOf(item), error))]
    }
  }
  return results
}
