import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idempotent } from '@/sdk/idempotent'
import type { Store } from '@/sdk/stores/store'
import { KEY_SECRET } from '../support'

/** What a process of its own connects with (programs/open-store.ts), and the same store here. */
export type CrashHarness = { url: string; store: Store; close(): Promise<void> }

/** SIGKILL between any two calls of the store: its lease passes by itself, and what was written counts. */
export function describeCrashes(name: string, openHarness: () => Promise<CrashHarness>): void {
  describe(name, () => {
    let harness: CrashHarness
    beforeAll(async () => {
      harness = await openHarness()
    })
    afterAll(() => harness?.close())

    async function killAt(key: string, stopAt: 'inside' | 'after'): Promise<void> {
      const program = new URL('../programs/charge-then-hang.ts', import.meta.url).pathname
      const child = fork(program, [harness.url, key, stopAt], {
        execArgv: ['--import', 'tsx'],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      await once(child, 'message')
      // Prolonged by its heartbeat as long as it lives, whatever its lease of 300 ms says.
      expect((await retry(key, [])).headers.get('retry-after')).toBe('1')
      child.kill('SIGKILL')
      await once(child, 'exit')
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
          return Response.json({ reference, attempt: context.attempt })
        },
        {
          store: harness.store,
          keySecret: KEY_SECRET,
          scope: () => ({ caller: 'web', route: '/v1/payments' }),
        },
      )(
        new Request('http://service.test/v1/payments', {
          method: 'POST',
          headers: { 'idempotency-key': key },
        }),
      )

    /** Until it is no longer in flight: nothing prolongs its lease any more. */
    async function retryAfterLease(key: string, calls: string[]): Promise<Response> {
      let answer = await retry(key, calls)
      await expect
        .poll(async () => {
          if (answer.status === 409 && answer.headers.get('retry-after') === '1')
            answer = await retry(key, calls)
          return answer.headers.get('retry-after')
        })
        .not.toBe('1')
      return answer
    }

    it('between effect and completion: a retry takes over, and does not repeat the effect', async () => {
      await killAt('killed-after', 'after')
      const calls: string[] = []
      const answer = await retryAfterLease('killed-after', calls)
      expect([answer.status, await answer.json()]).toEqual([200, { reference: 'ch_1', attempt: 2 }])
      expect(calls).toEqual([])
    })

    it('inside the effect: nobody knows its end, and no retry repeats it', async () => {
      await killAt('killed-inside', 'inside')
      const calls: string[] = []
      const answer = await retryAfterLease('killed-inside', calls)
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([409, '30'])
      expect((await retry('killed-inside', calls)).status).toBe(409)
      expect(calls).toEqual([])
    })
  })
}
