import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { CaseClass } from '@/lib/core/case-classes'
import type { MoneyJson } from '@/lib/core/money'
import { decodeCursor, encodeCursor, type Page, type PageInput } from '@/lib/core/pages'
import {
  type EffectCursor,
  listEffects as listSuspects,
  type SuspectedEffect,
} from '@/lib/telemetry/read/effects/effects'
import { EFFECT_DAYS } from '@/lib/telemetry/retention'
import { type ConfirmedEffect, confirmedIds, listConfirmed } from './confirmed'
import { describeEffects, type EffectFacts } from './effect-facts'

export type EffectKind = 'duplicate' | 'orphan'

/** The classes that confirm a suspicion, once store and provider were compared. */
export const CONFIRMING = {
  duplicate: ['duplicate_same_key', 'expired_key_retry', 'duplicate_semantic'],
  orphan: ['stuck_effect_done', 'orphan_effect'],
} as const satisfies Record<EffectKind, readonly CaseClass[]>

export type EffectView = {
  id: string
  kind: EffectKind
  name: string
  step: string
  scope: string | null
  /** Null while only its hash was seen. */
  key: string | null
  effectIds: string[]
  traceIds: string[]
  amount: MoneyJson | null
  /** `suspected` by traces, `confirmed` by store and provider. */
  outcome: 'suspected' | 'confirmed'
  caseId: string | null
  class: string | null
  at: string
}

const DAY_MS = 86_400_000
/** Suspicions that a case confirms are left out, so a page may need more than one reading of them. */
const ROUNDS_MAX = 10

type Position = { at: Date; id: string } | null
type Entry = { at: Date; id: string } & (
  | { from: 'case'; case: ConfirmedEffect }
  | { from: 'span'; suspect: SuspectedEffect }
)

const position = z.tuple([z.iso.datetime(), z.string()]).nullable()
const cursorShape = z.tuple([position, position])

/**
 * Effects that happened twice, or that no record answers for: what reconciliation confirmed, and what traces alone
 * suspect. Newest first. A suspicion that was refuted (the key ended after all) is not listed.
 */
export async function listEffects(
  ctx: SystemContext,
  query: { kind: EffectKind },
  page: PageInput,
): Promise<Page<EffectView>> {
  const [caseAfter, spanAfter] =
    page.cursor === undefined ? [null, null] : decodeCursor(page.cursor, cursorShape)
  const wanted = page.limit + 1
  const cases = await listConfirmed(ctx.db, CONFIRMING[query.kind], {
    limit: wanted,
    after: toPosition(caseAfter),
  })
  const suspects = await readSuspects(ctx, query.kind, wanted, toPosition(spanAfter))
  const merged: Entry[] = [
    ...cases.map((row): Entry => ({ at: row.at, id: row.id, from: 'case', case: row })),
    ...suspects.map((row): Entry => ({ at: row.time, id: tieOf(row), from: 'span', suspect: row })),
  ].sort(newestFirst)

  const items = merged.slice(0, page.limit)
  const next =
    merged.length > page.limit
      ? encodeCursorOf([lastOf(items, 'case') ?? caseAfter, lastOf(items, 'span') ?? spanAfter])
      : null
  const facts = await describeEffects(ctx, items.map(subjectOf))
  return { items: items.map((entry, index) => toView(query.kind, entry, facts[index] ?? NO_FACTS)), next }
}

const NO_FACTS: EffectFacts = { key: null, name: null, step: null, effectIds: [], traceIds: [] }

async function readSuspects(
  ctx: SystemContext,
  kind: EffectKind,
  wanted: number,
  after: Position,
): Promise<SuspectedEffect[]> {
  const now = ctx.clock.now().getTime()
  const window = { from: new Date(now - EFFECT_DAYS * DAY_MS), to: new Date(now + 2 * DAY_MS) }
  const found: SuspectedEffect[] = []
  let cursor: EffectCursor | undefined = after === null ? undefined : { time: after.at, tie: after.id }
  for (let round = 0; round < ROUNDS_MAX && found.length < wanted; round++) {
    const page = await listSuspects(ctx.db, {
      kind,
      ...window,
      limit: wanted,
      cursor,
      openOnly: kind === 'orphan',
    })
    const confirmed = await confirmedIds(
      ctx.db,
      CONFIRMING[kind],
      page.items.map((row) => row.effectId),
    )
    found.push(...page.items.filter((row) => row.effectId === '' || !confirmed.has(row.effectId)))
    if (page.next === null) break
    cursor = page.next
  }
  return found.slice(0, wanted)
}

/** Where a suspicion stands among those of one millisecond: the same text as the reading's own tie. */
const tieOf = (row: SuspectedEffect): string =>
  [row.effectId, row.name, row.step, row.keyHash, row.scope].join(' ')

const newestFirst = (a: Entry, b: Entry): number =>
  b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)

const toPosition = (raw: [string, string] | null): Position =>
  raw === null ? null : { at: new Date(raw[0]), id: raw[1] }

function lastOf(items: readonly Entry[], from: Entry['from']): [string, string] | null {
  const last = items.filter((entry) => entry.from === from).at(-1)
  return last === undefined ? null : [last.at.toISOString(), last.id]
}

/** A cursor of two positions: one in each of the merged lists. */
const encodeCursorOf = (positions: [[string, string] | null, [string, string] | null]): string =>
  encodeCursor(positions as unknown as readonly string[])

const subjectOf = (entry: Entry) =>
  entry.from === 'case'
    ? {
        scope: entry.case.scope,
        key: entry.case.key,
        keyHash: null,
        effectIds: entry.case.effectIds,
        name: null,
        step: null,
      }
    : {
        scope: entry.suspect.scope,
        key: null,
        keyHash: entry.suspect.keyHash,
        effectIds: [entry.suspect.effectId],
        name: entry.suspect.name,
        step: entry.suspect.step,
      }

function toView(kind: EffectKind, entry: Entry, facts: EffectFacts): EffectView {
  if (entry.from === 'case') {
    const { case: row } = entry
    const last = row.effectIds.at(-1) ?? row.id
    const refund = last.startsWith('re_')
    return {
      id: effectId(kind, last),
      kind,
      name: facts.name ?? (refund ? 'stripe.refund' : 'stripe.charge'),
      step: facts.step ?? (refund ? 'refund' : 'charge'),
      scope: row.scope,
      key: row.key,
      effectIds: row.effectIds,
      traceIds: facts.traceIds,
      amount: row.amount,
      outcome: 'confirmed',
      caseId: row.id,
      class: row.class,
      at: row.at.toISOString(),
    }
  }
  const { suspect } = entry
  const { amount } = suspect
  return {
    id: effectId(
      kind,
      suspect.effectId === '' ? `${suspect.scope}|${suspect.keyHash}|${suspect.step}` : suspect.effectId,
    ),
    kind,
    name: suspect.name,
    step: suspect.step,
    scope: suspect.scope,
    key: facts.key,
    effectIds: kind === 'duplicate' ? facts.effectIds : [suspect.effectId].filter((id) => id !== ''),
    traceIds: facts.traceIds.length > 0 ? facts.traceIds : suspect.traceIds,
    amount: amount === null ? null : { minor: amount.minor.toString(), currency: amount.currency },
    outcome: 'suspected',
    caseId: null,
    class: null,
    at: suspect.time.toISOString(),
  }
}

/** From the effect itself, so that a suspicion keeps its id when it is confirmed. */
const effectId = (kind: EffectKind, of: string): string =>
  `eff_${createHash('sha256').update(`${kind}|${of}`).digest('hex').slice(0, 26)}`
