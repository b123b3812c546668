import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { Message } from '../message'
import { httpAnswered, kindOf, pathOn } from './kind'

/** Alertmanager forgets what is not repeated before this is over: it is posted again well before. */
const HELD_MS = 10 * 60_000
export const REPEAT_MS = 2 * 60_000
/** Long enough to be routed. */
const TEST_MS = 60_000

export const alertmanagerSecret = z
  .strictObject({
    url: z.string(),
    username: z.string().trim().max(200).optional(),
    password: z.string().max(500).optional(),
    bearerToken: z.string().trim().max(2_000).optional(),
  })
  .refine(
    ({ username, bearerToken }) => username === undefined || bearerToken === undefined,
    'a user name or a bearer token, not both',
  )

/** API v2 of an Alertmanager. Labels say which alert it is; what changes is in annotations. */
export const alertmanager = kindOf({
  secret: alertmanagerSecret,
  target: ({ url }) => ({ url }),
  render: (message, { url, ...credentials }) => [
    {
      via: 'http',
      url: pathOn(url, '/api/v2/alerts'),
      headers: authorization(credentials),
      body: canonicalJson([alertOf(message)]),
    },
  ],
  answered: (posted) => httpAnswered(posted, (status) => status === 200),
  keepsState: true,
})

type Credentials = {
  username?: string | undefined
  password?: string | undefined
  bearerToken?: string | undefined
}

function authorization({ username, password = '', bearerToken }: Credentials): Record<string, string> {
  if (bearerToken !== undefined) return { authorization: `Bearer ${bearerToken}` }
  if (username === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

function alertOf(message: Message): Record<string, unknown> {
  const { event, open, sentAt, kind, system, acknowledgement } = message
  const heldMs = event === 'test' ? TEST_MS : event === 'cleared' && !open ? 0 : HELD_MS
  return {
    labels: {
      alertname: kind ?? 'idemscope_test',
      severity: event === 'test' ? 'none' : message.severity,
      environment: message.environment,
      source: 'idemscope',
      ...(system === '' ? {} : { system }),
    },
    annotations: {
      summary: message.title,
      description: message.text,
      examples: message.examples.join('\n'),
      ...(message.changes.length === 0 ? {} : { changes: message.changes.join('\n') }),
      count: String(message.count),
      ...(acknowledgement === null ? {} : { acknowledged: acknowledgement.text }),
      ...(message.acknowledgeUrl === null ? {} : { acknowledge_url: message.acknowledgeUrl }),
    },
    startsAt: message.since,
    endsAt: new Date(sentAt.getTime() + heldMs),
    generatorURL: message.url,
  }
}
