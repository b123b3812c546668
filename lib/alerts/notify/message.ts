import { canonicalJson } from '@/lib/core/canonical-json'
import type { ConditionKind, Severity } from '@/lib/core/condition-kinds'
import { durationText, plural } from '@/lib/core/format-figure'
import { redactText } from '@/lib/core/redact'
import { redactJsonText } from '@/lib/core/redact-json'
import { env, publicUrl } from '@/lib/env'
import { ALERTS, alertText, isUrgent, pathIn, rangeOf } from '../about'
import { figuresOf } from '../show-alert'

/** `refresh` repeats a message to a receiver that forgets. */
export const EVENTS = ['raised', 'cleared', 'reminder', 'acknowledged', 'escalated', 'refresh'] as const
export type Event = (typeof EVENTS)[number]

/** So many alerts are told one by one; the rest is a count. */
export const EXAMPLES_MAX = 5

/** What of an alert a receiver is told. */
export type Told = {
  id: string
  kind: ConditionKind
  severity: Severity
  subject: string
  since: string
  clearedAt: string | null
  detail: Record<string, unknown>
  /** What it is part of; null = nothing. */
  incidentId: string | null
}

export type Acknowledged = { by: string; at: string; until: string; note: string }

/** What there is to say to one receiver, before it is put into words. */
export type Fact = {
  event: Event
  /** Of this message, however often it is sent. */
  dedupeKey: string
  /** What the receiver knows it by, from raised to cleared. */
  incident: string
  /** The incident that it takes the place of. */
  replaces: string | null
  severity: Severity
  kind: ConditionKind
  system: string
  /** The oldest of those that it is about, at most EXAMPLES_MAX. */
  alerts: readonly Told[]
  /** How many it is about. */
  count: number
  /** How often they were raised since the incident was opened. */
  raises: number
  /** How many of the group fire. */
  firing: number
  acknowledgement: Acknowledged | null
  /** What was done, deployed or run just before the oldest of them, the latest first. */
  changes: readonly { at: number; kind: string; label: string }[]
}

/** One body for every kind of receiver; a renderer picks from it. */
export type Message = Omit<Fact, 'event' | 'kind' | 'alerts' | 'acknowledgement' | 'changes'> & {
  event: Event | 'test'
  kind: ConditionKind | null
  alerts: readonly Record<string, unknown>[]
  environment: string
  /** Something of the group fires on after it. */
  open: boolean
  /** "[PRODUCTION] Firing: Source cannot be read, payments-ledger" */
  headline: string
  title: string
  text: string
  facts: readonly { label: string; value: string }[]
  /** A line for each of the alerts, where there are several. */
  examples: readonly string[]
  /** A line for each of what changed just before. */
  changes: readonly string[]
  since: string
  url: string
  /** Null = there is nothing to acknowledge. */
  acknowledgeUrl: string | null
  acknowledgement: (Acknowledged & { text: string }) | null
  sentAt: Date
}

/** What a receiver gets: documented in docs/guides/alerts.md; fields are added, never changed. */
export function messageOf(fact: Fact, now: Date): Message {
  const { event, kind, alerts, count, firing } = fact
  const [first] = alerts
  if (first === undefined) throw new Error('A message is about at least one alert')
  const open = firing > 0
  const title = plain(count === 1 ? alertText(first) : `${ALERTS[kind].title}, ${plural(count, 'alert')}`)
  const environment = env().IDEMSCOPE_ENVIRONMENT
  const path = pathOf(first, now)
  const acknowledgement =
    fact.acknowledgement === null
      ? null
      : { ...fact.acknowledgement, text: acknowledgedText(fact.acknowledgement) }
  return {
    ...fact,
    environment,
    open,
    headline: `[${environment.toUpperCase()}] ${WORD[event](open)}: ${title}`,
    title,
    text: textOf(fact, now),
    facts: factsOf(fact, environment),
    examples: count === 1 ? [] : alerts.map((alert) => plain(`${alertText(alert)}: ${figuresOf(alert)}`)),
    changes: fact.changes.map(({ at, kind, label }) =>
      plain(`${momentText(new Date(at).toISOString())}, ${kind}: ${label}`),
    ),
    alerts: alerts.map(tell),
    since: first.since,
    url: absolute(path),
    acknowledgeUrl:
      open && event !== 'acknowledged' && event !== 'cleared'
        ? absolute(`${path}${path.includes('?') ? '&' : '?'}acknowledge=1`)
        : null,
    acknowledgement,
    sentAt: now,
  }
}

/** To the incident that is run, where there is one; else to the alert in its own range. */
const pathOf = (alert: Told, now: Date): string =>
  alert.incidentId === null
    ? pathIn(`/alerts?open=${alert.id}`, rangeOf(alert, now))
    : `/incidents/${alert.incidentId}`

/** A message that says of itself that nothing happened. `id` is its own: a test is never a repetition. */
export function testMessage(id: string, by: string, now: Date): Message {
  const environment = env().IDEMSCOPE_ENVIRONMENT
  const title = 'Test notification'
  return {
    event: 'test',
    dedupeKey: `test:${id}`,
    incident: `test:${id}`,
    replaces: null,
    severity: 'ticket',
    kind: null,
    system: '',
    count: 0,
    raises: 0,
    firing: 0,
    environment,
    open: false,
    headline: `[${environment.toUpperCase()}] ${title}`,
    title,
    text: `A test notification, sent by ${plain(by)}. Nothing is wrong.`,
    facts: [],
    examples: [],
    changes: [],
    alerts: [],
    since: now.toISOString(),
    url: absolute('/alerts'),
    acknowledgeUrl: null,
    acknowledgement: null,
    sentAt: now,
  }
}

const WORD: Record<Event, (open: boolean) => string> = {
  raised: () => 'Firing',
  cleared: (open) => (open ? 'Partly cleared' : 'Cleared'),
  reminder: () => 'Still firing',
  refresh: () => 'Firing',
  acknowledged: () => 'Acknowledged',
  escalated: () => 'Acknowledgement expired',
}

function textOf(fact: Fact, now: Date): string {
  const { event, count, raises, firing, acknowledgement } = fact
  const [first] = fact.alerts
  if (first === undefined) return ''
  const forMs =
    (first.clearedAt === null ? now.getTime() : Date.parse(first.clearedAt)) - Date.parse(first.since)
  const since = count === 1 ? 'since' : 'the oldest since'
  const figures = count === 1 ? `${plain(figuresOf(first))}; ` : ''
  const fires = `${figures}${since} ${momentText(first.since)}, for ${durationText(forMs)}.`
  const flapping = raises > count ? ` Raised ${raises} times since then.` : ''
  switch (event) {
    case 'raised':
    case 'refresh':
      return `${fires}${flapping}`
    case 'cleared': {
      const rest =
        firing === 0 ? '' : ` ${plural(firing, 'alert of the group fires', 'alerts of the group fire')} on.`
      const what = count === 1 ? figures : `${plural(count, 'alert')}; `
      return `${what}it fired for ${durationText(forMs)}.${flapping}${rest}`
    }
    case 'reminder':
      return `Nobody has acknowledged it. ${fires}${flapping}`
    case 'acknowledged':
      return acknowledgement === null ? fires : `${acknowledgedText(acknowledgement)} ${fires}`
    case 'escalated':
      return acknowledgement === null
        ? fires
        : `${plain(acknowledgement.by)} had acknowledged it until ${momentText(acknowledgement.until)}, and it fires on. ${fires}${flapping}`
    default:
      return event satisfies never
  }
}

const acknowledgedText = ({ by, until, note }: Acknowledged): string =>
  `${plain(by)} looks after it until ${momentText(until)}${note === '' ? '' : `: ${plain(note)}`}.`

function factsOf({ severity, system, count, raises, alerts }: Fact, environment: string): Message['facts'] {
  return [
    { label: 'Severity', value: severity },
    { label: 'Environment', value: environment },
    ...(system === '' ? [] : [{ label: 'System', value: plain(system) }]),
    { label: 'Since', value: momentText(alerts[0]?.since ?? '') },
    ...(count === 1 ? [] : [{ label: 'Alerts', value: String(count) }]),
    ...(raises > count ? [{ label: 'Raised', value: plural(raises, 'time') }] : []),
  ]
}

const tell = (alert: Told): Record<string, unknown> => ({
  ...alert,
  title: ALERTS[alert.kind].title,
  urgent: isUrgent(alert),
  detail: JSON.parse(redactJsonText(canonicalJson(alert.detail))),
})

/** 2026-11-22 02:42:10 UTC */
const momentText = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`

/** Names come from telemetry: on one line, without secrets. */
const plain = (text: string): string => redactText(text.replaceAll(/\p{C}+/gu, ' '))

const absolute = (path: string): string => new URL(path, publicUrl(env())).href
