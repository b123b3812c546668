import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { bearer, type Console, createConsole, get } from '../api/console-fixture'
import { requestSpan, store } from '../telemetry/spans'

let console: Console
beforeAll(async () => {
  console = await createConsole()
  const { db } = console
  await ensurePartitions(db, systemClock)
  const at = new Date(systemClock.now().getTime() - 60_000)
  const parts = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), key: 'k', at, outcome: 'mismatch' }
  await store(db, systemClock, [requestSpan({ ...parts, scope: 'Kröger & Söhne/POST /v1/payments' })])
  await rollUpDirtyMinutes(db, systemClock, { limit: 100 })
})
afterAll(() => console.close())

const ask = (path: string) => get(path, bearer(console.tokens.viewer))

test('a viewer reads a caller by its name, with the text for its team; another name is not found', async () => {
  const { status, body } = await ask(`clients/${encodeURIComponent('Kröger & Söhne')}`)
  expect(status === 200 ? body.client : body).toBe('Kröger & Söhne')
  expect(body.text).toContain('Idempotency keys of "Kröger & Söhne"')
  expect(body.findings).toMatchObject([{ kind: 'other_body', tone: 'bad' }])
  expect(await ask('clients/nobody')).toMatchObject({ status: 404, body: { code: 'not_found' } })
})

test('a TTL that is none, and a window that is too long, are named', async () => {
  const ttl = await ask('retention/ttl-comparison?ttlAMs=soon')
  expect(ttl).toMatchObject({ status: 400, body: { faults: [{ in: 'query', name: 'ttlAMs' }] } })
  for (const path of ['executive', 'clients', 'retention/cost'])
    expect(await ask(`${path}?from=2020-01-01T00:00:00Z`), path).toMatchObject({
      status: 400,
      body: { faults: [{ name: 'from', message: 'must be at most 366 days before to' }] },
    })
})
