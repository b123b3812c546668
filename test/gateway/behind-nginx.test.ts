import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, type TestContext, test } from 'vitest'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { needPrograms } from '../support/installed'
import { makeThrowAwayFolder } from '../support/throw-away-folder'
import { createStoreFixture, pay, problemOf, runGateway, settingsFor } from './gateway-fixture'

// The real nginx in front, a service in Python behind.

type Payment = { key: string; attempt: string; amount: number }

async function startWorld({ onTestFinished }: TestContext) {
  const fixture = await createStoreFixture()
  const service = spawn('python3', ['test/gateway/python-upstream.py'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const serviceUrl = `http://127.0.0.1:${await firstLine(service)}`
  const gateway = await runGateway(
    settingsFor(
      fixture,
      serviceUrl,
      {},
      {
        trustedProxies: ['127.0.0.0/8'],
        callers: { web: { header: 'X-Client' } },
      },
    ),
  )
  const port = await freePort()
  const nginx = startNginx(port, gateway.port)
  onTestFinished(async () => {
    nginx.kill('SIGTERM')
    service.kill('SIGTERM')
    await gateway.stop()
    await fixture.close()
  })
  const front = { url: `http://127.0.0.1:${port}` }
  await expect
    .poll(() =>
      fetch(front.url).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(404)
  const payments = async () => (await (await fetch(serviceUrl)).json()) as Payment[]
  return { fixture, front, payments }
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('no output')
  for await (const line of createInterface({ input: stdout })) return line
  throw new Error('the service ended')
}

/** As the guide shows it, on loopback. */
function startNginx(port: number, gatewayPort: number): ChildProcess {
  const folder = makeThrowAwayFolder('nginx')
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  )
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off; ${temporary.join(' ')}
      upstream gateway { server 127.0.0.1:${gatewayPort}; keepalive 32; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://gateway;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Host $host;
          proxy_set_header X-Client "acme";
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_next_upstream off;
        }
      }
    }`,
  )
  return spawn('nginx', ['-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
}

test('a Python service is protected behind nginx', async (context) => {
  needPrograms(context, 'nginx', 'python3')
  const { fixture, front, payments } = await startWorld(context)
  const key = randomUUID()
  // The client's own word on who it is does not count: nginx writes over it.
  const headers = { 'x-client': 'somebody', 'accept-encoding': 'gzip' }
  const answers = await Promise.all(Array.from({ length: 8 }, () => pay(front, key, { headers })))
  const bodies = await Promise.all(
    answers.filter(({ status }) => status === 201).map((answer) => answer.json()),
  )
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1)
  expect(await payments()).toEqual([{ key: `"${key}"`, attempt: '1', amount: 100 }])
  const again = await pay(front, key)
  expect([
    again.status,
    again.headers.get('idempotent-replayed'),
    again.headers.get('content-encoding'),
  ]).toEqual([201, 'true', 'gzip'])
  const scopes = await fixture.query<{ name: string }>('SELECT name FROM idem_scope')
  expect(scopes).toEqual([{ name: 'acme/POST /v1/payments' }])
  for (let n = 0; n < 5; n++) expect((await fetch(`${front.url}/v1/payments/${n}`)).status).toBe(200)

  // It executes and closes without a word.
  const lost = randomUUID()
  const body = '{"amount":666}'
  const first = await pay(front, lost, { body })
  expect([first.status, await problemOf(first)]).toEqual([502, 'outcome-unknown'])
  const retry = await pay(front, lost, { body })
  expect([retry.status, await problemOf(retry)]).toEqual([409, 'unknown-outcome'])
  expect((await payments()).filter(({ amount }) => amount === 666)).toHaveLength(1)
})
