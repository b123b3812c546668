import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { keyState, pay, problemOf, runGateway, settingsFor } from './gateway-fixture'
import { openWorld } from './gateway-world'
import type { Behaviour } from './socket-upstream'

const { fixture, upstream, gateway } = await openWorld((store, url) =>
  settingsFor(store, url, { deadline: '300ms', requestBytes: '4MiB' }),
)

const LARGE = JSON.stringify({ text: 'x'.repeat(1_000_000) })

const LOSSES: [name: string, behaviour: Behaviour, status: number, phase: string, body?: string][] = [
  ['the upstream reads all and resets', { kind: 'reset' }, 502, 'waiting'],
  ['it resets within the body', { kind: 'reset-in-body', afterBytes: 500_000 }, 502, 'waiting', LARGE],
  ['it resets after the head of its answer', { kind: 'reset-after-headers' }, 502, 'answering'],
  ['it ends within the body of its answer', { kind: 'half-body' }, 502, 'answering'],
  ['it does not answer in time', { kind: 'stall' }, 504, 'waiting'],
  ['its answer stalls', { kind: 'stall-in-body' }, 504, 'answering'],
  ['its own proxy answers 502', { kind: 'answer', status: 502 }, 502, 'answered_by_proxy'],
  ['its own proxy answers 504', { kind: 'answer', status: 504 }, 504, 'answered_by_proxy'],
]

describe('an answer that is lost', () => {
  test.each(LOSSES)(
    'is unknown and never sent again: %s',
    async (_, behaviour, status, phase, body = '{}') => {
      upstream.behave(behaviour)
      const key = randomUUID()
      const first = await pay(gateway, key, { body })
      expect([first.status, await problemOf(first)]).toEqual([status, 'outcome-unknown'])
      const known = await keyState(fixture, key)
      expect(known.state).toBe('U')
      expect(known.steps).toMatchObject([
        { step: 'answer-lost', kind: 'checkpoint', result: { attempt: 1, phase } },
        { step: 'upstream', state: 'U' },
      ])
      // It is well again, and is not asked.
      upstream.behave({ kind: 'answer', status: 201 })
      const again = await pay(gateway, key, { body })
      expect([again.status, await problemOf(again), again.headers.get('retry-after')]).toEqual([
        409,
        'unknown-outcome',
        '30',
      ])
      expect(upstream.received).toHaveLength(1)
    },
  )

  test('stays unknown when an operator only releases the key', async () => {
    upstream.behave({ kind: 'reset' })
    const key = randomUUID()
    await pay(gateway, key)
    await fixture.query("UPDATE idem_lease SET state = 'R' WHERE key = idem_key_bytes($1)", [key])
    upstream.behave({ kind: 'answer', status: 201 })
    const again = await pay(gateway, key)
    expect([again.status, await problemOf(again)]).toEqual([409, 'unknown-outcome'])
    expect(upstream.received).toHaveLength(1)
    expect((await keyState(fixture, key)).state).toBe('U')
  })

  test('is sent again once an operator has found that it was not executed', async () => {
    upstream.behave({ kind: 'reset' })
    const key = randomUUID()
    await pay(gateway, key)
    await fixture.query(
      "UPDATE idem_step SET state = 'F' WHERE key = idem_key_bytes($1) AND kind <> 'checkpoint'",
      [key],
    )
    await fixture.query("UPDATE idem_lease SET state = 'R' WHERE key = idem_key_bytes($1)", [key])
    upstream.behave({ kind: 'answer', status: 201 })
    expect((await pay(gateway, key)).status).toBe(201)
    expect(upstream.received).toHaveLength(2)
  })
})

describe('nothing was sent', () => {
  test('when the connection is refused: the key is free at once', async () => {
    const port = await unusedPort()
    const closed = await runGateway(settingsFor(fixture, `http://127.0.0.1:${port}`))
    const key = randomUUID()
    const first = await pay(closed, key)
    expect([first.status, await problemOf(first), first.headers.get('retry-after')]).toEqual([
      502,
      'upstream-unreachable',
      '1',
    ])
    expect(await keyState(fixture, key)).toMatchObject({
      state: 'R',
      steps: [{ step: 'upstream', state: 'F' }],
    })
    await closed.stop()
    // The same key, once the upstream is there.
    upstream.behave({ kind: 'answer', status: 201 })
    expect((await pay(gateway, key)).status).toBe(201)
    expect(upstream.received).toHaveLength(1)
  })

  test('when its name is not known, and when its certificate is refused', async () => {
    const nowhere = await runGateway(settingsFor(fixture, 'http://nowhere.invalid:9'))
    const key = randomUUID()
    expect(await problemOf(await pay(nowhere, key))).toBe('upstream-unreachable')
    expect((await keyState(fixture, key)).state).toBe('R')
    await nowhere.stop()
    // TLS to what speaks none.
    const plain = await runGateway(settingsFor(fixture, upstream.url.replace('http:', 'https:')))
    const other = randomUUID()
    expect(await problemOf(await pay(plain, other))).toBe('upstream-unreachable')
    expect((await keyState(fixture, other)).state).toBe('R')
    await plain.stop()
  })

  test('when the upstream does not accept in time', async () => {
    // RFC 5737: an address of documentation, where nobody answers.
    const url = 'http://192.0.2.1:9'
    const slow = await runGateway(
      settingsFor(fixture, url, {}, { upstreams: { payments: { url, connectTimeout: '200ms' } } }),
    )
    const key = randomUUID()
    expect(await problemOf(await pay(slow, key))).toBe('upstream-unreachable')
    expect((await keyState(fixture, key)).state).toBe('R')
    await slow.stop()
  })
})

test('a connection that was kept and is reset with the request is unknown, not unsent', async () => {
  upstream.behave({ kind: 'answer', status: 201 })
  await pay(gateway)
  upstream.behave({ kind: 'reset' })
  const key = randomUUID()
  expect(await problemOf(await pay(gateway, key))).toBe('outcome-unknown')
  expect((await keyState(fixture, key)).state).toBe('U')
})

async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
