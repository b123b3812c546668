import { z } from 'zod'
import type { ConditionKind } from '@/lib/core/condition-kinds'
import { plural } from '@/lib/core/format-figure'
import { formatMoneyList, type MoneyJson } from '@/lib/core/money'
import { moneyJsonSchema } from '@/lib/core/money-json'

/** Conditions that are so many of one thing, one alert for all of them: what each is. */
const GROUPS = {
  window_closing: ['key or correction', 'keys or corrections', 'to settle before the provider forgets'],
  stuck_keys: ['key', 'keys', 'stuck'],
  p1_cases: ['P1 case', 'P1 cases', 'open'],
  orphaned_effects: ['side effect', 'side effects', 'without a record that answers'],
  queue_stuck: ['run', 'runs', 'waiting for a worker'],
  audit_unsealed: ['audit entry', 'audit entries', 'not sealed'],
  unknown_outcomes: ['action', 'actions', 'whose end nobody knows'],
  approvals_waiting: ['proposal', 'proposals', 'waiting for a second person'],
  suspected_duplicates: ['suspected duplicate', 'suspected duplicates', 'open'],
} as const satisfies Partial<Record<ConditionKind, readonly [one: string, many: string, what: string]>>
export type GroupKind = keyof typeof GROUPS

export const isGroup = (kind: ConditionKind): kind is GroupKind => kind in GROUPS

/** One of the group, and the console's page on which it is. */
export type Example = { label: string; path: string }

/** What a grouped condition says: how many, since when, the money behind them, and some of them by name. */
export type Group = {
  count: number
  oldestAt: string | null
  money: MoneyJson[]
  examples: Example[]
}

export const EXAMPLES_MAX = 5

const groupSchema = z.object({
  count: z.number(),
  oldestAt: z.string().nullable().default(null),
  money: z.array(moneyJsonSchema).default([]),
  system: z.string().optional(),
})

/** “12 keys stuck in payments, the oldest since 2026-…, €40.00 behind them” */
export function groupText(kind: GroupKind, detail: Record<string, unknown>): string {
  const [one, many, what] = GROUPS[kind]
  const { count, oldestAt, money, system } = groupSchema.parse(detail)
  const place = system === undefined ? '' : ` in ${system}`
  const oldest = oldestAt === null ? '' : `, the oldest since ${oldestAt}`
  const behind = money.length === 0 ? '' : `, ${formatMoneyList(money)} behind ${count === 1 ? 'it' : 'them'}`
  return `${plural(count, one, many)} ${what}${place}${oldest}${behind}`
}

const examplesSchema = z.object({ examples: z.array(z.object({ label: z.string(), path: z.string() })) })

/** None where the condition is not of many. */
export const examplesOf = (detail: Record<string, unknown>): Example[] =>
  examplesSchema.safeParse(detail).data?.examples ?? []
