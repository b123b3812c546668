import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RECEIVER_ARGS } from '@/jobs/receiver/node-args'
import { systemClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const start = (extra: Record<string, string>) =>
  spawn(process.execPath, RECEIVER_ARGS, {
    env: {
      NODE_ENV: 'test',
      PATH: process.env.PATH ?? '',
      OTLP_PORT: '0',
      IDEMSCOPE_KEY_SECRET: 'k'.repeat(32),
      ...extra,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

it('starts by itself, beats, stores, and ends cleanly on SIGTERM', async () => {
  const child = start({ DATABASE_URL: database.url })
  try {
    const port = () =>
      database.db.pool
        .query("SELECT detail->>'port' AS port FROM process_heartbeat WHERE kind = 'receiver'")
        .then(({ rows }) => rows[0]?.port as string | undefined)
    await expect.poll(port).toBeTruthy()
    const nowNs = (BigInt(systemClock.now().getTime()) * 1_000_000n).toString()
    const span = {
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      name: 'x',
      startTimeUnixNano: nowNs,
      endTimeUnixNano: nowNs,
    }
    const response = await fetch(`http://127.0.0.1:${await port()}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    })
    expect(response.status).toBe(200)
    const { rows } = await database.db.pool.query('SELECT count(*)::int AS n FROM telemetry.span')
    expect(rows[0].n).toBe(1)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    expect(await port()).toBeUndefined()
  } finally {
    child.kill('SIGKILL')
  }
})

it('says what is missing', async () => {
  const child = start({})
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const [code] = await once(child, 'close')
  expect(code).toBe(1)
  expect(output).toContain('DATABASE_URL is not set')
})
