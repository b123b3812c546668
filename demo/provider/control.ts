import { z } from 'zod'
import { decideDispute, disputeCharge, failCharge } from './charges'
import { Draft, type Provider } from './context'
import { failRefund } from './refunds'
import type { Outcome } from './routes'
import { switchesSchema } from './switches'

/** What Stripe does on its own in real life, done on demand. In process for tests, over /_demo/ for the demo. */
export interface Control {
  failCharge(id: string): Promise<void>
  failRefund(id: string): Promise<void>
  disputeCharge(id: string): Promise<void>
  decideDispute(chargeId: string, status: 'won' | 'lost'): Promise<void>
  /** Drops the answer kept for a key, as if its window had passed. */
  forgetKey(key: string): Promise<void>
  setSwitches(input: unknown): void
}

export function createControl(provider: Provider): Control {
  const change = (run: (draft: Draft) => Outcome) =>
    provider.exclusive(async () => {
      const draft = new Draft(provider)
      run(draft)
      await draft.commit()
    })
  return {
    failCharge: (id) => change((draft) => failCharge(draft, id)),
    failRefund: (id) => change((draft) => failRefund(draft, id)),
    disputeCharge: (id) => change((draft) => disputeCharge(draft, id)),
    decideDispute: (chargeId, status) => change((draft) => decideDispute(draft, chargeId, status)),
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
