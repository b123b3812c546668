import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { StagedObject } from '@/lib/mirror/object'
import { markTerminal, type TerminalMark } from '@/lib/telemetry/ingest/keys/mark-terminal'
import { type EffectObservation, observeEffects } from '@/lib/telemetry/ingest/keys/observe-effects'

/** Tells telemetry which effects the stores and providers know, and which keys reached their end. */
export async function observe(
  ctx: SystemContext,
  objects: readonly StagedObject[],
  effectNames: { charge: string; refund: string } | null,
): Promise<void> {
  const effects = objects.flatMap((object) =>
    object.side === 'provider' && effectNames !== null
      ? providerEffects(object, effectNames)
      : object.side === 'intent'
        ? storedEffects(object)
        : [],
  )
  if (effects.length > 0) await observeEffects(ctx.db, ctx.clock, effects)
  const marks = objects.flatMap(terminalMark)
  if (marks.length > 0) await markTerminal(ctx.db, marks)
}

const PROVIDER_OUTCOME: Record<string, EffectObservation['outcome']> = {
  succeeded: 'committed',
  failed: 'failed',
}

function providerEffects(
  object: StagedObject,
  names: { charge: string; refund: string },
): EffectObservation[] {
  const { scope, keyHash, step } = object
  const outcome = PROVIDER_OUTCOME[object.status]
  if (outcome === undefined || scope === null || keyHash === null || step === null) return []
  // Our own corrections are no effects of the key.
  if (object.actionId !== null || (object.kind !== 'charge' && object.kind !== 'refund')) return []
  return [
    {
      name: names[object.kind],
      step,
      scope,
      keyHash,
      effectId: object.objectId,
      at: object.occurredAt,
      amount: money(object.amountMinor, object.currency),
      outcome,
      observer: 'provider',
    },
  ]
}

const stored = z.array(
  z.object({
    name: z.string(),
    step: z.string(),
    state: z.enum(['begun', 'committed', 'failed', 'unknown']),
    reference: z.string().nullable(),
    amountMinor: z.bigint().nullable(),
    currency: z.string().nullable(),
    begunAt: z.date(),
    settledAt: z.date().nullable(),
  }),
)

/** Only settled effects that name what they made: the rest is not known yet. */
function storedEffects(object: StagedObject): EffectObservation[] {
  const { scope, keyHash } = object
  if (scope === null || keyHash === null) return []
  return stored.parse(object.data.effects).flatMap((effect): EffectObservation[] => {
    if (effect.reference === null || (effect.state !== 'committed' && effect.state !== 'failed')) return []
    return [
      {
        name: effect.name,
        step: effect.step,
        scope,
        keyHash,
        effectId: effect.reference,
        at: effect.settledAt ?? effect.begunAt,
        amount: money(effect.amountMinor, effect.currency),
        outcome: effect.state,
        observer: 'store',
      },
    ]
  })
}

function terminalMark(object: StagedObject): TerminalMark[] {
  const terminal =
    object.side === 'intent' && (object.status === 'completed' || object.status === 'failed_final')
  if (!terminal || object.scope === null || object.keyHash === null) return []
  const completedAt = z.date().parse(object.data.completedAt)
  return [{ scope: object.scope, keyHash: object.keyHash, at: completedAt, expiresAt: object.expiresAt }]
}

const money = (minor: bigint | null, currency: string | null): EffectObservation['amount'] =>
  minor === null || currency === null ? null : { minor, currency }
