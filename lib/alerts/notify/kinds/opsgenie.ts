import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { Message } from '../message'
import { cut, httpAnswered, kindOf, type Outgoing, pathOn } from './kind'

/** Limits of an alert's fields: https://docs.opsgenie.com/docs/alerts-and-alert-fields */
const MESSAGE_CHARS_MAX = 130
const DESCRIPTION_CHARS_MAX = 15_000
const TAG_CHARS_MAX = 50
const DETAIL_CHARS_MAX = 1_000
const NOTE_CHARS_MAX = 25_000

export const opsgenieSecret = z.strictObject({
  url: z.string().default('https://api.atlassian.com/jsm/ops/integration'),
  apiKey: z.string().trim().min(1, 'the API key of the integration').max(200),
})

/**
 * Integration events of Jira Service Management, and Opsgenie's alert API, which ends in April 2027: the same bodies
 * under two base URLs.
 */
export const opsgenie = kindOf({
  secret: opsgenieSecret,
  target: ({ url }) => ({ url }),
  render: (message, { url, apiKey }) =>
    requests(message).map(
      ({ path, ...body }): Outgoing => ({
        via: 'http',
        url: pathOn(url, `/v2/alerts${path}`),
        headers: { authorization: `GenieKey ${apiKey}` },
        body: canonicalJson(body),
      }),
    ),
  answered: (posted) => httpAnswered(posted, (status) => status === 202),
  keepsState: true,
})

type Request = { path: string } & Record<string, unknown>

function requests(message: Message): Request[] {
  const { event, incident, replaces, open, acknowledgement } = message
  const note = cut(`${message.headline}. ${message.text}`, NOTE_CHARS_MAX)
  if (event === 'test') return [creation(message), on(incident, 'close', { note })]
  if (event === 'acknowledged')
    return [on(incident, 'acknowledge', { note, user: cut(acknowledgement?.by ?? '', 100) })]
  if (event === 'cleared') return [on(incident, open ? 'notes' : 'close', { note })]
  // One that was acknowledged rings for nobody any more: another one takes its place.
  return replaces === null ? [creation(message)] : [creation(message), on(replaces, 'close', { note })]
}

const on = (alias: string, verb: string, body: Record<string, string>): Request => ({
  path: `/${encodeURIComponent(alias)}/${verb}?identifierType=alias`,
  source: 'idemscope',
  ...body,
})

function creation(message: Message): Request {
  const { event, severity, kind, system, environment } = message
  const changed = message.changes.map((line) => `Just before it: ${line}`)
  const lines = [message.text, ...message.examples.map((line) => `- ${line}`), ...changed, message.url]
  return {
    path: '',
    message: cut(message.headline, MESSAGE_CHARS_MAX),
    alias: message.incident,
    description: cut(
      [...lines, ...(message.acknowledgeUrl === null ? [] : [`Acknowledge: ${message.acknowledgeUrl}`])].join(
        '\n',
      ),
      DESCRIPTION_CHARS_MAX,
    ),
    priority: event === 'test' ? 'P5' : severity === 'page' ? 'P1' : 'P3',
    source: 'idemscope',
    tags: [environment, severity, kind ?? 'test'].map((tag) => cut(tag, TAG_CHARS_MAX)),
    ...(system === '' ? {} : { entity: cut(system, 512) }),
    details: Object.fromEntries(
      message.facts.map(({ label, value }) => [label, cut(value, DETAIL_CHARS_MAX)]),
    ),
  }
}
