import { caseClass } from '@/lib/core/case-classes'
import { ruleFor } from '../rules/rules'
import { absenceMs } from './absence'
import { disputes } from './aspects/dispute'
import { existence } from './aspects/existence'
import { duplicateLedger, phantoms } from './aspects/ledger'
import { quarantine } from './aspects/quarantine'
import { refunds } from './aspects/refund'
import { retention } from './aspects/retention'
import { uniqueness } from './aspects/uniqueness'
import { usage } from './aspects/usage'
import { value } from './aspects/value'
import type { ClassifyContext, Draft, Finding, LookUp } from './finding'
import { lookUpKey } from './finding'
import { type MoneyPicture, moneyOf } from './money'
import { withMoney } from './not-offered'
import type { Operation } from './operation'
import { sidesFor } from './sides-for'
import { latest, type Unit, unitsOf } from './units'

export type Classified = {
  findings: Finding[]
  /** What has to be asked by id before the pending ones may become breaks. */
  lookUps: LookUp[]
  /** When the answer may be another one though nothing new is staged. */
  recheckAt: Date | null
  /** The whole money of each charge; empty where an object is quarantined. */
  pictures: readonly MoneyPicture[]
}

/** So soon is asked again for what waits for a listing or an answer. */
const WAITING_MS = 1_000

/** Classifies one operation. Pure: the same objects in the same circumstances give the same findings. */
export function classifyOperation(operation: Operation, given: ClassifyContext): Classified {
  const ctx = { ...given, sides: sidesFor(operation, given) }
  const quarantined = quarantine(operation)
  if (quarantined.length > 0) return { ...weigh(quarantined, [], ctx), pictures: [] }
  const units = unitsOf(operation)
  const { drafts, duplicates } = uniqueness(operation, units, ctx)
  const pictures = moneyOf(operation, units, ctx)
  const rechecks: Date[] = []
  const stuck = new Set<Unit>()
  for (const unit of units) {
    const answer = existence(operation, unit, duplicates, ctx)
    if (answer.draft !== null) drafts.push(answer.draft)
    if (answer.recheckAt !== null) rechecks.push(answer.recheckAt)
    if (answer.stuck) stuck.add(unit)
  }
  drafts.push(
    ...phantoms(operation, units, ctx),
    ...duplicateLedger(operation, units),
    ...value(operation, units, duplicates, ctx.rules),
    ...refunds(operation, units, { duplicates, stuck, pictures, ctx }),
    ...disputes(operation, ctx),
    ...usage(operation, units),
    ...retention(operation, units, stuck),
  )
  const whole = drafts.map((draft) => withMoney(draft, operation, pictures))
  return { ...weigh(whole, rechecks, ctx), pictures }
}

/** How long this may merely not be there yet. */
function graceMs(
  draft: Pick<Draft, 'class' | 'aspect' | 'amount' | 'subject'>,
  ctx: ClassifyContext,
): number {
  const rule = ruleFor(ctx.rules, 'breakOnMs', {
    class: draft.class,
    currency: draft.amount?.currency ?? null,
    scope: draft.subject.scope,
    kind: draft.aspect === 'refund' ? 'refund' : 'charge',
  })
  return rule?.breakOnMs ?? ctx.breakOnMs
}

/** Turns drafts into findings: what is merely not there yet, or not confirmed absent, is pending. */
function weigh(
  drafts: readonly Draft[],
  rechecks: readonly Date[],
  ctx: ClassifyContext,
): Omit<Classified, 'pictures'> {
  const due: Date[] = [...rechecks]
  const lookUps: LookUp[] = []
  const findings = drafts.map((draft): Finding => {
    const { since, absentSince, lookUps: needed = [], waiting = false, ...rest } = draft
    const breakOn =
      since === null
        ? ctx.asOf
        : latest(
            new Date(since.getTime() + graceMs(rest, ctx)),
            absentSince && new Date(absentSince.getTime() + absenceMs(ctx)),
          )
    const open = needed.filter((lookUp) => !ctx.lookedUp.has(lookUpKey(lookUp)))
    const ripe = breakOn <= ctx.asOf
    if (ripe && !waiting) lookUps.push(...open)
    const isBreak = ripe && !waiting && open.length === 0
    if (!isBreak) due.push(ripe ? new Date(ctx.asOf.getTime() + WAITING_MS) : breakOn)
    const severity = isBreak && rest.class === 'status_lag' ? 'P2' : caseClass(rest.class).severity
    return { ...rest, severity, outcome: isBreak ? 'break' : 'pending', breakOn }
  })
  const recheckAt = due.length === 0 ? null : new Date(Math.min(...due.map((at) => at.getTime())))
  return { findings, lookUps, recheckAt }
}
