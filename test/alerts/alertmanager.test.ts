import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { type Fact, messageOf, testMessage } from '@/lib/alerts/notify/message'
import { sendTo } from '@/lib/alerts/notify/send'
import { sealSecret } from '@/lib/sources/credentials'
import { CREDENTIALS_KEY, setSettings, TELLING_HERE } from '../support/settings'
import { startWebhook } from './webhook'

setSettings({ ...TELLING_HERE, IDEMSCOPE_ENVIRONMENT: 'staging' })

const PROGRAM = ['prometheus-alertmanager', 'alertmanager'].find(
  (name) => spawnSync('which', [name]).status === 0,
)
const absent = 'a real Alertmanager: not installed (Debian: apt-get install prometheus-alertmanager)'

const fact: Fact = {
  event: 'raised',
  dedupeKey: 'alr_0:raised',
  incident: 'nin_0',
  replaces: null,
  severity: 'page',
  kind: 'stale_source',
  system: 'payments',
  alerts: [
    {
      id: 'alr_0',
      kind: 'stale_source',
      severity: 'page',
      subject: 'src_0',
      since: new Date().toISOString(),
      clearedAt: null,
      incidentId: null,
      detail: { name: 'payments-ledger "é" <b>', error: 'connection refused' },
    },
  ],
  count: 1,
  raises: 1,
  firing: 1,
  acknowledgement: null,
  changes: [],
}

describe.skipIf(PROGRAM === undefined)(PROGRAM === undefined ? absent : 'a real Alertmanager', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const folder = mkdtempSync(join(tmpdir(), 'alertmanager-'))
  const receiver = {
    id: 'rcv_1',
    kind: 'alertmanager',
    secret: sealSecret(CREDENTIALS_KEY, 'rcv_1', { url: `${url}/` }),
  }
  let hook: Awaited<ReturnType<typeof startWebhook>>
  let server: ChildProcess

  beforeAll(async () => {
    hook = await startWebhook()
    writeFileSync(
      join(folder, 'alertmanager.yml'),
      `route: { receiver: hook, group_by: [alertname, system], group_wait: 100ms, group_interval: 1s }
receivers: [{ name: hook, webhook_configs: [{ url: '${hook.url}', send_resolved: true }] }]
`,
    )
    server = spawn(
      PROGRAM ?? '',
      [
        `--config.file=${folder}/alertmanager.yml`,
        `--storage.path=${folder}/data`,
        `--web.listen-address=${url.replace('http://', '')}`,
        '--cluster.listen-address=',
      ],
      { stdio: 'ignore' },
    )
    await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).status).toBe(200), {
      timeout: 20_000,
    })
  })
  afterAll(async () => {
    const ended = once(server, 'exit')
    server.kill()
    await Promise.all([ended, hook.close()])
    rmSync(folder, { recursive: true })
  })

  const alerts = async () => (await fetch(`${url}/api/v2/alerts`)).json()
  const statuses = () => hook.received.map(({ body }) => body.status)

  test('takes an alert, keeps it one however often it is repeated, and resolves it', async () => {
    const say = (change: Partial<Fact>) => sendTo(receiver, messageOf({ ...fact, ...change }, new Date()))
    expect(await say({})).toMatchObject({ answered: 'delivered', posted: { status: 200 } })
    expect(await say({ event: 'refresh', count: 500, raises: 900, firing: 500 })).toMatchObject({
      answered: 'delivered',
    })
    const [held, ...others] = await alerts()
    expect(others).toEqual([])
    expect(held).toMatchObject({
      labels: { alertname: 'stale_source', severity: 'page', system: 'payments', environment: 'staging' },
      annotations: { summary: 'Source cannot be read, 500 alerts', count: '500' },
      startsAt: fact.alerts[0]?.since,
    })
    expect(Date.parse(held.endsAt) - Date.now()).toBeGreaterThan(5 * 60_000)
    await expect.poll(statuses).toEqual(['firing'])
    expect(await say({ event: 'cleared', firing: 0 })).toMatchObject({ answered: 'delivered' })
    await expect.poll(statuses).toEqual(['firing', 'resolved'])
    expect(await alerts()).toEqual([])
  })

  test('a test notification is an alert of its own that ends by itself', async () => {
    expect(await sendTo(receiver, testMessage('req_1', 'Ada', new Date()))).toMatchObject({
      answered: 'delivered',
    })
    const [held] = await alerts()
    expect(held.labels).toMatchObject({ alertname: 'idemscope_test', severity: 'none' })
    expect(Date.parse(held.endsAt) - Date.now()).toBeLessThan(61_000)
  })
})
