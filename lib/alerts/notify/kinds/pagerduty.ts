import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { Message } from '../message'
import { cut, httpAnswered, kindOf, pathOn } from './kind'

/** Limits of Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events */
const SUMMARY_CHARS_MAX = 1_024

export const pagerdutySecret = z.strictObject({
  url: z.string().default('https://events.pagerduty.com'),
  routingKey: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9]{32}$/, 'the integration key: 32 letters and digits'),
})

/** An integration of a service or of an event orchestration. */
export const pagerduty = kindOf({
  secret: pagerdutySecret,
  target: ({ url }) => ({ url }),
  render: (message, { url, routingKey }) =>
    events(message).map((event) => ({
      via: 'http',
      url: pathOn(url, '/v2/enqueue'),
      headers: {},
      body: canonicalJson({ routing_key: routingKey, ...event }),
    })),
  answered: (posted) => httpAnswered(posted, (status) => status === 202),
  keepsState: true,
})

function events(message: Message): Record<string, unknown>[] {
  const { event, incident, replaces, open } = message
  const trigger = { event_action: 'trigger', dedup_key: incident, ...context(message) }
  const resolve = { event_action: 'resolve', dedup_key: incident }
  if (event === 'test') return [trigger, resolve]
  if (event === 'acknowledged') return [{ event_action: 'acknowledge', dedup_key: incident }]
  if (event === 'cleared' && !open) return [resolve]
  // One that was acknowledged rings for nobody any more: another one takes its place.
  return replaces === null ? [trigger] : [trigger, { event_action: 'resolve', dedup_key: replaces }]
}

function context(message: Message): Record<string, unknown> {
  const { severity, event, url, acknowledgeUrl } = message
  return {
    payload: {
      summary: cut(message.headline, SUMMARY_CHARS_MAX),
      source: `idemscope ${message.environment}`,
      severity: event === 'test' ? 'info' : severity === 'page' ? 'critical' : 'warning',
      timestamp: message.since,
      ...(message.system === '' ? {} : { component: message.system }),
      group: message.environment,
      class: message.kind ?? 'test',
      custom_details: {
        text: message.text,
        ...Object.fromEntries(message.facts.map(({ label, value }) => [label, value])),
        examples: message.examples,
        ...(message.changes.length === 0 ? {} : { just_before: message.changes }),
      },
    },
    links: [
      { href: url, text: 'Open in Idemscope' },
      ...(acknowledgeUrl === null ? [] : [{ href: acknowledgeUrl, text: 'Acknowledge in Idemscope' }]),
    ],
    client: 'Idemscope',
    client_url: url,
  }
}
