import type { Lane } from '@/app/_ui/attempt-lanes'
import { outcomeLook } from '@/app/_ui/outcome-look'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'

/** One request of a key as a lane: when it ran and how it ended. Pure. */
export function requestLane(request: KeyedRequest, own: Pick<Lane, 'label'> & Partial<Lane>): Lane {
  const { label, fill } = outcomeLook(request.outcome)
  return {
    id: request.spanId,
    from: request.time.toISOString(),
    to: request.endTime.toISOString(),
    text: label,
    fill,
    dots: [],
    ...own,
  }
}
