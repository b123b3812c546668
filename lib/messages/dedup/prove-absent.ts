import type { createProviderAsker } from '@/lib/locks/assess/ask-provider'
import type { ScopeFacts } from '@/lib/mirror/read/scope-facts'
import type { Said } from './consumer-answer'

/** Effects that a provider lists as objects of their own: of the others a listing proves nothing. */
const LISTED = /(^|\.)(charge|refund)$/
const MONEY = /(^|\.)(charge|refund|payout|transfer|capture)$/

export const movesMoney = ({ effects }: Pick<ScopeFacts, 'effects'>): boolean =>
  effects.some(({ name }) => MONEY.test(name))

type Asked = {
  asker: Pick<ReturnType<typeof createProviderAsker>, 'ask'>
  scope: string
  key: string
  publishedAt: Date
  keptMs: number
  /** By the store's clock. */
  storeNow: Date
  facts: ScopeFacts
}

/**
 * The record of a message may have gone. What such a record stood for was done before the shortest time that records are kept:
 * a later one would be there still. So the provider's complete listing of the time between can prove that nothing was, if
 * all that the consumer does is what a provider lists. Everything else is no proof.
 */
export async function proveAbsent(asked: Asked): Promise<Said> {
  const { asker, scope, key, publishedAt, keptMs, storeNow, facts } = asked
  const expired = (why: string): Said => ({
    state: 'expired',
    text: `It has no record, and is older than records are kept. ${why}`,
  })
  if (facts.effects.length === 0)
    return expired('No effect of this consumer is known that a provider could be asked about.')
  const other = facts.effects.find(({ name }) => !LISTED.test(name))
  if (other !== undefined)
    return expired(`It also does ${other.name}, of which no provider’s listing proves anything.`)
  const lastAt = new Date(Math.max(publishedAt.getTime(), storeNow.getTime() - keptMs))
  const stamp = lastAt.toISOString()
  const answer = await asker.ask({
    storeNow,
    unchangedSince: null,
    lease: {
      ...{ scope, key, state: 'retryable', expired: true, overdue: true, fence: 0n, owner: '', attempts: 0 },
      ...{ tier: null, step: null, traceId: null, fingerprint: null, effects: [], version: '' },
      createdAt: publishedAt,
      leaseUntil: lastAt,
      heartbeatAt: lastAt,
      seen: {
        ...{ scope, key, fence: '0', state: 'retryable', leaseUntil: stamp, heartbeatAt: stamp },
        createdAt: publishedAt.toISOString(),
      },
    },
  })
  switch (answer.kind) {
    case 'none':
      return {
        state: 'proved_absent',
        text: 'Its record may have gone, and the provider has nothing of it: it was never applied.',
      }
    case 'found':
      return answer.objects.every(({ status }) => status === 'failed' || status === 'canceled')
        ? expired(
            `The provider refused ${answer.objects[0]?.id ?? 'it'}; whether that was all is not proved.`,
          )
        : {
            state: 'applied_ending',
            text: `The provider has ${answer.objects[0]?.id ?? 'its effect'}: it was applied, and its record is gone.`,
          }
    case 'possible':
      return expired('The provider has something without a key from that time that could be it.')
    case 'not_settled':
      return expired('It is too early to tell by the provider.')
    case 'no_provider':
    case 'not_asked':
      return expired('No provider is connected that could be asked.')
    case 'unreachable':
      return expired(`The provider cannot be asked: ${answer.error}.`)
    default:
      return answer satisfies never
  }
}
