import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { createProviderAsker } from '@/lib/locks/assess/ask-provider'
import { type KeySettings, keySettings } from '@/lib/locks/settings'
import { readScopeFacts, type ScopeFacts } from '@/lib/mirror/read/scope-facts'
import { readSeenBefore } from '@/lib/mirror/read/was-seen'
import {
  type IntentSource,
  type MessageRow,
  type MessageSource,
  SourceUnavailableError,
} from '@/lib/sources/contracts'
import { type OpenSource, openIntentSource } from '@/lib/sources/registry'
import { answerOf, type ConsumerAnswer, type Said } from './consumer-answer'
import { consumersOf, type TopicConsumer } from './consumers-of'
import { isOver } from './decide'
import { heldBy } from './held-by'
import { readKeptMs } from './kept-ms'
import { movesMoney, proveAbsent } from './prove-absent'
import { publishedAtOf } from './published-at'

type Asked = Pick<MessageRow, 'id' | 'topic' | 'publishedAt' | 'group'>
type Route = { facts: ScopeFacts; keptMs: number | null; held: string | null }

export type ConsumerAsker = ReturnType<typeof createConsumerAsker>

/**
 * Asks the consumers of messages what they have a record of, each from its own store now. What is the same for all messages of a
 * topic is read once by one asker: make one for each look.
 */
export function createConsumerAsker(ctx: SystemContext, settings: KeySettings = keySettings()) {
  const topics = new Map<string, Promise<TopicConsumer[]>>()
  const routes = new Map<string, Promise<Route>>()
  const providers = new Map<string, ReturnType<typeof createProviderAsker>>()

  async function ask(source: Pick<MessageSource, 'consumers'>, message: Asked): Promise<ConsumerAnswer[]> {
    const named = once(topics, JSON.stringify([message.topic, source.consumers]), () =>
      consumersOf(ctx.db, source, message.topic),
    )
    const consumers = (await named).filter(({ group }) => (message.group ?? group) === group)
    return Promise.all(consumers.map((consumer) => askOne(consumer, message)))
  }

  async function askOne(consumer: TopicConsumer, message: Asked): Promise<ConsumerAnswer> {
    const { group, store, sourceId, scope, named } = consumer
    const about = { group, store, sourceId, scope, named }
    const notKnown = (text: string): ConsumerAnswer => ({
      ...{ ...about, movesMoney: false, state: 'not_known', text },
    })
    if (sourceId === null) return notKnown(`There is no source ${store}, which should have its records.`)
    if (message.id === null) return notKnown('The message has no id, by which its record could be found.')
    try {
      const open = await openIntentSource(ctx, sourceId)
      const route = await once(routes, JSON.stringify(consumer), () => readRoute(open, consumer))
      const said = await askStore(open, route, scope, { ...message, id: message.id })
      return { ...about, movesMoney: movesMoney(route.facts), ...said }
    } catch (error) {
      if (!(error instanceof SourceUnavailableError || error instanceof AppError)) throw error
      return notKnown(`Its store cannot be read: ${error.message}`)
    }
  }

  async function readRoute(
    { id, source }: OpenSource<IntentSource>,
    { scope, recordsKeptMs }: TopicConsumer,
  ): Promise<Route> {
    const facts = await readScopeFacts(ctx.db, id, scope)
    const [keptMs, held] = await Promise.all([
      readKeptMs(ctx.db, { id, source }, facts, recordsKeptMs),
      heldBy(source, scope),
    ])
    return { facts, keptMs, held }
  }

  async function askStore(
    { id: sourceId, system, source }: OpenSource<IntentSource>,
    { facts, keptMs, held }: Route,
    scope: string,
    message: Asked & { id: string },
  ): Promise<Said> {
    const key = message.id
    const publishedAt = publishedAtOf(message)
    // The mirror before the store: what is collected in between was seen by then.
    const seenBefore = await readSeenBefore(ctx.db, { sourceId, scope, key })
    const reading = await source.readKey(scope, key)
    const { capabilities } = source
    const { skewMs } = settings
    const said = answerOf({ reading, capabilities, publishedAt, keptMs, seenBefore, skewMs })
    if (isOver(said)) return said
    if (held !== null)
      return { state: 'held', text: `Its executions are held (${held}): lift the hold first.` }
    // Only age is what a provider can answer for: a store that loses records, or a key that was begun, has no last moment.
    const isOld = said.state === 'expired' && seenBefore === null && capabilities.durability?.kept !== false
    if (!isOld || publishedAt === null || keptMs === null) return said
    if (publishedAt.getTime() > reading.now.getTime()) return said
    const asker = providers.get(system) ?? createProviderAsker(ctx, system, settings)
    providers.set(system, asker)
    return proveAbsent({ asker, scope, key, publishedAt, keptMs, storeNow: reading.now, facts })
  }

  return { ask }
}

function once<T>(kept: Map<string, Promise<T>>, name: string, read: () => Promise<T>): Promise<T> {
  const found = kept.get(name) ?? read()
  kept.set(name, found)
  return found
}
