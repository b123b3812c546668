import { type FromService, fromService, toService } from '../messages'
import type { InFlight } from './in-flight'

/** Header by which the demo's traffic arms one fault for one request. */
export const faultHeader = 'x-demo-fault'

/** Where a request can be made to wait until its process is continued or killed. */
export type Barrier = 'before-effect' | 'before-provider-call' | 'before-settle' | 'after-effect'
/** What can be made to go wrong without ending the process. */
export type Slip = 'drop-response' | 'lose-ledger' | 'wrong-amount' | 'skip-refund-booking'

export interface FaultPoints {
  /** Waits here when the request is armed for this barrier. */
  reach(request: Request, barrier: Barrier): Promise<void>
  slips(request: Pick<Request, 'headers'>, slip: Slip): boolean
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
    async reach(request, barrier) {
      if (request.headers.get(faultHeader) !== barrier) return
      await new Promise<void>((resolve) => {
        waiting.add(resolve)
        report({ type: 'reached', point: barrier })
      })
      void inFlight.idle().then(() => report({ type: 'finished' }))
    },
    slips: (request, slip) => request.headers.get(faultHeader) === slip,
  }
}

/** Tells the parent; nothing when there is none. */
export function report(message: FromService): void {
  process.send?.(fromService.parse(message))
}
