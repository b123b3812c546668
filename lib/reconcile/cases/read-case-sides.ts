import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import type { MoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import type { Charge, Dispute, Life, LifeEffect, Operation, Posting, Refund } from '../classify/operation'
import { readOperations } from '../classify/read/read-operations'

// What the case page shows side by side: the objects that the case was classified on, as they are staged.

export type SideEffect = {
  step: string
  state: string
  reference: string | null
  begunAt: string
  settledAt: string | null
}
export type SideLife = {
  source: string
  scope: string
  key: string
  reference: string | null
  state: string
  httpStatus: number | null
  fence: string
  amount: MoneyJson | null
  acquiredAt: string
  completedAt: string | null
  leaseUntil: string | null
  expiresAt: string | null
  /** Ids that the stored response and the steps name. */
  names: string[]
  effects: SideEffect[]
}
export type SideObject = {
  source: string
  kind: 'charge' | 'refund' | 'dispute'
  id: string
  scope: string | null
  key: string | null
  reference: string | null
  status: string
  captured: boolean
  amount: MoneyJson
  refunded: MoneyJson | null
  createdAt: string
}
export type SidePosting = {
  source: string
  entryId: string
  kind: string
  providerRef: string | null
  reference: string | null
  amount: MoneyJson
  bookedAt: string
  reversed: boolean
}
export type CaseSides = {
  intent: SideLife[]
  ledger: SidePosting[]
  provider: SideObject[]
  /** Each kind of source that the system has, by its name. */
  sources: { id: string; kind: string; adapter: string; name: string }[]
}

const evidenceSchema = z.object({
  sides: z
    .object({
      intent: z.array(z.object({ key: z.string(), acquiredAt: z.string() })),
      provider: z.array(z.object({ id: z.string() })),
      ledger: z.array(z.object({ entry: z.string() })),
    })
    .optional(),
})

/** The objects named in the case's evidence, and whatever came to its effects since. Throws `not_found`. */
export async function readCaseSides(db: Db, caseId: string): Promise<CaseSides> {
  const row = await db.prisma.reconciliationCase.findUnique({ where: { id: caseId } })
  if (row === null) throw new AppError('not_found', `There is no case ${caseId}.`)
  const [[operation], sources] = await Promise.all([
    readOperations(db, row.system, [row.operationId]),
    db.prisma.source.findMany({
      where: { system: row.system },
      orderBy: { name: 'asc' },
      select: { id: true, kind: true, adapter: true, name: true },
    }),
  ])
  if (operation === undefined) return { intent: [], ledger: [], provider: [], sources }
  return { ...select(operation, evidenceSchema.parse(row.evidence), row.effectIds), sources }
}

function select(
  operation: Operation,
  { sides }: z.infer<typeof evidenceSchema>,
  effectIds: readonly string[],
): Omit<CaseSides, 'sources'> {
  const lives = new Set(sides?.intent.map((life) => `${life.key} ${life.acquiredAt}`))
  const objects = new Set([...(sides?.provider.map(({ id }) => id) ?? []), ...effectIds])
  const entries = new Set(sides?.ledger.map(({ entry }) => entry))
  const isNamed = (posting: Posting) =>
    entries.has(posting.entryId) || (posting.providerRef !== null && effectIds.includes(posting.providerRef))
  return {
    intent: operation.lives
      .filter((life) => sides === undefined || lives.has(`${life.key} ${life.acquiredAt.toISOString()}`))
      .map(lifeSide),
    ledger: operation.postings.filter(isNamed).map(postingSide),
    provider: [
      ...operation.charges.filter(({ id }) => objects.has(id)).map(chargeSide),
      ...operation.refunds
        .filter((refund) => objects.has(refund.id) || objects.has(refund.chargeId ?? ''))
        .map((refund) => partSide('refund', refund)),
      ...operation.disputes
        .filter(({ id }) => objects.has(id))
        .map((dispute) => partSide('dispute', dispute)),
    ],
  }
}

const money = (minor: bigint, currency: string): MoneyJson => ({ minor: minor.toString(), currency })

function lifeSide(life: Life): SideLife {
  const priced = life.effects.find(({ amountMinor, currency }) => amountMinor !== null && currency !== null)
  return {
    source: life.sourceId,
    scope: life.scope,
    key: life.key,
    reference: life.reference,
    state: life.gone ? 'gone' : life.status,
    httpStatus: life.httpStatus,
    fence: life.fence,
    amount: priced?.amountMinor && priced.currency ? money(priced.amountMinor, priced.currency) : null,
    acquiredAt: life.acquiredAt.toISOString(),
    completedAt: life.completedAt?.toISOString() ?? null,
    leaseUntil: life.leaseUntil?.toISOString() ?? null,
    expiresAt: life.expiresAt?.toISOString() ?? null,
    names: [...life.names, ...life.effects.flatMap(({ reference }) => reference ?? [])],
    effects: life.effects.map(effectSide),
  }
}

const effectSide = (effect: LifeEffect): SideEffect => ({
  step: effect.step,
  state: effect.state,
  reference: effect.reference,
  begunAt: effect.begunAt.toISOString(),
  settledAt: effect.settledAt?.toISOString() ?? null,
})

const chargeSide = (charge: Charge): SideObject => ({
  source: charge.sourceId,
  kind: 'charge',
  id: charge.id,
  scope: charge.scope,
  key: charge.key,
  reference: charge.reference,
  status: charge.status,
  captured: charge.captured,
  amount: money(charge.amountMinor, charge.currency),
  refunded: charge.refundedMinor > 0n ? money(charge.refundedMinor, charge.currency) : null,
  createdAt: charge.createdAt.toISOString(),
})

/** A part of a charge that was given back, or taken back. */
const partSide = (kind: 'refund' | 'dispute', part: Refund | Dispute): SideObject => ({
  source: part.sourceId,
  kind,
  id: part.id,
  scope: part.scope,
  key: part.key,
  reference: part.reference,
  status: part.status,
  captured: true,
  amount: money(part.amountMinor, part.currency),
  refunded: null,
  createdAt: part.createdAt.toISOString(),
})

const postingSide = (posting: Posting): SidePosting => ({
  source: posting.sourceId,
  entryId: posting.entryId,
  kind: posting.rawKind,
  providerRef: posting.providerRef,
  reference: posting.reference,
  amount: money(posting.amountMinor, posting.currency),
  bookedAt: posting.bookedAt.toISOString(),
  reversed: posting.reversed,
})
