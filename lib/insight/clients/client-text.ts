import { countText, latencyText, plural } from '@/lib/core/format-figure'
import { redactText, redactUrls } from '@/lib/core/redact'
import { visibleText } from '@/lib/core/visible-text'
import type { ClientView } from './client'

type Asked = { environment: string; from: Date; to: Date }

/** A name that came from outside: on one line, without secrets, and nothing in it is hidden. */
const nameText = (name: string): string =>
  visibleText(redactUrls(redactText(name)))
    .replaceAll(/\s+/g, ' ')
    .trim()

const timeText = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** A letter to the client's team: what was seen and what to change, in plain text. Pure. */
export function clientText(view: ClientView, { environment, from, to }: Asked): string {
  const { client, keyedRequests, keys, findings } = view
  const retries = keys === null ? 'How often keys were retried is not known.' : retriesText(keys)
  const asks =
    findings.length === 0
      ? ['We saw nothing that you need to change.']
      : [
          'What we ask you to change:',
          ...findings.map(({ says, asks: ask }, place) => `${place + 1}. ${says} ${ask}`),
        ]
  return [
    `Idempotency keys of "${nameText(client ?? 'a caller that is not told')}" in ${nameText(environment)}`,
    `${timeText(from)} to ${timeText(to)}`,
    '',
    `${countText(keyedRequests)} requests with a key. ${retries}`,
    '',
    ...asks,
    ...unknownsOf(view),
    '',
  ].join('\n')
}

function retriesText({
  keys,
  retried,
  mostRequests,
  retryWindowMs,
}: NonNullable<ClientView['keys']>): string {
  const sent = `${plural(keys, 'key')}, ${countText(retried)} of them sent more than once`
  if (retryWindowMs === null) return `${sent}.`
  const { p50, p99, longest } = retryWindowMs
  return `${sent}, at most ${countText(mostRequests)} times. Between the first and the last request of such a key: P50 ${latencyText(p50)}, P99 ${latencyText(p99)}, longest ${latencyText(longest)}.`
}

/** Not known is not the same as none: what could not be looked at is said. */
function unknownsOf({ missingKeys, suspected, keyTimes }: ClientView): string[] {
  const unknowns = [
    missingKeys.atLeast && 'requests without a key (some did not tell who sent them)',
    suspected === null && 'operations that were charged under two keys (nothing was compared yet)',
    keyTimes === null && 'what your keys are made of (no store that we read has them)',
  ].filter((text) => text !== false)
  return unknowns.length === 0 ? [] : ['', `Not known: ${unknowns.join('; ')}.`]
}
