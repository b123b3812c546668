import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGate } from '../support'
import { createOutboxFixture, message, type OutboxFixture } from './fixture'

let fixture: OutboxFixture
beforeAll(async () => {
  fixture = await createOutboxFixture()
})
afterAll(() => fixture.close())

const start = (env: Record<string, string>) =>
  spawn(process.execPath, ['--import', 'tsx', 'jobs/relay/main.ts'], { env: { ...process.env, ...env } })

test('npm run relay publishes, and ends on SIGTERM with nothing half done', async () => {
  const received = createGate<string>()
  const receiver = createServer((request, response) => {
    received.resolve(String(request.headers['webhook-type']))
    response.writeHead(204).end()
  })
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  await fixture.publish(message('order.paid', 'k'))
  const relay = start({
    RELAY_DATABASE_URL: fixture.url,
    RELAY_PUBLISHER: 'webhook',
    RELAY_WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
    RELAY_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
  })
  const ended = once(relay, 'exit')
  expect(await received.promise).toBe('order.paid')
  relay.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(await fixture.states()).toEqual({ 'order.paid': 'S' })
  receiver.close()
})

test('a wrong configuration ends it with one line that names all faults', async () => {
  const relay = start({ RELAY_DATABASE_URL: 'mysql://x', RELAY_PUBLISHER: 'webhook' })
  const [said, [code]] = await Promise.all([text(relay.stderr), once(relay, 'exit')])
  expect(code).toBe(1)
  expect(said).toMatch(
    /^The relay cannot start: RELAY_DATABASE_URL: .*RELAY_WEBHOOK_URL: .*RELAY_WEBHOOK_SECRET: .*\n$/,
  )
})
