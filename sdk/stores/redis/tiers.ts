import { IdempotencyOptionsError } from '../../errors'
import { META, SEEN_MAX } from './layout'
import { defineScript, type Run, textOf } from './script'

const REGISTER = defineScript(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {}
`)
const FIND = defineScript('#!lua flags=no-writes', `return { redis.call('HGET', KEYS[1], ARGV[1]) }`)
/** Bounded: callers may be many. Where it is full, nothing more is noted, and a hold on what is not in it is believed. */
const SEEN = defineScript(`
if redis.call('SCARD', KEYS[1]) < ${SEEN_MAX} then redis.call('SADD', KEYS[1], unpack(ARGV)) end
return {}
`)

/** Retention classes. A process knows those that it registered; others it asks for once. */
export function createTiers(run: Run) {
  const ttls = new Map<string, number>()
  return {
    async register(name: string, ttlMs: number): Promise<void> {
      const faults = [
        /^[a-z][a-z0-9_]{0,30}$/.test(name) ? [] : ['a tier is a lower-case name of up to 31 characters'],
        Number.isSafeInteger(ttlMs) && ttlMs >= 1_000 ? [] : ['a TTL is a whole number of ms from 1000'],
      ].flat()
      if (faults.length > 0) throw new IdempotencyOptionsError(faults)
      await run(REGISTER, [META.tiers], [name, String(ttlMs)])
      ttls.set(name, ttlMs)
    },
    async ttlMs(name: string): Promise<number> {
      const known = ttls.get(name)
      if (known !== undefined) return known
      const [found] = await run(FIND, [META.tiers], [name])
      if (found === null || found === undefined)
        throw new Error(`idempotency tier ${name} is not registered: call registerTier first`)
      ttls.set(name, Number(textOf(found)))
      return Number(textOf(found))
    },
  }
}

/** Bounds what a process remembers; forgetting costs one command more a scope. */
const SCOPES_MAX = 10_000

/** Notes routes, callers and scopes that are used, so that a hold on a misspelt one is refused. */
export function createSeenScopes(run: Run): (scope: string) => Promise<void> {
  const seen = new Set<string>()
  return async (scope) => {
    if (seen.has(scope)) return
    if (seen.size >= SCOPES_MAX) seen.clear()
    seen.add(scope)
    const slash = scope.indexOf('/')
    const names = [`scope\n${scope}`, `caller\n${scope.slice(0, slash)}`, `route\n${scope.slice(slash + 1)}`]
    try {
      await run(SEEN, [META.seen], names)
    } catch {
      // No request fails for it: the next one of this scope notes it.
      seen.delete(scope)
    }
  }
}
