import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { vi } from 'vitest'
import { stringify } from 'yaml'
import { type Gateway, startGateway } from '@/gateway/start'
import { startTelemetry } from '@/gateway/telemetry/telemetry'
import { type Clock, systemClock } from '@/sdk/clock'
import { createStoreFixture, KEY_SECRET, type StoreFixture } from '../sdk/support'

export type Settings = Record<string, unknown>

export type RunningGateway = Gateway & {
  url: string
  adminUrl: string
  file: string
  write(settings: Settings): void
  /** Lines of its log so far. */
  lines(): Record<string, unknown>[]
  stop(): Promise<void>
}

/** One route to one upstream; what is given replaces or adds. */
export const settingsFor = (
  fixture: Pick<StoreFixture, 'url'>,
  upstreamUrl: string,
  route: Settings = {},
  more: Settings = {},
): Settings => ({
  listen: '127.0.0.1:0',
  admin: '127.0.0.1:0',
  keySecret: KEY_SECRET,
  stores: { main: { type: 'postgres', url: fixture.url, migrate: false, tiers: { default: '1h' } } },
  upstreams: { payments: { url: upstreamUrl, connectTimeout: '2s' } },
  callers: { web: { fixed: 'web' } },
  routes: [
    {
      methods: ['POST'],
      path: '/v1/payments',
      upstream: 'payments',
      store: 'main',
      caller: 'web',
      deadline: '20s',
      ...route,
    },
    {
      methods: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
      path: '/open/**',
      upstream: 'payments',
      key: 'off',
    },
    { methods: ['GET'], path: '/v1/payments/{id}', upstream: 'payments' },
  ],
  ...more,
})

/** In this process, once its stores were reached. */
export async function runGateway(settings: Settings, clock?: Clock): Promise<RunningGateway> {
  const gateway = await startUnready(settings, clock)
  await vi.waitFor(
    async () => {
      if ((await fetch(`${gateway.adminUrl}/readyz`)).status !== 200) throw new Error('not ready')
    },
    { timeout: 60_000, interval: 10 },
  )
  return gateway
}

export async function startUnready(settings: Settings, clock: Clock = systemClock): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-gateway-'))
  const file = join(folder, 'gateway.yaml')
  const write = (changed: Settings) => writeFileSync(file, stringify(changed))
  write(settings)
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const gateway = await startGateway({
    file,
    sources: { env: {} },
    clock,
    random: () => 0.5,
    log,
    telemetry: (config) => startTelemetry(config, randomUUID(), log),
  })
  return {
    ...gateway,
    url: `http://127.0.0.1:${gateway.port}`,
    adminUrl: `http://127.0.0.1:${gateway.adminPort}`,
    file,
    write,
    lines: () => lines,
    async stop() {
      await gateway.drain()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export { createStoreFixture, type StoreFixture }

/** A payment of one's own key, unless it is given. */
export const pay = (
  gateway: { url: string },
  key: string = randomUUID(),
  {
    body = '{"amount":100}',
    path = '/v1/payments',
    headers = {} as Record<string, string>,
    signal = null as AbortSignal | null,
  } = {},
): Promise<Response> =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"`, ...headers },
    body,
    signal,
  })

export const problemOf = async (response: Response): Promise<string> =>
  String(((await response.json()) as { type?: string }).type).replace('urn:idemscope:problem:', '')

/** As the store has it: state of the lease, of the step, and what is known of it. */
export async function keyState(fixture: StoreFixture, key: string) {
  const [lease] = await fixture.query<{ state: string; attempts: number }>(
    'SELECT state, attempts FROM idem_lease WHERE key = idem_key_bytes($1)',
    [key],
  )
  const steps = await fixture.query<{ step: string; state: string; kind: string; result: unknown }>(
    'SELECT step, state, kind, result FROM idem_step WHERE key = idem_key_bytes($1) ORDER BY step',
    [key],
  )
  return { state: lease?.state ?? null, attempts: lease?.attempts ?? 0, steps }
}
