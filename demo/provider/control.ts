import { z } from 'zod'
import { expireAuthorisation, settleCharge } from './capture'
import { decideDispute, disputeCharge, escalateInquiry, failCharge } from './charges'
import { createInvoice, payInvoice, paySession } from './checkout'
import { Draft, type Provider } from './context'
import type { Invoice } from './objects'
import { failRefund } from './refunds'
import { switchesSchema } from './switches'

/** What Stripe does on its own in real life, done on demand. In process for tests, over /_demo/ for the demo. */
export interface Control {
  failCharge(id: string): Promise<unknown>
  failRefund(id: string): Promise<unknown>
  disputeCharge(id: string, as?: Parameters<typeof disputeCharge>[2]): Promise<unknown>
  escalateInquiry(chargeId: string): Promise<unknown>
  decideDispute(chargeId: string, status: 'won' | 'lost'): Promise<unknown>
  /** An authorisation that nobody captured runs out. `apiVersion`: of the request that made it. */
  expireAuthorisation(intentId: string, apiVersion?: string): Promise<unknown>
  /** An asynchronous capture gets its balance transaction. */
  settleCharge(id: string): Promise<unknown>
  /** Shows an object with other fields than it has, as one from before, or a broken one. */
  showAs(id: string, fields: Readonly<Record<string, unknown>>): void
  /** The customer pays on a checkout session's page. */
  paySession(id: string): Promise<unknown>
  createInvoice(asked: Parameters<typeof createInvoice>[1]): Promise<Invoice>
  payInvoice(id: string): Promise<unknown>
  /** Drops the answer kept for a key, as if its window had passed. */
  forgetKey(key: string): Promise<void>
  setSwitches(input: unknown): void
}

export function createControl(provider: Provider): Control {
  const change = <T>(run: (draft: Draft) => T, apiVersion?: string): Promise<T> =>
    provider.exclusive(async () => {
      const draft = new Draft(provider, apiVersion)
      const made = run(draft)
      await draft.commit()
      return made
    })
  return {
    failCharge: (id) => change((draft) => failCharge(draft, id)),
    failRefund: (id) => change((draft) => failRefund(draft, id)),
    disputeCharge: (id, as) => change((draft) => disputeCharge(draft, id, as)),
    escalateInquiry: (chargeId) => change((draft) => escalateInquiry(draft, chargeId)),
    decideDispute: (chargeId, status) => change((draft) => decideDispute(draft, chargeId, status)),
    expireAuthorisation: (intentId, version) =>
      change((draft) => expireAuthorisation(draft, intentId), version),
    settleCharge: (id) => change((draft) => settleCharge(draft, id)),
    showAs: (id, fields) => {
      provider.state.shownAs.set(id, fields)
    },
    paySession: (id) => change((draft) => paySession(draft, id)),
    createInvoice: (asked) => change((draft) => createInvoice(draft, asked)),
    payInvoice: (id) => change((draft) => payInvoice(draft, id)),
    forgetKey: (key) =>
      provider.exclusive(async () => {
        const forgotten = { sequence: provider.state.sequence, put: [], forget: key }
        await provider.journal.append(forgotten)
        provider.state.apply(forgotten)
      }),
    setSwitches: (input) => provider.switches.set(switchesSchema.parse(input)),
  }
}

const controlBody = z.discriminatedUnion('verb', [
  z.strictObject({ verb: z.literal('fail-charge'), id: z.string() }),
  z.strictObject({ verb: z.literal('fail-refund'), id: z.string() }),
  z.strictObject({ verb: z.literal('forget-key'), key: z.string() }),
  z.strictObject({ verb: z.literal('switches'), switches: switchesSchema }),
])

/** `POST /_demo/control` with one JSON verb. */
export async function runControl(control: Control, body: string): Promise<void> {
  const parsed = controlBody.parse(JSON.parse(body))
  switch (parsed.verb) {
    case 'fail-charge':
      await control.failCharge(parsed.id)
      break
    case 'fail-refund':
      await control.failRefund(parsed.id)
      break
    case 'forget-key':
      await control.forgetKey(parsed.key)
      break
    case 'switches':
      control.setSwitches(parsed.switches)
      break
  }
}
