import { canonicalJson } from '@/lib/core/canonical-json'
import type { ConditionKind, Severity } from '@/lib/core/condition-kinds'
import { redactJsonText } from '@/lib/core/redact-json'
import { env, publicUrl } from '@/lib/env'
import { ALERTS, isUrgent, pathIn, rangeOf } from '../about'

export type Transition = 'raised' | 'cleared'

/** What of an alert a receiver is told. */
type Told = {
  id: string
  kind: ConditionKind
  severity: Severity
  subject: string
  since: string
  clearedAt: string | null
  detail: Record<string, unknown>
}

/** One change of one alert, wherever and however often it is sent. */
const dedupeKeyOf = (alert: Pick<Told, 'id'>, transition: Transition): string => `${alert.id}:${transition}`

/** What a receiver gets: documented in docs/guides/alerts.md; fields are added, never changed. */
export function messageOf(alert: Told, transition: Transition, now: Date): Message {
  const { title } = ALERTS[alert.kind]
  const urgent = isUrgent(alert)
  const path = pathIn(`/alerts?open=${alert.id}`, rangeOf(alert, now))
  return pack(dedupeKeyOf(alert, transition), {
    event: transition,
    alert: { ...alert, title, urgent, detail: JSON.parse(redactJsonText(canonicalJson(alert.detail))) },
    url: new URL(path, publicUrl(env())).href,
    sentAt: now,
  })
}

/** A message that says of itself that nothing happened. `id` is its own: a test is never a repetition. */
export const testMessage = (id: string, by: string, now: Date): Message =>
  pack(`test:${id}`, {
    event: 'test',
    alert: null,
    text: `A test notification, sent by ${by}. Nothing is wrong.`,
    url: new URL('/alerts', publicUrl(env())).href,
    sentAt: now,
  })

type Message = { headers: { 'idempotency-key': string }; body: string }

function pack(dedupeKey: string, rest: Record<string, unknown>): Message {
  const body = { version: 1, dedupeKey, environment: env().IDEMSCOPE_ENVIRONMENT, ...rest }
  return { headers: { 'idempotency-key': `"${dedupeKey}"` }, body: canonicalJson(body) }
}
