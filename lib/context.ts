import type { Actor } from './core/actor'
import type { Clock } from './core/clock'
import type { Db } from './db'
import type { Log } from './log'
import type { Queue } from './queue'

/** What a read or a system job needs. */
export type SystemContext = { db: Db; clock: Clock; log: Log; queue: Queue }

/** What a verb needs: the same, and who acts, in which request. */
export type Context = SystemContext & { actor: Actor; requestId: string }
