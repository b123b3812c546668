import type { SystemContext } from '@/lib/context'
import { type MoneyJson, moneyToJson } from '@/lib/core/money'
import { env } from '@/lib/env'
import type { EffectState } from '@/lib/sources/contracts'
import { keyHash } from '@/lib/sources/key-hash'
import { type KeyEffect, listKeyEffects } from '@/lib/telemetry/read/effects/key-effects'
import type { KeyDetail } from './get-key'

const EFFECTS_SHOWN = 100

/** The effects of a key that spans, store and provider told of. */
export async function readKeyEffects(ctx: SystemContext, scope: string, key: string): Promise<KeyEffect[]> {
  const secret = env().IDEMSCOPE_KEY_SECRET
  if (secret === undefined) return []
  return listKeyEffects(ctx.db, { scope, keyHash: keyHash(secret, key), limit: EFFECTS_SHOWN })
}

export type EffectLine = {
  step: string
  name: string
  /** Of a step that the store recorded. */
  stored: EffectState | null
  duplicate: boolean
  outcome: string
  reference: string | null
  amount: MoneyJson | null
  begunAt: string
  seenBy: string
}

/** The steps that the store recorded, then the effects that spans and the provider add to them. */
export function effectLines({ effects: stored }: KeyDetail, seen: readonly KeyEffect[]): EffectLine[] {
  const known = new Set(stored.map(({ reference }) => reference).filter((id) => id !== null))
  const beside = seen.filter(({ effectId, step }) =>
    effectId === '' ? !stored.some((each) => each.step === step) : !known.has(effectId),
  )
  return [
    ...stored.map(({ step, name, state, reference, amount, begunAt, providerKeyed }) => ({
      ...{ step, name, reference, amount, begunAt },
      ...{ stored: state, duplicate: false, outcome: state },
      seenBy: `store${providerKeyed ? ', provider keyed' : ''}`,
    })),
    ...beside.map(({ step, name, duplicate, outcome, effectId, amount, time, seenBy }) => ({
      ...{ step, name, duplicate, outcome },
      stored: null,
      reference: effectId === '' ? null : effectId,
      amount: amount === null ? null : moneyToJson(amount),
      begunAt: time.toISOString(),
      seenBy: seenBy.join(', '),
    })),
  ]
}
