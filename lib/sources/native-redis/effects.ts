import { z } from 'zod'
import { providerKeyOf, type StoredStep } from '@/sdk/stores/redis/layout'
import { STEP_STATES } from '@/sdk/stores/state-letters'
import type { SettledEffect, StoredEffect } from '../contracts'
import { dateOf } from './stamps'

const micros = z.string().regex(/^\d{1,16}$/)

const stepSchema = z.object({
  step: z.string(),
  name: z.string(),
  kind: z.string(),
  state: z.enum(['B', 'C', 'F', 'U']),
  begunAt: micros,
  settledAt: micros.optional(),
  reference: z.string().optional(),
  amountMinor: z.string().optional(),
  currency: z.string().optional(),
  result: z.string().optional(),
  fence: z.string().default(''),
  failures: z.number().default(0),
  inDoubt: z.literal(true).optional(),
  providerKey: z.string().optional(),
  keyNumber: z.number().optional(),
  nonce: z.string().optional(),
  end: z.string().optional(),
})

// What is absent in JSON is absent here: none of these is undefined.
export const parseStep = (json: string): StoredStep => stepSchema.parse(JSON.parse(json)) as StoredStep

/** What a record keeps of its steps. */
export const parseEffects = (json: string): StoredEffect[] =>
  json === '' ? [] : (z.array(stepSchema).parse(JSON.parse(json)) as StoredStep[]).map(toEffect)

/** Oldest first, without checkpoints. */
export const toEffects = (steps: readonly StoredStep[]): StoredEffect[] =>
  effectSteps(steps).map((step) => ({
    ...toEffect(step),
    // A step that failed after an attempt whose end nobody knows may have happened all the same.
    ...(step.state === 'F' && step.inDoubt ? { state: 'unknown' as const } : {}),
  }))

const effectSteps = (steps: readonly StoredStep[]): StoredStep[] =>
  steps.filter(({ kind }) => kind !== 'checkpoint').sort((a, b) => Number(a.begunAt) - Number(b.begunAt))

const toEffect = (step: StoredStep): StoredEffect => ({
  step: step.step,
  name: step.name,
  kind: step.kind,
  state: STEP_STATES[step.state],
  providerKey: providerKeyOf(step),
  reference: step.reference ?? null,
  amountMinor: step.amountMinor === undefined ? null : BigInt(step.amountMinor),
  currency: step.currency?.toUpperCase() ?? null,
  begunAt: dateOf(step.begunAt),
  settledAt: step.settledAt === undefined ? null : dateOf(step.settledAt),
  result: step.result === undefined ? null : JSON.parse(step.result),
})

/** The list that a record keeps, as the SDK's own completion writes it; what the provider said of a step comes first. */
export function writeEffects(
  steps: readonly StoredStep[],
  settled: readonly SettledEffect[],
  nowMicros: string,
): string {
  const kept = effectSteps(steps).map((step) => {
    const { result: _r, fence: _f, failures: _n, inDoubt: _d, nonce: _a, end: _e, ...rest } = step
    const said = settled.find((each) => each.step === step.step)
    if (said === undefined) return rest
    return {
      ...rest,
      state: 'C',
      settledAt: nowMicros,
      reference: said.reference,
      amountMinor: said.amountMinor?.toString() ?? step.amountMinor,
      currency: said.currency ?? step.currency,
    }
  })
  return kept.length === 0 ? '' : JSON.stringify(kept)
}
