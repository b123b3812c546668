import { type ExportedRows, type ExportFormat, exportRows, withOffset } from '@/lib/audit/export/export-rows'
import type { Context } from '@/lib/context'
import type { MoneyJson } from '@/lib/core/money'

/** An effect with the cause that it is grouped under. */
export type ExportedEffect = {
  at: string
  operation: string
  effect: string
  /** Service and version; null = no span told. */
  build: string | null
  step: string | null
  scope: string | null
  key: string | null
  effectIds: string[]
  amount: MoneyJson | null
  caseId: string | null
  traceId: string | null
}

const HEADER = [
  'at',
  'operation',
  'effect',
  'build',
  'step',
  'scope',
  'key',
  'effect_ids',
  'amount_minor',
  'currency',
  'case',
  'trace',
]

/** Effects as they were read for the page, as a file. `more`: the page had to leave some out, and so has the file. */
export const exportEffects = (
  ctx: Context,
  read: { effects: readonly ExportedEffect[]; more: boolean; filter: object },
  format: ExportFormat,
): Promise<ExportedRows> =>
  exportRows(
    ctx,
    { name: 'effects', header: HEADER, line },
    { format, filter: read.filter, leftOut: read.more },
    async () => ({ items: [...read.effects], next: null }),
  )

const line = (effect: ExportedEffect) => [
  withOffset(effect.at),
  effect.operation,
  effect.effect,
  effect.build,
  effect.step,
  effect.scope,
  effect.key,
  effect.effectIds.join(' '),
  effect.amount?.minor ?? null,
  effect.amount?.currency ?? null,
  effect.caseId,
  effect.traceId,
]
