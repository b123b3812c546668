import type { HoldTarget } from '@/lib/core/hold-target'
import { liftHold } from '@/lib/locks/holds/lift-hold'
import { listHolds } from '@/lib/locks/holds/list-holds'
import { placeHold } from '@/lib/locks/holds/place-hold'
import { settleHolds } from '@/lib/locks/holds/settle-holds'
import type { Account } from '../environment/accounts'
import type { HoldsRead } from '../environment/strands'
import type { Pace } from '../scripts/script'
import { CALLER, ROUTE, SCOPE, STEP } from './service'
import type { World } from './world'

export type HoldMove =
  | ({ do: 'hold'; kind: HoldTarget['kind']; key: number; seconds: number; by: Account } & Pace)
  | ({ do: 'lift'; nth: number; by: Account } & Pace)
  /** The job that finds out what became of a hold whose answer was lost. */
  | ({ do: 'settle_holds' } & Pace)

/** A handler, or its effect, begins: with what its process has read of the holds by then. */
export type Beginning = {
  what: 'execution' | 'effect'
  /** null = unkeyed. */
  key: string | null
  process: string
  atMs: number
  read: HoldsRead
}
/** A request was answered. */
export type Answered = {
  key: string | null
  fromMs: number
  toMs: number
  held: boolean
  executed: boolean
  /** It had been answered with a result before. */
  wasDone: boolean
  read: HoldsRead
}

/** As the store has, or had, it. `goneMs`: a fail-over lost it. */
export type SeenHold = {
  id: string
  target: HoldTarget
  placedMs: number
  endsMs: number
  liftedMs: number | null
  goneMs: number | null
}

/** What holds are judged by: what began and was answered since the last look, and every hold there ever was. */
export class HoldWatch {
  readonly holds = new Map<string, SeenHold>()
  begun: Beginning[] = []
  answered: Answered[] = []
}

export async function performHold(world: World, move: HoldMove): Promise<void> {
  const source = world.env.sources.store
  switch (move.do) {
    case 'hold': {
      const target = targetOf(world, move)
      return world.run(`${move.by} holds`, world.console, move, async () => {
        const ctx = world.as(move.by)
        const endsAt = new Date(ctx.clock.now().getTime() + move.seconds * 1000).toISOString()
        const hold = await placeHold(ctx, { source, target, reason: 'customers are charged twice', endsAt })
        world.notes.push(`${move.by} holds ${hold.what}`)
      })
    }
    case 'lift':
      return world.run(`${move.by} lifts`, world.console, move, async () => {
        const ctx = world.as(move.by)
        const { items } = await listHolds(ctx, { inForce: true }, { limit: 10 })
        const hold = items[move.nth % Math.max(1, items.length)]
        if (hold === undefined) return
        const lifted = await liftHold(ctx, { source, id: hold.id, reason: 'the provider is mended' })
        world.notes.push(`${move.by} lifted ${lifted.what}`)
      })
    case 'settle_holds':
      return world.run('settle holds', world.console, move, async () => {
        const { settled } = await settleHolds({ ...world.env.system })
        world.notes.push(`${settled} holds settled`)
      })
    default:
      return move satisfies never
  }
}

function targetOf(world: World, { kind, key }: Extract<HoldMove, { do: 'hold' }>): HoldTarget {
  switch (kind) {
    case 'route':
      return { kind, route: `POST ${ROUTE}` }
    case 'caller':
      return { kind, caller: CALLER }
    case 'step':
      return { kind, step: STEP, route: null }
    case 'key':
      return { kind, scope: SCOPE, key: world.keyName(key) }
    case 'store':
      return { kind }
    default:
      return kind satisfies never
  }
}
