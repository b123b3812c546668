import type { Db } from '@/lib/db'
import { readScopesEnding } from '@/lib/mirror/read/scope-facts'
import type { MessageConsumer, MessageSource } from '@/lib/sources/contracts'

export type TopicConsumer = Pick<MessageConsumer, 'group' | 'recordsKeptMs' | 'redeliveryHorizonMs'> & {
  scope: string
  store: string
  sourceId: string | null
  named: boolean
}

/** Those that the source names; of a topic of which it names none, those whose records the console has seen. */
export async function consumersOf(
  db: Db,
  { consumers }: Pick<MessageSource, 'consumers'>,
  topic: string,
): Promise<TopicConsumer[]> {
  const named = consumers.filter((consumer) => consumer.topic === topic)
  const stores = await db.prisma.source.findMany({
    where: { kind: 'intent' },
    select: { id: true, name: true },
  })
  if (named.length > 0)
    return named.map(({ topic: _, ...consumer }) => ({
      ...consumer,
      named: true,
      scope: `${consumer.group}/CONSUME ${topic}`,
      sourceId: stores.find(({ name }) => name === consumer.store)?.id ?? null,
    }))
  const seen = await readScopesEnding(db, `/CONSUME ${topic}`)
  return seen.flatMap(({ scope, sourceId }) => {
    const store = stores.find(({ id }) => id === sourceId)
    const group = scope.slice(0, -`/CONSUME ${topic}`.length)
    // A slash is in no group: the topic of another scope only ends like this one.
    if (store === undefined || group.includes('/')) return []
    return [{ group, store: store.name, named: false, scope, sourceId }]
  })
}
