import type { Actor } from './core/actor'
import type { Clock } from './core/clock'
import type { Db } from './db'
import type { Log } from './log'
import type { Queue } from './queue'

/** What a read needs. */
export type ReadContext = { db: Db; clock: Clock; log: Log }

/** What a system job needs. */
export type SystemContext = ReadContext & { queue: Queue }

/** What a verb needs: the same, and who acts, in which request. */
export type Context = SystemContext & { actor: Actor; requestId: string }
