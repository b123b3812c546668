import { z } from 'zod'
import { CASE_CLASS_NAMES, caseClass } from '@/lib/core/case-classes'
import { approve } from '@/lib/reconcile/corrections/approve'
import { FOUR_EYES_KINDS } from '@/lib/reconcile/corrections/execute/plan'
import { propose } from '@/lib/reconcile/corrections/propose'
import { sleep } from '@/sdk/clock'
import type { Account } from '../environment/accounts'
import { RECONCILE_SETTINGS } from './reconciliation'
import { type Service, THINK_MS } from './service'
import type { World } from './world'

/**
 * How a service gives money back: as it should, as it should but in a transaction that may take its time, under an id of
 * its own that it never corrects, or in its books only.
 */
export type RefundHow = 'proper' | 'slow' | 'provisional' | 'unsent'

export async function refundByService(
  world: World,
  service: Service,
  nth: number,
  { how, amount }: { how: RefundHow; amount: number },
): Promise<void> {
  const charge = world.nthCharge(nth)
  if (charge === undefined) return
  const name = `${charge.id}-${world.serial()}`
  const owed = world.owed.begin(charge.id, amount)
  const book = (ref: string) => {
    owed.ids.add(ref)
    const row = [ref, charge.id, charge.description, amount]
    if (how !== 'slow') return service.query(BOOK_REFUND, row)
    return service.transaction(async (query) => {
      await query(BOOK_REFUND, row)
      await sleep(world.env.time.sdk, THINK_MS)
    }, name)
  }
  if (how === 'unsent') return book(`prov_${name}`)
  if (how === 'provisional') await book(`prov_${name}`)
  const sent = await sendRefund(world, charge.id, amount, name)
  if (sent === null) return
  owed.ids.add(sent)
  if (how !== 'provisional') await book(sent)
}

const BOOK_REFUND = `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
  VALUES ('refund', $1, $2, $3, $4, 'USD')`

/** At the provider's dashboard: no key, no metadata, no booking. */
export async function refundAtDashboard(world: World, nth: number, amount: number): Promise<void> {
  const charge = world.nthCharge(nth)
  if (charge === undefined) return
  const sent = await sendRefund(world, charge.id, amount)
  if (sent !== null) world.owed.begin(charge.id, amount).ids.add(sent)
}

/** A refund that failed is sent once more: by support at the dashboard, or by the service, which may book it anew. */
export async function sendAgain(
  world: World,
  service: Service | null,
  { nth, books }: { nth: number; books: boolean },
): Promise<void> {
  const failed = world.provider.refunds().filter(({ status }) => status === 'failed')
  const refund = failed[nth % Math.max(1, failed.length)]
  if (refund === undefined) return
  const key = service === null ? undefined : `again-${refund.id}-${world.serial()}`
  const sent = await sendRefund(world, refund.charge, refund.amount, key)
  if (sent === null) return
  world.owed.of(refund.id)?.ids.add(sent)
  const description = world.provider.charges().find(({ id }) => id === refund.charge)?.description
  if (service !== null && books)
    await service.query(BOOK_REFUND, [sent, refund.charge, description, refund.amount])
}

async function sendRefund(
  world: World,
  charge: string,
  amount: number,
  key?: string,
): Promise<string | null> {
  const form = new URLSearchParams({ charge, amount: String(amount) }).toString()
  const { status, body } = await world.provider.request({
    method: 'POST',
    path: '/v1/refunds',
    form,
    idempotencyKey: key,
  })
  world.notes.push(`refund of ${amount} of ${charge}: ${status}`)
  return status === 200 ? JSON.parse(body).id : null
}

/** A bank sends a refund back. */
export async function failRefund(world: World, nth: number): Promise<void> {
  const live = world.provider.refunds().filter(({ status }) => status === 'succeeded')
  const refund = live[nth % Math.max(1, live.length)]
  if (refund !== undefined) await world.provider.control.failRefund(refund.id)
}

/** The customer's bank claims a charge, or a part of it. */
export async function dispute(world: World, nth: number, as: { amount: number; inquiry: boolean }) {
  const charge = world.nthCharge(nth)
  if (charge !== undefined) await world.provider.dispute(charge.id, as)
}

export async function decideDispute(world: World, nth: number, status: 'won' | 'lost'): Promise<void> {
  const open = world.provider.disputes().filter((each) => each.status === 'needs_response')
  const decided = open[nth % Math.max(1, open.length)]
  if (decided !== undefined) await world.provider.control.decideDispute(decided.charge, status)
}

/** Somebody proposes the first correction that a case offers. */
export async function proposeCorrection(world: World, nth: number, by: Account): Promise<void> {
  const ctx = world.as(by)
  const cases = await ctx.db.prisma.reconciliationCase.findMany({
    where: { lifecycle: { not: 'resolved' }, outcome: 'break' },
    orderBy: [{ firstSeen: 'asc' }, { reference: 'asc' }, { class: 'asc' }],
  })
  const found = cases[nth % Math.max(1, cases.length)]
  if (found === undefined) return
  const fixes: readonly string[] = caseClass(z.enum(CASE_CLASS_NAMES).parse(found.class)).fixes
  for (const kind of FOUR_EYES_KINDS.filter((kind) => fixes.includes(kind))) {
    try {
      const action = await propose(
        ctx,
        { caseId: found.id, kind, params: {}, reason: 'as the case says' },
        RECONCILE_SETTINGS,
      )
      world.notes.push(`${by} proposes ${kind} for ${found.class}: ${action.state}`)
      return
    } catch (error) {
      world.notes.push(`${kind} for ${found.class}: ${error instanceof Error ? error.message : error}`)
    }
  }
}

/** Somebody approves what waits, on the evidence that they see. */
export async function approveCorrection(world: World, nth: number, by: Account): Promise<void> {
  const ctx = world.as(by)
  const waiting = await ctx.db.prisma.action.findMany({
    where: { state: 'proposed', charge: { not: null } },
    orderBy: [{ createdAt: 'asc' }, { charge: 'asc' }],
  })
  const action = waiting[nth % Math.max(1, waiting.length)]
  if (action === undefined) return
  const done = await approve(
    ctx,
    { actionId: action.id, evidenceHash: action.evidenceHash ?? '' },
    RECONCILE_SETTINGS,
  )
  world.notes.push(`${by} approves ${action.kind}: ${done.state} ${JSON.stringify(done.result)}`)
}
