import { connect } from 'node:net'
import { afterAll, beforeEach } from 'vitest'
import { createStoreFixture, runGateway, type Settings, type StoreFixture } from './gateway-fixture'
import { type Behaviour, startSocketUpstream } from './socket-upstream'

/** A store, an upstream and a gateway between them for all tests of a file; before each the upstream is as `usual` says. */
export async function openWorld(
  settingsOf: (fixture: StoreFixture, upstreamUrl: string) => Settings,
  usual?: Behaviour,
) {
  const fixture = await createStoreFixture()
  const upstream = await startSocketUpstream()
  const gateway = await runGateway(settingsOf(fixture, upstream.url))
  afterAll(async () => {
    await gateway.stop()
    await upstream.close()
    await fixture.close()
  })
  beforeEach(() => {
    upstream.received.length = 0
    if (usual !== undefined) upstream.behave(usual)
  })
  return { fixture, upstream, gateway }
}

/** What is answered to these bytes, until the connection ends. */
export const sendRaw = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
