import type { Json } from '../../effects/json'
import type { EffectBeginning, EffectBegun, EffectEnd, Holder } from '../store'
import type { StoreDatabase } from './database'

export type BegunRow = {
  kind: EffectBegun['kind']
  provider_key: string | null
  reference: string | null
  amount_minor: string | null
  currency: string | null
  result: Json
}

export async function beginEffect(
  db: StoreDatabase,
  holder: Holder,
  effect: EffectBeginning,
): Promise<EffectBegun> {
  const row = await db.callOne<BegunRow>('idem_start_effect', [
    holder.scope,
    holder.key,
    holder.fence,
    effect.step,
    effect.name,
    effect.kind,
    effect.providerKey,
    effect.leaseMs,
  ])
  return toBegun(row)
}

export function toBegun(row: BegunRow): EffectBegun {
  if (row.kind === 'begun') return { kind: 'begun', providerKey: row.provider_key }
  if (row.kind !== 'committed') return { kind: row.kind }
  const { reference, currency, result } = row
  return {
    kind: 'committed',
    reference,
    currency,
    result,
    amountMinor: row.amount_minor === null ? null : BigInt(row.amount_minor),
  }
}

const STATE_LETTERS = { committed: 'C', failed: 'F', unknown: 'U', not_called: 'N' } as const

export async function settleEffect(
  db: StoreDatabase,
  holder: Holder,
  step: string,
  end: EffectEnd,
): Promise<boolean> {
  const done = end.state === 'committed' ? end : null
  const row = await db.callOne<{ idem_settle_effect: boolean }>('idem_settle_effect', [
    holder.scope,
    holder.key,
    holder.fence,
    step,
    STATE_LETTERS[end.state],
    done?.reference ?? null,
    done?.amountMinor ?? null,
    done?.currency ?? null,
    done === null ? null : JSON.stringify(done.result),
  ])
  return row.idem_settle_effect
}

export async function saveCheckpoint(
  db: StoreDatabase,
  holder: Holder,
  name: string,
  data: Json,
): Promise<boolean> {
  const values = [holder.scope, holder.key, holder.fence, name, JSON.stringify(data)]
  return (await db.callOne<{ idem_checkpoint: boolean }>('idem_checkpoint', values)).idem_checkpoint
}
