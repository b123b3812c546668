import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'

const count = z.number().default(0)
const systemSchema = z.object({
  system: z.string(),
  asOf: z.string(),
  incomplete: z.boolean(),
  failures: z.array(z.object({ name: z.string(), message: z.string() })).default([]),
  read: count,
  unreadable: z
    .object({ count: z.number(), examples: z.array(z.object({ id: z.string(), reason: z.string() })) })
    .default({ count: 0, examples: [] }),
  compared: count,
  matched: count,
  nothingCompared: z.string().nullable().default(null),
  pending: count,
  breaks: count,
  warnings: count,
  byClass: z.record(z.string(), z.object({ pending: z.number(), breaks: z.number() })).default({}),
  atRisk: z.record(z.string(), z.string()).default({}),
  openBefore: z.number().optional(),
  opened: z.number().optional(),
  reopened: z.number().optional(),
  resolved: z.number().optional(),
  open: z.number().optional(),
  flooded: z.boolean().optional(),
  floods: z.array(z.object({ class: z.string(), wouldOpen: z.number(), room: z.number() })).default([]),
})
export type SystemResult = z.infer<typeof systemSchema>

/** What a run found, system by system; none = it has not come so far. */
export function systemResults(counts: unknown): SystemResult[] {
  if (counts === null || typeof counts !== 'object') return []
  return Object.values(counts).flatMap((each) => {
    const parsed = systemSchema.safeParse(each)
    return parsed.success ? [parsed.data] : []
  })
}

export type RunTotals = {
  /** Gross: all that was compared. */
  gross: number
  matched: number
  pending: number
  breaks: number
  warnings: number
  /** Net: what does not agree, whatever its weight. */
  net: number
  read: number
  atRisk: MoneyJson[]
}

export function runTotals(results: readonly SystemResult[]): RunTotals {
  const sum = (pick: (result: SystemResult) => number) =>
    results.reduce((total, each) => total + pick(each), 0)
  const [pending, breaks, warnings] = [sum((r) => r.pending), sum((r) => r.breaks), sum((r) => r.warnings)]
  const money = new Map<string, bigint>()
  for (const { atRisk } of results)
    for (const [currency, minor] of Object.entries(atRisk))
      money.set(currency, (money.get(currency) ?? 0n) + BigInt(minor))
  return {
    gross: sum((r) => r.compared),
    matched: sum((r) => r.matched),
    pending,
    breaks,
    warnings,
    net: pending + breaks + warnings,
    read: sum((r) => r.read),
    atRisk: [...money].sort().map(([currency, minor]) => ({ minor: minor.toString(), currency })),
  }
}
