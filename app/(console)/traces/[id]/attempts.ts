import type { Lane } from '@/app/_ui/attempt-lanes'
import { outcomeLook } from '@/app/_ui/outcome-look'
import type { Sighting } from '@/lib/telemetry/read/requests/sightings'

/** The requests of one key as lanes; the trace that is looked at is not a link to itself. Pure. */
export const attemptLanes = (sightings: readonly Sighting[], traceId: string): Lane[] =>
  sightings.map((sighting) => {
    const look = outcomeLook(sighting.outcome)
    const own = sighting.traceId === traceId
    return {
      id: sighting.spanId,
      label: `${own ? 'This: ' : ''}${sighting.attempt === null ? 'request' : `attempt ${sighting.attempt}`}`,
      from: sighting.time.toISOString(),
      note: sighting.instance,
      to: sighting.endTime.toISOString(),
      text: look.label,
      fill: look.fill,
      dots: [],
      ...(own ? {} : { href: `/traces/${sighting.traceId}?span=${sighting.spanId}` }),
    }
  })
