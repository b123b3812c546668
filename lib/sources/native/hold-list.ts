import { type HoldKind, type HoldTarget, holdTargetSchema } from '@/lib/core/hold-target'
import type { HoldTarget as SdkHoldTarget } from '@/sdk/stores/hold-placing'
import type { HoldList, StoreHold } from '../contracts'

/** Of a store that keeps all its holds in one place, which is bounded: the newest first. */
export function listedHolds(all: readonly StoreHold[], { inForce, after, limit }: HoldList): StoreHold[] {
  const placeOf = ({ placedAtText, id }: Pick<StoreHold, 'placedAtText' | 'id'>) => `${placedAtText} ${id}`
  return all
    .filter((hold) => inForce === null || hold.inForce === inForce)
    .filter((hold) => after === null || placeOf(hold) < placeOf(after))
    .sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1))
    .slice(0, limit)
}

/** The SDK leaves out what does not apply. */
export function toSdkTarget(target: HoldTarget): SdkHoldTarget {
  if (target.kind !== 'step') return target
  const { kind, step, route } = target
  return route === null ? { kind, step } : { kind, step, route }
}

/** µs of the epoch as PostgreSQL prints it in UTC: holds of several stores are sorted by it, and paged by it. */
export function placedAtTextOf(micros: string): string {
  const ms = Math.floor(Number(micros) / 1_000)
  const [date = '', time = ''] = new Date(ms).toISOString().slice(0, -5).split('T')
  const fraction = micros.slice(-6).padStart(6, '0').replace(/0+$/, '')
  return `${date} ${time}${fraction === '' ? '' : `.${fraction}`}+00`
}

type Named = Partial<Record<'route' | 'caller' | 'step' | 'scope' | 'key', string | null | undefined>>

/** What a stored hold is on. */
export function holdTargetOf(kind: HoldKind, { route, caller, step, scope, key }: Named): HoldTarget {
  const named = {
    store: {},
    route: { route },
    caller: { caller },
    step: { step, route: route ?? null },
    key: { scope, key },
  }
  return holdTargetSchema.parse({ kind, ...named[kind] })
}
