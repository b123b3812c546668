import { type FromService, fromService, toService } from '../messages'
import type { InFlight } from './in-flight'

/** Header by which the demo's traffic arms one fault for one request. */
export const faultHeader = 'x-demo-fault'
/** On a request, and then on the messages that it publishes: `{URL} {fault}` of their first delivery; `here` = the service itself. */
export const divertHeader = 'x-demo-divert'

/** Where a request can be made to wait until its process is continued or killed. */
export type Barrier =
  | 'before-effect'
  | 'before-provider-call'
  | 'before-settle'
  | 'after-effect'
  | 'before-commit'
/** What can be made to go wrong without ending the process. */
export type Slip =
  | 'drop-response'
  | 'lose-ledger'
  | 'wrong-amount'
  | 'skip-refund-booking'
  | 'lose-mail-answer'

/** What a fault is armed by: the headers of a request, or of a message. */
type Armed = Pick<Request, 'headers'>

export interface FaultPoints {
  /** Waits here when the request or message is armed for this barrier. */
  reach(armed: Armed, barrier: Barrier): Promise<void>
  slips(armed: Armed, slip: Slip): boolean
}

export const noFaultPoints: FaultPoints = {
  reach: async () => undefined,
  slips: () => false,
}

/** Fault points that listen to the header; only processes of the demo have them. */
export function createFaultPoints(inFlight: InFlight): FaultPoints {
  const waiting = new Set<() => void>()
  process.on('message', (message) => {
    if (toService.parse(message).type !== 'continue') return
    for (const resume of waiting) resume()
    waiting.clear()
  })
  return {
    async reach(armed, barrier) {
      if (armed.headers.get(faultHeader) !== barrier) return
      await new Promise<void>((resolve) => {
        waiting.add(resolve)
        report({ type: 'reached', point: barrier })
      })
      void inFlight.idle().then(() => report({ type: 'finished' }))
    },
    slips: (armed, slip) => armed.headers.get(faultHeader) === slip,
  }
}

/** Tells the parent; nothing when there is none. */
export function report(message: FromService): void {
  process.send?.(fromService.parse(message))
}
