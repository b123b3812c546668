import { ageText } from '@/lib/core/format-figure'
import type { JsonObject } from '@/lib/core/json-value'
import { formatMoney, type MoneyJson } from '@/lib/core/money'
import type { LockVerdict } from '@/lib/core/states'
import type { LockView } from '@/lib/locks/list-locks'
import type { Item } from '../compose'
import { quote } from '../quote'

/** What a person does next. Nobody does it from here. */
export const NEXT_STEP: Record<LockVerdict, string> = {
  release: 'Release it on its page: the holder is gone and the provider has nothing of the key.',
  complete: 'Complete it on its page: the provider has the effect.',
  investigate: 'A person has to look: open it and read the evidence. Neither release nor complete is safe.',
  wait: 'Wait: it is too early, or its holder is alive. It changes by itself.',
}

export const lockPath = ({ id }: Pick<LockView, 'id'>): string => `/locks?lock=${id}`

export const lockData = (lock: LockView): JsonObject => ({
  id: lock.id,
  key: lock.key,
  scope: lock.scope,
  state: lock.state,
  verdict: lock.verdict,
  acquiredAt: lock.acquiredAt,
})

export const lockItem = (lock: LockView, origin: string): Item => ({
  text: `${quote(lock.key)} of ${quote(lock.scope)}: ${lock.verdict}, held for ${ageText(lock.age * 1000)}, attempt ${lock.attempts}. ${origin}${lockPath(lock)}`,
  data: lockData(lock),
})

/** What the provider answered when the lock was last checked. */
export function providerItems({ providerAnswer: answer }: LockView): Item[] {
  if (answer.kind !== 'found' && answer.kind !== 'possible') return []
  return answer.objects.map(({ kind, id, status, amount, createdAt }) => ({
    text: `${kind} ${quote(id)}: ${status}, ${amountText(amount)}, made ${createdAt}`,
    data: { kind, id, status, amount, createdAt },
  }))
}

export const amountText = (amount: MoneyJson | null): string =>
  amount === null ? 'amount not readable' : formatMoney(amount)

export function providerLine({ providerAnswer: answer }: LockView): string {
  switch (answer.kind) {
    case 'not_asked':
      return 'The provider was not asked.'
    case 'no_provider':
      return 'No provider is connected.'
    case 'none':
      return `The provider has nothing of the time from ${answer.from} to ${answer.to} that could be its effect (asked ${answer.askedAt}).`
    case 'found':
      return `The provider has ${answer.objects.length} of this key (asked ${answer.askedAt}).`
    case 'possible':
      return `The provider has ${answer.count} that could be its effect, though nothing says whose they are (asked ${answer.askedAt}).`
    case 'not_settled':
      return `Too early to say: the provider’s listing is settled at ${answer.settlesAt}.`
    case 'unreachable':
      return `The provider did not answer at ${answer.askedAt}: ${quote(answer.error)}`
    default:
      return answer satisfies never
  }
}
