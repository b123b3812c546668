import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outgoing } from '@/lib/alerts/notify/kinds/kind'
import { KINDS } from '@/lib/alerts/notify/kinds/table'
import { newSigningSecret } from '@/lib/alerts/notify/kinds/webhook'
import { EVENTS, type Fact, type Message, messageOf, testMessage } from '@/lib/alerts/notify/message'
import { sendTo } from '@/lib/alerts/notify/send'
import { RECEIVER_KINDS, type ReceiverKind } from '@/lib/core/receiver-kinds'
import { sealSecret } from '@/lib/sources/credentials'
import { CREDENTIALS_KEY, setSettings, TELLING_HERE } from '../support/settings'
import { SCHEMAS, startServices } from './services/start-services'

setSettings({ ...TELLING_HERE, IDEMSCOPE_ENVIRONMENT: 'staging' })

let services: Awaited<ReturnType<typeof startServices>>
beforeAll(async () => {
  services = await startServices()
})
afterAll(() => services.close())
beforeEach(() => {
  services.received.length = 0
  services.refused.length = 0
  services.answers()
})

const NOW = new Date('2026-03-01T12:00:30Z')
const alert = (name: string, index = 0) => ({
  id: `alr_${index}`,
  kind: 'stale_source' as const,
  severity: 'page' as const,
  subject: `src_${index}`,
  since: '2026-03-01T11:00:00.000Z',
  clearedAt: null,
  incidentId: null,
  detail: { name, error: 'connection refused', token: 'sk_live_abcdefghijklmnop' },
})
const fact: Fact = {
  event: 'raised',
  dedupeKey: 'alr_0:raised',
  incident: 'nin_0',
  replaces: null,
  severity: 'page',
  kind: 'stale_source',
  system: 'payments',
  alerts: [alert('payments-ledger')],
  count: 1,
  raises: 1,
  firing: 1,
  acknowledgement: null,
  changes: [],
}
const ACKNOWLEDGED = {
  by: 'Ada',
  at: '2026-03-01T11:30:00.000Z',
  until: '2026-03-01T13:30:00.000Z',
  note: 'on it',
}
/** As large and as odd as it gets. */
const HUGE = {
  ...fact,
  dedupeKey: 'dlv_1:raised',
  system: '🧨'.repeat(400),
  alerts: Array.from({ length: 5 }, (_, index) =>
    alert(`${'<!channel> & "é😀" \n\u0000'.repeat(900)}`, index),
  ),
  count: 10_000,
  raises: 12_345,
  firing: 10_000,
  changes: Array.from({ length: 5 }, () => ({
    at: NOW.getTime(),
    kind: 'deploy',
    label: `${'<!channel> "é😀" \n'.repeat(900)} sk_live_abcdefghijklmnop`,
  })),
}
const MESSAGES: [string, Message][] = [
  ...EVENTS.map((event): [string, Message] => [
    event,
    messageOf(
      {
        ...fact,
        event,
        firing: event === 'cleared' ? 0 : 1,
        replaces: event === 'escalated' ? 'nin_before' : null,
        acknowledgement: event === 'acknowledged' || event === 'escalated' ? ACKNOWLEDGED : null,
      },
      NOW,
    ),
  ]),
  [
    'raised after a deploy',
    messageOf(
      { ...fact, changes: [{ at: NOW.getTime() - 90_000, kind: 'deploy', label: 'payments 1.4.2' }] },
      NOW,
    ),
  ],
  ['partly cleared', messageOf({ ...fact, event: 'cleared', firing: 3 }, NOW)],
  ['10,000 alerts with odd names', messageOf(HUGE, NOW)],
  ['test', testMessage('req_1', 'Ada', NOW)],
]

const SECRETS = {
  webhook: (url: string) => ({ url: `${url}/hook`, signingSecret: newSigningSecret() }),
  slack: (url: string) => ({ url: `${url}/services/T0/B0/s3cret` }),
  pagerduty: (url: string) => ({ url, routingKey: 'a1'.repeat(16) }),
  opsgenie: (url: string) => ({ url: `${url}/jsm/ops/integration`, apiKey: 'k-e-y' }),
  alertmanager: (url: string) => ({ url }),
  email: () => ({
    host: '127.0.0.1',
    port: 25,
    security: 'none',
    from: 'a@example.com',
    to: ['b@example.com'],
  }),
} satisfies Record<ReceiverKind, (url: string) => object>

const receiver = (kind: ReceiverKind, secret: object = SECRETS[kind](services.url)) => ({
  id: 'rcv_1',
  kind,
  secret: sealSecret(CREDENTIALS_KEY, 'rcv_1', secret),
})
const rendered = (kind: ReceiverKind, message: Message): Outgoing[] =>
  KINDS[kind].render(message, KINDS[kind].secret.parse(SECRETS[kind]('https://example.com')))
const bodies = (kind: ReceiverKind, message: Message) =>
  rendered(kind, message).map((each) => (each.via === 'http' ? JSON.parse(each.body) : each.mail))
const named = (name: string): Message => {
  const found = MESSAGES.find(([each]) => each === name)
  if (found === undefined) throw new Error(`No message ${name}`)
  return found[1]
}

describe.each(['slack', 'pagerduty', 'opsgenie'] as const)('%s', (kind) => {
  test.each(MESSAGES)('takes %s: it fits the published schema, limits included', async (_, message) => {
    const { posted, answered } = await sendTo(receiver(kind), message)
    expect(services.refused).toEqual([])
    expect({ answered, error: posted.error }).toEqual({ answered: 'delivered', error: null })
    expect(services.received.length).toBeGreaterThan(0)
    expect(JSON.stringify(services.received.map(({ body }) => body))).not.toContain('sk_live_abcdefgh')
  })
})

test('the schemas refuse what the services refuse', () => {
  const [slack] = bodies('slack', named('raised'))
  slack.blocks[0].text.text = 'x'.repeat(151)
  expect(SCHEMAS.slack.safeParse(slack).success).toBe(false)
  const [event] = bodies('pagerduty', named('raised'))
  for (const wrong of [{ dedup_key: 'x'.repeat(256) }, { routing_key: 'short' }, { event_action: 'close' }])
    expect(SCHEMAS.pagerduty.safeParse({ ...event, ...wrong }).success).toBe(false)
  const [created] = bodies('opsgenie', named('raised'))
  expect(SCHEMAS.opsgenie.safeParse({ ...created, message: 'x'.repeat(131) }).success).toBe(false)
  const [posted] = bodies('alertmanager', named('raised'))
  for (const labels of [{}, { alertname: 1 }, { alertname: 'a', system: '' }])
    expect(SCHEMAS.alertmanager.safeParse([{ ...posted[0], labels }]).success).toBe(false)
})

test('every kind of receiver says what changed just before', () => {
  const line = '2026-03-01 11:59:00 UTC, deploy: payments 1.4.2'
  for (const kind of Object.keys(SECRETS) as ReceiverKind[])
    expect(JSON.stringify(bodies(kind, named('raised after a deploy'))), kind).toContain(line)
})

test('the details of an alert of Opsgenie stay within 8,000 characters together', () => {
  const [creation] = bodies('opsgenie', named('10,000 alerts with odd names'))
  const chars = Object.entries(creation.details as Record<string, string>)
    .flat()
    .join('').length
  expect(chars).toBeLessThanOrEqual(8_000)
})

test('PagerDuty: one incident from trigger to resolve; what expired becomes another one', () => {
  const actions = (name: string) =>
    bodies('pagerduty', named(name)).map((body) => `${body.event_action} ${body.dedup_key}`)
  expect(actions('raised')).toEqual(['trigger nin_0'])
  expect(actions('reminder')).toEqual(['trigger nin_0'])
  expect(actions('partly cleared')).toEqual(['trigger nin_0'])
  expect(actions('acknowledged')).toEqual(['acknowledge nin_0'])
  expect(actions('escalated')).toEqual(['trigger nin_0', 'resolve nin_before'])
  expect(actions('cleared')).toEqual(['resolve nin_0'])
  expect(actions('test')).toEqual(['trigger test:req_1', 'resolve test:req_1'])
  expect(bodies('pagerduty', named('raised'))[0].payload).toMatchObject({
    severity: 'critical',
    class: 'stale_source',
    component: 'payments',
  })
})

test('Jira Service Management and Opsgenie get the same bodies under two base URLs', async () => {
  const paths = (name: string) =>
    rendered('opsgenie', named(name)).map((each) => (each.via === 'http' ? new URL(each.url).pathname : ''))
  expect(paths('raised')).toEqual(['/jsm/ops/integration/v2/alerts'])
  expect(paths('acknowledged')).toEqual(['/jsm/ops/integration/v2/alerts/nin_0/acknowledge'])
  expect(paths('partly cleared')).toEqual(['/jsm/ops/integration/v2/alerts/nin_0/notes'])
  expect(paths('cleared')).toEqual(['/jsm/ops/integration/v2/alerts/nin_0/close'])
  for (const base of [services.url, `${services.url}/jsm/ops/integration/`])
    await sendTo(receiver('opsgenie', { url: base, apiKey: 'k-e-y' }), named('raised'))
  expect(services.received.map(({ path }) => path)).toEqual(['/v2/alerts', '/jsm/ops/integration/v2/alerts'])
  expect(services.received[0]?.body).toEqual(services.received[1]?.body)
  expect(services.received[0]?.headers.authorization).toBe('GenieKey k-e-y')
})

test('Slack: text is escaped, so that a name cannot notify a channel; a 200 that is not "ok" has failed', async () => {
  const [body] = bodies('slack', named('10,000 alerts with odd names'))
  expect(JSON.stringify(body)).not.toContain('<!channel>')
  expect(JSON.stringify(body)).toContain('10,000 alerts')
  services.answers({ status: 200, body: '<html>a proxy</html>' })
  expect(await sendTo(receiver('slack'), named('raised'))).toMatchObject({ answered: 'failed' })
})

test.each([
  ['slack', 404, 'no_service', 'failed'],
  ['slack', 429, '', 'again'],
  ['pagerduty', 400, '{"status":"invalid event"}', 'failed'],
  ['pagerduty', 200, '', 'failed'],
  ['pagerduty', 429, '', 'again'],
  ['pagerduty', 500, '', 'again'],
  ['opsgenie', 422, '{}', 'failed'],
  ['opsgenie', 503, '', 'again'],
] as const)('%s answers %d: %s → %s', async (kind, status, body, answered) => {
  services.answers({ status, body, headers: { 'retry-after': '7' } })
  expect(await sendTo(receiver(kind), named('raised'))).toMatchObject({
    answered,
    posted: { status, retryAfterMs: 7_000 },
  })
})

test('a webhook is signed as the package of Standard Webhooks verifies it, with one id on every try', () => {
  const secret = newSigningSecret()
  const now = new Date()
  const sign = (at: Date) => {
    const message = { ...named('raised'), sentAt: at }
    const [outgoing] = KINDS.webhook.render(message, { url: 'https://example.com', signingSecret: secret })
    if (outgoing?.via !== 'http') throw new Error('A webhook goes over HTTP')
    return outgoing
  }
  const [first, second] = [sign(now), sign(new Date(now.getTime() + 10_000))]
  const verifier = new Webhook(secret)
  expect(verifier.verify(first.body, first.headers)).toMatchObject({ event: 'raised' })
  expect(verifier.verify(second.body, second.headers)).toMatchObject({ dedupeKey: 'alr_0:raised' })
  expect(first.headers['webhook-id']).toBe(second.headers['webhook-id'])
  expect(() => verifier.verify(`${first.body} `, first.headers)).toThrow()
  expect(() => new Webhook(newSigningSecret()).verify(first.body, first.headers)).toThrow()
})

test('a webhook of the first release is sent as it was, without a signature', () => {
  const [outgoing] = KINDS.webhook.render(named('raised'), { url: 'https://example.com/hook' })
  expect(outgoing).toMatchObject({ headers: { 'idempotency-key': '"alr_0:raised"' } })
  expect(JSON.parse(outgoing?.via === 'http' ? outgoing.body : '{}')).toMatchObject({
    version: 1,
    event: 'raised',
    dedupeKey: 'alr_0:raised',
    environment: 'staging',
    alert: {
      id: 'alr_0',
      kind: 'stale_source',
      urgent: true,
      clearedAt: null,
      detail: { token: '[redacted]' },
    },
    url: expect.stringContaining('/alerts?open=alr_0&from='),
    sentAt: NOW.toISOString(),
  })
})

test.each(MESSAGES)('Alertmanager: %s fits the published schema; what changes is no label', (_, message) => {
  const [alerts] = bodies('alertmanager', message)
  expect(SCHEMAS.alertmanager.safeParse(alerts).error).toBeUndefined()
  const changed = { ...message, count: 7, title: 'another', text: 'another', url: 'https://example.com' }
  expect(bodies('alertmanager', changed)[0][0].labels).toEqual(alerts[0].labels)
})

test.each(RECEIVER_KINDS)('%s: no message says a secret', (kind) => {
  for (const [, message] of MESSAGES)
    expect(JSON.stringify(rendered(kind, message))).not.toContain('sk_live_abcdefgh')
})

test('an acknowledge link is in what fires and nobody has acknowledged', () => {
  expect(named('raised').acknowledgeUrl).toContain('&acknowledge=1')
  expect(named('reminder').acknowledgeUrl).toContain('/alerts?open=alr_0')
  for (const name of ['cleared', 'acknowledged', 'test']) expect(named(name).acknowledgeUrl).toBeNull()
})
