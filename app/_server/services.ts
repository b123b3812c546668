import { type Auth, createAuth } from '@/lib/access/auth'
import { createTokenVerifier } from '@/lib/access/tokens'
import type { SystemContext } from '@/lib/context'
import { type Clock, systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { closeDatabase, type Db, openDatabase } from '@/lib/db'
import { type Env, env } from '@/lib/env'
import { createLog, type Log } from '@/lib/log'
import { createQueue, type Queue } from '@/lib/queue'
import { closeSources } from '@/lib/sources/registry'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { authOptions } from './auth'
import { createLiveFeed, type LiveFeed } from './live-feed'
import { createRateLimit } from './mcp/rate-limit'

/** Made by the supervisor at start; see jobs/supervisor/console.ts. */
const OWN_STORE_SCHEMA = 'idem'
const OWN_STORE_TIER = 'console'
const OWN_STORE_TTL_MS = 86_400_000

/** What one web process opens, once: pages, route handlers and streams share it. */
export type Services = SystemContext & {
  /** Names this process as a holder and in its heartbeat. */
  id: string
  startedAt: Date
  settings: Env
  auth: Auth
  verifyToken: ReturnType<typeof createTokenVerifier>
  live: LiveFeed
  /** Takes one request of a token to /api/mcp; throws `rate_limited`. */
  takeMcpRequest: ReturnType<typeof createRateLimit>
  /** The SDK used on ourselves: the console's mutations act once for each Idempotency-Key. */
  ownStore(): Promise<{ store: PostgresStore; tier: string }>
  /** Ends the streams and lets all connections go. */
  close(): Promise<void>
}

// Next bundles pages, routes and instrumentation apart, so a module variable would exist several times in one process.
const SLOT = Symbol.for('idemscope.services')
const slot = globalThis as { [SLOT]?: Services }

/** This process's services, opened at their first use. Throws `invalid` when a setting is missing. */
export function services(): Services {
  slot[SLOT] ??= openServices(env())
  return slot[SLOT]
}

/** For tests: handlers are called directly, on a database and a clock of their own. */
export function installServices(given: Given): Services {
  slot[SLOT] = buildServices(given)
  return slot[SLOT]
}

function openServices(settings: Env): Services {
  const url = settings.DATABASE_URL
  if (url === undefined)
    throw new AppError('invalid', 'DATABASE_URL is not set: the console needs its database.')
  return buildServices({
    settings,
    db: openDatabase(url, settings.IDEMSCOPE_POOL_MAX),
    clock: systemClock,
    log: createLog('web', settings.IDEMSCOPE_LOG_LEVEL),
    queue: createQueue(url, { worker: false }),
  })
}

type Given = { settings: Env; db: Db; clock: Clock; log: Log; queue: Queue }

function buildServices(given: Given): Services {
  const { settings, db, clock, log } = given
  const store = createPostgresStore({
    pool: db.pool,
    schema: OWN_STORE_SCHEMA,
    onPartitionError: (error) =>
      log.warn({ err: error }, 'no partitions could be made ahead in the console’s own store'),
  })
  const registered = once(() => store.registerTier(OWN_STORE_TIER, OWN_STORE_TTL_MS))
  const live = createLiveFeed(db.url, log)
  const queue = startedOnUse(given.queue, log)
  return {
    ...given,
    queue,
    id: newId('prc'),
    startedAt: clock.now(),
    auth: createAuth({ db, clock, ...authOptions(settings) }),
    verifyToken: createTokenVerifier(db, clock),
    live,
    takeMcpRequest: createRateLimit(clock),
    async ownStore() {
      await registered()
      return { store, tier: OWN_STORE_TIER }
    },
    async close() {
      store.close()
      await Promise.all([live.close(), queue.boss.stop({ graceful: false }), closeSources()])
      await closeDatabase(db)
    },
  }
}

/** The worker makes the queue's tables and may come up later than this process: connect at the first enqueue. */
function startedOnUse(queue: Queue, log: Log): Queue {
  queue.boss.on('error', (error) => log.warn({ err: error }, 'queue error'))
  const start = once(() => queue.boss.start())
  return {
    boss: queue.boss,
    async enqueueRun(tx, kind, payload) {
      try {
        await start()
      } catch (cause) {
        throw new AppError('unavailable', 'The job queue is not ready yet: is a worker running?', { cause })
      }
      await queue.enqueueRun(tx, kind, payload)
    },
  }
}

/** Does it once; a failure is forgotten, so that the next caller tries again. */
function once(work: () => Promise<unknown>): () => Promise<unknown> {
  let doing: Promise<unknown> | undefined
  return () => {
    doing ??= work().catch((error: unknown) => {
      doing = undefined
      throw error
    })
    return doing
  }
}
