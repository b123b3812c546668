import type { SystemContext } from '@/lib/context'
import { isWithin } from '@/lib/core/clock'
import { type AnySource, SourceUnavailableError, UnreadableKeyError } from './contracts'

/** A source that answers is noted at most this often. */
const OK_EVERY_MS = 1_000
const ERROR_LENGTH_MAX = 500

/** Why a source does not answer, in its row. */
export async function noteError(
  ctx: Pick<SystemContext, 'db' | 'clock'>,
  id: string,
  message: string,
): Promise<void> {
  await ctx.db.prisma.source.updateMany({
    where: { id },
    data: { lastErrorAt: ctx.clock.now(), lastError: message.slice(0, ERROR_LENGTH_MAX) },
  })
}

/**
 * The same adapter, whose answers and failures leave their mark in the source's row: lastOkAt, lastError. Noting must
 * never break what is noted, so its own failure is only logged.
 */
export function observed<S extends AnySource>(
  ctx: Pick<SystemContext, 'db' | 'clock' | 'log'>,
  id: string,
  source: S,
): S {
  let notedOkMs = Number.NEGATIVE_INFINITY
  const failed = (error: unknown) =>
    ctx.log.warn({ err: error, source: id }, 'could not note the state of a source')

  async function noteOk(): Promise<void> {
    const now = ctx.clock.now()
    if (isWithin(OK_EVERY_MS, now.getTime(), notedOkMs)) return
    notedOkMs = now.getTime()
    const capabilities = 'capabilities' in source ? { capabilities: { ...source.capabilities } } : {}
    await ctx.db.prisma.source.updateMany({ where: { id }, data: { lastOkAt: now, ...capabilities } })
  }

  return new Proxy(source, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function' || name === 'close') return member
      return async (...values: unknown[]) => {
        try {
          const answer: unknown = await member.apply(target, values)
          await noteOk().catch(failed)
          return answer
        } catch (error) {
          // It answered: one of its rows is odd.
          if (error instanceof UnreadableKeyError) await noteOk().catch(failed)
          else if (error instanceof SourceUnavailableError) {
            notedOkMs = Number.NEGATIVE_INFINITY
            await noteError(ctx, id, error.message).catch(failed)
          }
          throw error
        }
      }
    },
  })
}
