import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { readScopeFacts } from '@/lib/mirror/read/scope-facts'
import { type MessageSample, type MessageSource, SourceUnavailableError } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import { consumersOf } from './consumers-of'
import { readScopeKeptMs } from './kept-ms'

/** A consumer whose records end before its broker stops delivering again: what comes in between is applied once more. */
export const shortConsumersSchema = z.array(
  z.object({ group: z.string(), topic: z.string(), keptMs: z.number(), horizonMs: z.number() }),
)
export type ShortConsumer = z.infer<typeof shortConsumersSchema>[number]

type Sampled = Pick<MessageSample, 'redeliveryHorizonMs'> & {
  topics: Pick<MessageSample['topics'][number], 'topic'>[]
}

/** Compares retention and horizon where both are known. Of a store that cannot be read now the last answer stands. */
export async function readShortConsumers(
  ctx: SystemContext,
  source: Pick<MessageSource, 'consumers'>,
  { topics, redeliveryHorizonMs }: Sampled,
  last: () => Promise<readonly ShortConsumer[]>,
): Promise<ShortConsumer[]> {
  if (
    redeliveryHorizonMs === null &&
    source.consumers.every((each) => each.redeliveryHorizonMs === undefined)
  )
    return []
  const all = new Set([...topics, ...source.consumers].map(({ topic }) => topic))
  const short: ShortConsumer[] = []
  for (const topic of all) {
    for (const { group, scope, sourceId, ...named } of await consumersOf(ctx.db, source, topic)) {
      const horizonMs = named.redeliveryHorizonMs ?? redeliveryHorizonMs
      if (horizonMs === null || sourceId === null) continue
      try {
        const open = await openIntentSource(ctx, sourceId)
        const facts = await readScopeFacts(ctx.db, sourceId, scope)
        const keptMs = await readScopeKeptMs(ctx.db, open, scope, facts, named.recordsKeptMs)
        if (keptMs !== null && keptMs < horizonMs) short.push({ group, topic, keptMs, horizonMs })
      } catch (error) {
        if (!(error instanceof SourceUnavailableError || error instanceof AppError)) throw error
        short.push(...(await last()).filter((each) => each.group === group && each.topic === topic))
      }
    }
  }
  return short
}
