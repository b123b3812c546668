import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { idempotent } from '@/sdk/idempotent'
import { createStoreFixture, KEY_SECRET, type StoreFixture } from './support'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

type Stuck = {
  key: string
  state: string
  expired: boolean
  step: string
  step_state: string
  reference: string | null
}

async function killAt(key: string, stopAt: 'inside' | 'after'): Promise<Stuck[]> {
  const child = fork(
    new URL('./programs/charge-then-hang.ts', import.meta.url).pathname,
    [fixture.url, key, stopAt],
    {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  )
  await once(child, 'message')
  child.kill('SIGKILL')
  await once(child, 'exit')
  // The lease of 300 ms passes by itself: nothing prolongs it any more.
  return pollUntil(async () => {
    const rows = await fixture.query<Stuck>(
      `SELECT idem_key_text(l.key) AS key, l.state, l.lease_until < clock_timestamp() AS expired, s.step,
        s.state AS step_state, s.reference
       FROM idem_lease l JOIN idem_step s USING (scope_id, key) WHERE l.key = idem_key_bytes($1)`,
      [key],
    )
    return rows.every((row) => row.expired) ? rows : null
  })
}

async function pollUntil<T>(look: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + 15_000
  while (performance.now() < endMs) {
    const seen = await look()
    if (seen !== null) return seen
  }
  throw new Error('it did not happen within 15 s')
}

const retry = (key: string, calls: string[]) =>
  idempotent(
    async (_request, context) => {
      const { reference } = await context.effect(
        'charge',
        { name: 'stripe.charge' },
        async ({ idempotencyKey }) => {
          calls.push(idempotencyKey)
          return { reference: 'ch_2' }
        },
      )
      return Response.json({ reference })
    },
    { store: fixture.store, keySecret: KEY_SECRET, scope: () => ({ caller: 'web', route: '/v1/payments' }) },
  )(new Request('http://service.test/v1/payments', { method: 'POST', headers: { 'idempotency-key': key } }))

it('SIGKILL between effect and completion leaves exactly one expired lease with its step; a retry replays it', async () => {
  const stuck = await killAt('killed-after', 'after')
  expect(stuck).toEqual([
    { key: 'killed-after', state: 'L', expired: true, step: 'charge', step_state: 'C', reference: 'ch_1' },
  ])
  const calls: string[] = []
  expect(await (await retry('killed-after', calls)).json()).toEqual({ reference: 'ch_1' })
  expect(calls).toEqual([])
})

it('SIGKILL inside the effect leaves its step begun; a retry does not repeat it', async () => {
  const stuck = await killAt('killed-inside', 'inside')
  expect(stuck).toEqual([
    { key: 'killed-inside', state: 'L', expired: true, step: 'charge', step_state: 'B', reference: null },
  ])
  const calls: string[] = []
  expect((await retry('killed-inside', calls)).status).toBe(409)
  expect(calls).toEqual([])
  expect(
    await fixture.query("SELECT state FROM idem_lease WHERE key = idem_key_bytes('killed-inside')"),
  ).toEqual([{ state: 'U' }])
})
