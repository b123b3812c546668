import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { MIGRATIONS } from '@/app/_server/migrations'
import { POST as signIn } from '@/app/api/auth/[...all]/route'
import { GET as healthz } from '@/app/healthz/route'
import { GET as metrics } from '@/app/metrics/route'
import { GET as readyz } from '@/app/readyz/route'
import { FORWARDED_HEADER, PEER_HEADER } from '@/lib/access/sign-in/client-address'
import { systemClock } from '@/lib/core/clock'
import { heartbeatProcess } from '@/lib/runs/processes'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readTrace } from '@/lib/telemetry/read/traces/trace'
import { fillDisk } from '../support/full-disk'
import { bodyJson, clock, JSON_TYPE, openReceiver, spanJson } from '../telemetry/otlp'
import { bearer, type Console, createConsole, ORIGIN, PASSWORD } from './console-fixture'

const SCRAPER = 'scraper-token-of-tests'

let console: Console
beforeAll(async () => {
  console = await createConsole({ IDEMSCOPE_DEMO: '1', IDEMSCOPE_METRICS_TOKEN: SCRAPER })
})
afterAll(() => console.close())
beforeEach(() => console.db.prisma.processHeartbeat.deleteMany())

const beat = (kind: string, detail: Record<string, unknown> = {}) =>
  heartbeatProcess(console.db, { id: `prc_${kind}`, kind, pid: 1, detail }, systemClock)

const ready = async () => {
  const answer = await readyz()
  return { status: answer.status, body: await answer.json() }
}

test('the migrations that are asked for are those that there are', () => {
  const folders = readdirSync('prisma/migrations', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  expect([...MIGRATIONS]).toEqual(folders.toSorted())
})

test('healthz says that the process lives, and asks nothing', async () => {
  expect(healthz().status).toBe(200)
})

test('readyz names what is missing, until all parts are there', async () => {
  expect(await ready()).toMatchObject({
    status: 503,
    body: {
      status: 'not ready',
      parts: { database: { ok: true }, receiver: { ok: false }, worker: { ok: false }, demo: { ok: false } },
    },
  })
  await Promise.all([beat('receiver'), beat('worker')])
  expect((await ready()).body.parts).toMatchObject({ receiver: { ok: true }, demo: { phase: 'starting' } })
  await beat('demo', { phase: 'service-ready' })
  expect((await ready()).status).toBe(503)
  await beat('demo', { phase: 'traffic-began' })
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } })
  await beat('demo', { phase: 'traffic-ended' })
  const ended = await ready()
  expect(ended.status).toBe(200)
  expect(JSON.stringify(ended.body)).toContain('traffic-ended')
})

test('a process that fell silent is missed', async () => {
  await Promise.all([beat('receiver'), beat('worker'), beat('demo', { phase: 'traffic-began' })])
  await console.db.pool.query(
    `UPDATE process_heartbeat SET seen_at = now() - interval '20 s' WHERE kind = 'worker'`,
  )
  expect(await ready()).toMatchObject({ status: 503, body: { parts: { worker: { ok: false } } } })
})

test('a source that is down changes nothing', async () => {
  await Promise.all([beat('receiver'), beat('worker'), beat('demo', { phase: 'traffic-began' })])
  const now = new Date()
  await console.db.prisma.source.create({
    data: {
      id: 'src_down',
      kind: 'provider',
      adapter: 'stripe',
      name: 'down',
      system: 'payments',
      config: {},
      createdAt: now,
      lastErrorAt: now,
      lastError: 'refused',
    },
  })
  expect((await ready()).status).toBe(200)
})

test('a database of an older version is not ready', async () => {
  await console.db.pool.query(`UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1`, [
    MIGRATIONS.at(-1),
  ])
  const { status, body } = await ready()
  await console.db.pool.query('UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL')
  expect(status).toBe(503)
  expect(body).toMatchObject({
    parts: { database: { ok: false, detail: expect.stringContaining('npm run migrate') } },
  })
})

/** As it is noted of a request by a program of this machine. */
const FROM_HERE = { [PEER_HEADER]: '127.0.0.1', [FORWARDED_HEADER]: '0' }

test('metrics are in the exposition format; what is not measured has no sample', async () => {
  await beat('worker')
  const answer = await metrics(new Request(`${ORIGIN}/metrics`, { headers: FROM_HERE }))
  expect(answer.headers.get('content-type')).toContain('version=0.0.4')
  const text = await answer.text()
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{([a-z_]+="[^"]*",?)+\})? [-+0-9.e]+)$/)
  }
  expect(text).toContain('idemscope_processes{kind="worker"} 1')
  expect(text).toContain('idemscope_processes{kind="receiver"} 0')
  expect(text).toContain('# TYPE idemscope_objective_ratio gauge')
  expect(text).not.toMatch(/^idemscope_(duplicate|store|intent|expired|orphaned|redelivery)_/m)
  expect(text).not.toMatch(/^idemscope_\w+_total/m)
  expect(text).not.toMatch(/idemscope_locks\{/)
  expect(text).toMatch(/process_resident_memory_bytes \d+/)
})

test('a receiver whose database has a full disk is alive and not ready, and says why', async () => {
  await Promise.all([
    beat('receiver', { trouble: 'its disk is full' }),
    beat('worker'),
    beat('demo', { phase: 'traffic-began' }),
  ])
  expect(await ready()).toMatchObject({
    status: 503,
    body: { parts: { receiver: { ok: false, detail: 'its disk is full' } } },
  })
  const second = { id: 'prc_other', kind: 'receiver', pid: 2, detail: {} }
  await heartbeatProcess(console.db, second, systemClock)
  expect((await ready()).status).toBe(200)
})

test('a disk that fills up while spans are stored: nothing that was accepted is lost, and it recovers', async () => {
  const { db } = console
  await ensurePartitions(db, clock)
  const { receiver, url } = await openReceiver(db)
  const post = (span: object) =>
    fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE },
      body: JSON.stringify(bodyJson(span)),
    })
  const stored = async ({ traceId }: { traceId: string }) => (await readTrace(db, traceId)).spans.length
  // As the receiver's process does every few seconds.
  const beatReceiver = () => beat('receiver', { ...receiver.stats() })
  await Promise.all([beatReceiver(), beat('worker'), beat('demo', { phase: 'traffic-began' })])
  const [before, during] = [spanJson(), spanJson()]
  expect((await post(before)).status).toBe(200)

  const makeRoom = await fillDisk(db.pool, 'telemetry.span')
  const refused = await post(during)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  await beatReceiver()
  expect(await ready()).toMatchObject({
    status: 503,
    body: { parts: { receiver: { ok: false, detail: expect.stringContaining('its disk is full') } } },
  })
  const makeRoomForBeats = await fillDisk(db.pool, 'process_heartbeat')
  await expect(beatReceiver()).rejects.toMatchObject({ code: '53100' })
  expect((await ready()).body.parts.receiver).toMatchObject({
    ok: false,
    detail: expect.stringContaining('its disk is full'),
  })

  await Promise.all([makeRoom(), makeRoomForBeats()])
  expect((await post(during)).status).toBe(200)
  expect([await stored(before), await stored(during)]).toEqual([1, 1])
  await beatReceiver()
  expect((await ready()).status).toBe(200)
  await receiver.close(500)
})

test('sign-in on a full disk answers 503 with the reason', async () => {
  await fillDisk(console.db.pool, 'session')
  const request = new Request(`${ORIGIN}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: ORIGIN },
    body: JSON.stringify({ email: 'operator@example.com', password: PASSWORD }),
  })
  const answer = await signIn(request)
  expect(answer.status).toBe(503)
  expect(await answer.json()).toMatchObject({
    code: 'unavailable',
    detail: expect.stringContaining('disk is full'),
  })
})

test.each([
  ['a program of this machine', FROM_HERE, 200],
  ['the same by IPv6', { ...FROM_HERE, [PEER_HEADER]: '::1' }, 200],
  ['a proxy on this machine', { ...FROM_HERE, [FORWARDED_HEADER]: '1' }, 401],
  ['another machine', { ...FROM_HERE, [PEER_HEADER]: '10.0.0.7' }, 401],
  ['nobody knows whom', {}, 401],
  ['a proxy with the scraper’s token', { [FORWARDED_HEADER]: '1', authorization: `Bearer ${SCRAPER}` }, 200],
  [
    'a proxy with another token',
    { [FORWARDED_HEADER]: '1', authorization: 'Bearer scraper-token-of-test' },
    401,
  ],
])('metrics asked for by %s', async (_, headers, status) => {
  const answer = await metrics(new Request(`${ORIGIN}/metrics`, { headers }))
  expect(answer.status).toBe(status)
})

test('metrics are open to a viewer’s token from anywhere', async () => {
  const headers = { [FORWARDED_HEADER]: '1', ...bearer(console.tokens.viewer) }
  expect((await metrics(new Request(`${ORIGIN}/metrics`, { headers }))).status).toBe(200)
})
