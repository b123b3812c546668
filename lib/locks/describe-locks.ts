import { plural } from '@/lib/core/format-figure'
import type { StoreState } from '@/lib/mirror/read/list-sources'
import type { StuckLocks } from './count-locks'

/** The page in one sentence or two. `places` names the stores; `more` = they hold more than are listed. */
export function stuckSentence(facts: StuckLocks, places: string, stores: StoreState, more: boolean): string {
  const { stuck, held, byVerdict } = facts
  if (stuck === 0) {
    if (stores === 'not_connected') return 'No idempotency store is connected: nothing is known of locks.'
    if (stores === 'not_read') return 'The store was not read yet: nothing is known of locks.'
    if (more) return `No key is stuck among the oldest that are held. More are held than are listed.`
    return held === 0
      ? 'No key is held now.'
      : `No key is stuck. ${keys(held)} held by a live holder; nothing is to be done.`
  }
  const parts = [
    byVerdict.release > 0 &&
      `${byVerdict.release} safe to release: the holder is gone and the provider has nothing of it`,
    byVerdict.complete > 0 && `${byVerdict.complete} to complete: the provider has the effect`,
    byVerdict.investigate > 0 && `${byVerdict.investigate} for a person to look at`,
    byVerdict.wait > 0 && `${byVerdict.wait} too early to assess`,
  ].filter((part) => part !== false)
  return `${more ? 'At least ' : ''}${keys(stuck)} held past ${stuck === 1 ? 'its' : 'their'} lease${places === '' ? '' : ` in ${places}`}. ${parts.join('; ')}.`
}

const keys = (count: number): string => plural(count, 'key is', 'keys are')
