import type { Lane, LaneMark } from '@/app/_ui/attempt-lanes'
import { shortId } from '@/app/_ui/identifier'
import { outcomeLook } from '@/app/_ui/outcome-look'
import type { KeyEffect } from '@/lib/telemetry/read/effects/key-effects'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'
import { requestLane } from '../../_page/request-lane'

/** More lanes than this are no picture: the table below has them all. */
export const LANES_MAX = 12

/** An attempt ran the handler: what may have had an effect. */
export const RAN: ReadonlySet<string> = new Set(['executed', 'takeover', 'bypassed', 'stale'])

export const fenceText = (fence: string): string => (fence.length > 8 ? `…${fence.slice(-6)}` : fence)

/** The attempts as lanes: those that ran before those that were only answered, in order of time. */
export function toLanes(keyedRequests: readonly KeyedRequest[], effects: readonly KeyEffect[]): Lane[] {
  const numbered = keyedRequests.map((keyedRequest, place) => ({ keyedRequest, place }))
  const ran = numbered.filter(({ keyedRequest }) => RAN.has(keyedRequest.outcome))
  const others = numbered.filter(({ keyedRequest }) => !RAN.has(keyedRequest.outcome))
  const shown = [...ran, ...others].slice(0, LANES_MAX).sort((a, b) => a.place - b.place)
  const placed = new Set<KeyEffect>()
  return shown.map(({ keyedRequest, place }) => {
    const own = effects.filter(
      (effect) =>
        !placed.has(effect) && effect.traceIds.includes(keyedRequest.traceId) && within(effect, keyedRequest),
    )
    for (const effect of own) placed.add(effect)
    const { label } = outcomeLook(keyedRequest.outcome)
    return requestLane(keyedRequest, {
      label: `${place + 1} · ${shortId(keyedRequest.instance, 4, 4)}`,
      text: keyedRequest.fence === null ? label : `${label}, token ${fenceText(keyedRequest.fence)}`,
      href: `/traces/${keyedRequest.traceId}`,
      dots: own.map((effect) => ({
        at: effect.time.toISOString(),
        label: effect.effectId === '' ? effect.step : shortId(effect.effectId, 7, 3),
        tone: effect.duplicate ? ('bad' as const) : ('accent' as const),
      })),
    })
  })
}

const SLACK_MS = 1_000
const within = (effect: KeyEffect, { time, endTime }: KeyedRequest): boolean =>
  effect.time.getTime() >= time.getTime() - SLACK_MS && effect.time.getTime() <= endTime.getTime() + SLACK_MS

export const leaseMarks = (leaseUntil: string | null, now: Date): LaneMark[] =>
  leaseUntil === null
    ? []
    : [{ at: leaseUntil, label: Date.parse(leaseUntil) > now.getTime() ? 'lease ends' : 'lease ended' }]

/** Which two are put side by side unless the person chose: the first that ran, and the next that ran or was refused. */
export function defaultPair(keyedRequests: readonly KeyedRequest[]): [KeyedRequest, KeyedRequest] | null {
  const a = keyedRequests.find(({ outcome }) => RAN.has(outcome)) ?? keyedRequests[0]
  if (a === undefined) return null
  const later = keyedRequests.filter((each) => each !== a)
  const b = later.find(({ outcome }) => RAN.has(outcome) || outcome === 'mismatch') ?? later[0]
  return b === undefined ? null : [a, b]
}
