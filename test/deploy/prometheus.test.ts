import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GET as metrics } from '@/app/metrics/route'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { systemClock } from '@/lib/core/clock'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { type Console, createConsole, ORIGIN } from '../api/console-fixture'
import { needPrograms } from '../support/installed'
import { effectSpan, store } from '../telemetry/spans'

const SCRAPER = 'scraper-token-of-tests'
const DEPLOY = resolve('deploy/prometheus')

let console: Console
let web: Server
beforeAll(async () => {
  console = await createConsole({ IDEMSCOPE_METRICS_TOKEN: SCRAPER })
  await ensurePartitions(console.db, systemClock)
  // Counters begin with the process: what the test charges is of minutes in which it ran.
  console.app.startedAt = new Date(systemClock.now().getTime() - 600_000)
  // As from another machine: only the token opens it.
  web = createServer((request, response) => {
    const { authorization = '', accept = '' } = request.headers
    const headers = { authorization, accept }
    metrics(new Request(`${ORIGIN}/metrics`, { headers })).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
      response.end(await answer.text())
    })
  })
  await new Promise<void>((done) => web.listen(0, '127.0.0.1', done))
})

const folder = mkdtempSync(join(tmpdir(), 'idemscope-prometheus-'))
const started: ChildProcess[] = []
afterAll(async () => {
  const ended = started.map((child) => new Promise((done) => child.once('exit', done)))
  for (const child of started) child.kill()
  await Promise.all(ended)
  rmSync(folder, { recursive: true })
  web.close()
  await console.close()
})

/** Two customers' charges of a hundred are made twice. */
async function chargeTwice(): Promise<void> {
  const at = new Date(systemClock.now().getTime() - 120_000)
  const id = (index: number, bytes: number) => (index + 1).toString(16).padStart(bytes * 2, '0')
  const effects = Array.from({ length: 100 }, (_, index) =>
    effectSpan({
      traceId: id(index, 16),
      spanId: id(1_000 + index, 8),
      at,
      key: `k${index % 98}`,
      effectId: `ch_${index}`,
    }),
  )
  await store(console.db, systemClock, effects)
  await rollUpDirtyMinutes(console.db, systemClock, { limit: 100 })
}

const RAISE = `
  INSERT INTO condition (id, kind, subject, severity, state, since, fired_at, checked_at, detail)
  VALUES ('cnd_test', 'stuck_keys', 'payments', 'page', 'firing', now(), now(), now(), '{"count": 3}')`

test('promtool finds nothing to say about /metrics', async (context) => {
  needPrograms(context, 'promtool')
  const headers = { authorization: `Bearer ${SCRAPER}` }
  await chargeTwice()
  const text = await (await metrics(new Request(`${ORIGIN}/metrics`, { headers }))).text()
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' })
  expect(text).toContain('idemscope_duplicate_effect_ratio 0.02')
})

test('OpenMetrics is said to who asks for it: counters by their family, an exemplar, and an end', async () => {
  await chargeTwice()
  const ask = async (accept: string) => {
    const headers = { authorization: `Bearer ${SCRAPER}`, accept }
    const answer = await metrics(new Request(`${ORIGIN}/metrics`, { headers }))
    return { type: answer.headers.get('content-type'), text: await answer.text() }
  }
  const open = await ask(
    'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  )
  expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(open.text).toContain('# TYPE idemscope_duplicate_effects counter\n')
  expect(open.text).toMatch(
    /^idemscope_duplicate_effects_total \d+ # \{trace_id="[0-9a-f]{32}"\} 1 \d+(\.\d+)?$/m,
  )
  expect(open.text.endsWith('\n# EOF\n')).toBe(true)
  for (const accept of ['text/plain', '*/*', '']) {
    const plain = await ask(accept)
    expect(plain.type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(plain.text).toContain('# TYPE idemscope_duplicate_effects_total counter\n')
    expect(plain.text).not.toMatch(/trace_id|EOF/)
  }
})

test('a fault fires in Prometheus, reaches Alertmanager, and resolves', async (context) => {
  needPrograms(context, 'prometheus', 'prometheus-alertmanager')
  const alertmanager = await startAlertmanager()
  const prometheus = await startPrometheus(alertmanager)
  await expect.poll(() => query(prometheus, 'idemscope_console_info')).toBe(1)
  expect(await query(prometheus, 'up{job="idemscope"}')).toBe(1)

  // A breach that is measured, and a condition of the console's own.
  await chargeTwice()
  await evaluateConditions(console.app)
  await console.db.pool.query(RAISE)

  const active = () => activeAlerts(alertmanager)
  await expect.poll(active).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        labels: expect.objectContaining({
          alertname: 'IdemscopeStuckKeys',
          subject: 'payments',
          severity: 'page',
        }),
        annotations: expect.objectContaining({
          title: 'Keys are stuck',
          summary: 'Keys are stuck, payments',
          runbook_url: `${ORIGIN}/alerts`,
        }),
      }),
      expect.objectContaining({
        labels: expect.objectContaining({ alertname: 'IdemscopeDuplicateEffects', severity: 'page' }),
      }),
    ]),
  )
  expect(await query(prometheus, 'idemscope_duplicate_effect_ratio')).toBe(0.02)
  // Prometheus asks for OpenMetrics, and keeps the trace of one of them.
  await expect
    .poll(() => exemplarsOf(prometheus, 'idemscope_duplicate_effects_total'))
    .toEqual([{ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) }])

  await console.db.pool.query(
    `UPDATE condition SET state = 'cleared', cleared_at = now() WHERE id = 'cnd_test'`,
  )
  const names = async () => (await active()).map(({ labels }) => labels.alertname)
  await expect.poll(names).not.toContain('IdemscopeStuckKeys')
  expect(await names()).toContain('IdemscopeDuplicateEffects')
})

async function startAlertmanager(): Promise<string> {
  const config = 'route:\n  receiver: none\n  group_wait: 0s\nreceivers:\n  - name: none\n'
  return start('prometheus-alertmanager', 'alertmanager.yml', config, (address) => [
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ])
}

async function startPrometheus(alertmanager: string): Promise<string> {
  const { port } = web.address() as AddressInfo
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [`${DEPLOY}/*.rules.yml`],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    scrape_configs: [
      {
        job_name: 'idemscope',
        authorization: { credentials: SCRAPER },
        static_configs: [{ targets: [`127.0.0.1:${port}`] }],
      },
    ],
  }
  // JSON is YAML.
  return start('prometheus', 'prometheus.yml', JSON.stringify(config), (address) => [
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    `--web.listen-address=${address}`,
    '--enable-feature=exemplar-storage',
  ])
}

/** Resolves with its URL as soon as it is ready. */
async function start(
  program: string,
  file: string,
  config: string,
  options: (address: string) => string[],
): Promise<string> {
  const path = join(folder, file)
  writeFileSync(path, config)
  const address = `127.0.0.1:${await freePort()}`
  const args = [`--config.file=${path}`, ...options(address)]
  started.push(spawn(program, args, { stdio: 'ignore' }))
  const url = `http://${address}`
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await expect.poll(isReady).toBe(true)
  return url
}

async function query(prometheus: string, expression: string): Promise<number | null> {
  const answer = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query: expression })}`)
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
  const value = data.result[0]?.value[1]
  return value === undefined ? null : Number(value)
}

async function exemplarsOf(prometheus: string, series: string): Promise<Record<string, string>[]> {
  const asked = new URLSearchParams({
    query: series,
    start: '0',
    end: String(systemClock.now().getTime() / 1000),
  })
  const answer = await fetch(`${prometheus}/api/v1/query_exemplars?${asked}`)
  const { data } = (await answer.json()) as { data: { exemplars: { labels: Record<string, string> }[] }[] }
  return data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels))
}

type Alert = { labels: Record<string, string>; annotations: Record<string, string> }

const activeAlerts = async (alertmanager: string): Promise<Alert[]> =>
  (await (await fetch(`${alertmanager}/api/v2/alerts?active=true`)).json()) as Alert[]
