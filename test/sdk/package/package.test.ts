import { randomUUID } from 'node:crypto'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createStoreFixture, type StoreFixture } from '../support'
import { type Consumer, createConsumer, INSTALL_MS_MAX, run } from './consumer'
import { PROGRAMS } from './programs'
import { readApi } from './read-api'
import { readSchema } from './read-schema'
import { type Started, startProgram } from './start-program'

// The package as its users get it: packed, installed from the tarball in an empty project, and run there.

/** What is installed, and what one entry point adds to a bundle (minified, gzipped). */
const PACKED_BYTES_MAX = 150_000
const BUNDLED_BYTES_MAX = 40_000
const START_MS_MAX = 120_000

const root = process.cwd()
const bin = (name: string) => resolve(root, 'node_modules/.bin', name)

const BESIDE = [
  ...[
    '@aws-sdk/client-dynamodb',
    '@aws-sdk/client-sqs',
    'ioredis',
    'redis',
    'pg',
    '@opentelemetry/api',
    '@types/pg',
    '@types/node',
    'typescript',
    'tsx',
    '@types/react',
  ],
  ...['express', 'fastify', 'hono', '@hono/node-server', 'next', 'react', 'react-dom'],
]

let consumer: Consumer
let project: string
let fixture: StoreFixture
let charges = 0
const provider = createServer((request, response) => {
  request.resume()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ id: `ch_${++charges}_${randomUUID()}` }))
})
const started: Started[] = []
const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  DATABASE_URL: fixture.url,
  IDEMSCOPE_KEY_SECRET: 'test-secret-of-32-characters-0000',
  PROVIDER_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
  ...more,
})
const installed = () => join(project, 'node_modules/@idemscope/sdk')
const inProject = (command: string, args: string[], more?: Record<string, string>) =>
  run(command, args, { cwd: project, env: environment(more) })

beforeAll(async () => {
  fixture = await createStoreFixture(2)
  consumer = await createConsumer(BESIDE)
  project = consumer.folder
  await Promise.all(Object.entries(PROGRAMS).map(([name, text]) => writeFile(join(project, name), text)))
  await cp('docs/examples', project, { recursive: true })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
}, INSTALL_MS_MAX)

afterEach(() => {
  for (const { stop } of started.splice(0)) stop()
})

afterAll(async () => {
  provider.close()
  await consumer.remove()
  await fixture.close()
})

const ONCE = { answers: [201, 201], runs: 1 }

type Entry = { require: { default: string } }

async function readEntries(): Promise<Entry[]> {
  const { exports } = JSON.parse(await readFile(join(installed(), 'package.json'), 'utf8'))
  return Object.values<string | Entry>(exports).filter((target) => typeof target !== 'string')
}

test('is small, and no consumer resolves it wrongly', async () => {
  expect(consumer.tarball.bytes).toBeLessThanOrEqual(PACKED_BYTES_MAX)
  await run(bin('publint'), ['--strict', consumer.tarball.path])
  await run(bin('attw'), [consumer.tarball.path, '--profile', 'node16'])
})

test('runs a handler once as an ES module and as CommonJS', async () => {
  for (const program of ['main.mjs', 'main.cjs'])
    expect(JSON.parse((await inProject('node', [program])).stdout), program).toEqual(ONCE)
})

test('loads the DynamoDB store as an ES module and as CommonJS', async () => {
  for (const program of ['dynamodb.mjs', 'dynamodb.cjs'])
    expect(JSON.parse((await inProject('node', [program])).stdout), program).toEqual(['dynamodb', 3])
})

test('each entry point is the same imported and required: there is one of each class', async () => {
  const shared: [string, string, boolean][] = JSON.parse((await inProject('node', ['both.mjs'])).stdout)
  expect(shared).toContainEqual(['./errors', 'HeldError', true])
  expect(new Set(shared.map(([entry]) => entry)).size).toBe((await readEntries()).length)
  expect(shared.filter(([, , same]) => !same)).toEqual([])
})

test('a stack names the file and the line of this repository', async () => {
  const { stdout } = await inProject('node', ['--enable-source-maps', 'fault.mjs'])
  const [, line] = /sdk[/]run[/]options\.ts:(\d+)/.exec(stdout) ?? []
  const lines = (await readFile('sdk/run/options.ts', 'utf8')).split('\n')
  expect(lines[Number(line) - 1]).toContain('throw new IdempotencyOptionsError(')
})

test('is run by the Node that runs the tests', async () => {
  expect((await inProject('node', ['--version'])).stdout.trim()).toBe(process.version)
  expect((await inProject('npx', ['tsx', '--eval', 'console.log(process.version)'])).stdout.trim()).toBe(
    process.version,
  )
})

async function bundle(name: string): Promise<string> {
  const outfile = join(project, `bundle-of-${name}.cjs`)
  await build({
    entryPoints: [join(project, name)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
  })
  return outfile
}

test('has its migrations wherever it is installed, and in a bundle', async () => {
  for (const program of ['migrate.cjs', 'migrate.mjs', await bundle('migrate.cjs')])
    expect(JSON.parse((await inProject('node', [program])).stdout), program).toEqual({ applied: [] })
})

test('its migrations, which are shortened in it, make the same schema', async () => {
  const { applied } = JSON.parse((await inProject('node', ['migrate-anew.mjs'])).stdout)
  expect(applied).toEqual((await readdir('sdk/migrations')).sort())
  const packed = await readSchema(fixture, 'packed')
  expect(packed.length).toBeGreaterThan(100)
  expect(packed).toEqual(await readSchema(fixture, 'public'))
})

test('type-checks strictly, with the module resolution of Node and of bundlers', async () => {
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'ES2023']
  for (const resolution of [
    ['--module', 'node16', '--moduleResolution', 'node16'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ])
    await inProject(join(project, 'node_modules/.bin/tsc'), [...strict, ...resolution, 'use.mts'])
})

test('adds little to a bundle, whichever entry point it imports', async () => {
  const sizes = await Promise.all(
    (await readEntries()).map(async ({ require: { default: path } }) => {
      const { outputFiles } = await build({
        entryPoints: [join(installed(), path)],
        bundle: true,
        minify: true,
        platform: 'node',
        packages: 'external',
        write: false,
      })
      return { path, bytes: gzipSync(outputFiles[0]?.contents ?? '').byteLength }
    }),
  )
  expect(sizes.length).toBeGreaterThan(20)
  expect(sizes.filter(({ bytes }) => bytes > BUNDLED_BYTES_MAX)).toEqual([])
})

test('is bundled into one file, as for Lambda', async () => {
  expect(JSON.parse((await inProject('node', [await bundle('lambda.mjs')])).stdout)).toEqual(ONCE)
})

test('its client is bundled for browsers', async () => {
  // Fails on whatever only Node has.
  await build({
    entryPoints: [join(project, 'browser.mjs')],
    outfile: join(project, 'browser.js'),
    bundle: true,
    platform: 'browser',
  })
})

test('its public API is the one in sdk/api.txt: `npx vitest run test/sdk/package -u` after a change', async () => {
  const api = await readApi(installed())
  await expect(api).toMatchFileSnapshot(resolve(root, 'sdk/api.txt'))
})

// docs/examples as a reader runs them.

async function start(args: (port: number) => string[]): Promise<Started> {
  const program = await startProgram(project, args, environment())
  started.push(program)
  return program
}

async function pay(url: string, key: string): Promise<{ status: number; id: string }> {
  const response = await fetch(`${url}/v1/payments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-client': 'examples', 'idempotency-key': key },
    body: '{"amountMinor":1050,"currency":"USD"}',
  })
  return { status: response.status, ...(await response.json()) }
}

test.each([
  ['express', () => ['tsx', 'express.ts']],
  ['fastify', () => ['tsx', 'fastify.ts']],
  ['hono', () => ['tsx', 'hono.ts']],
  ['next', (port: number) => ['next', 'dev', 'next', '--hostname', '127.0.0.1', '--port', String(port)]],
])('%s charges once for each key', { timeout: START_MS_MAX }, async (_, args) => {
  const before = charges
  const { url } = await start(args)
  const first = await pay(url, `key-${randomUUID()}`)
  const key = `key-${randomUUID()}`
  const [second, third] = [await pay(url, key), await pay(url, key)]
  expect([first.status, second.status, third.status]).toEqual([201, 201, 201])
  expect(third.id).toBe(second.id)
  expect(first.id).not.toBe(second.id)
  expect(charges - before).toBe(2)
})

test('the worker pays each row once, although it dies before it has marked one', {
  timeout: START_MS_MAX,
}, async () => {
  const { url } = await start(() => ['tsx', 'express.ts'])
  await fixture.query(
    'CREATE TABLE payout (id text PRIMARY KEY, amount_minor bigint, currency text, sent_at timestamptz)',
  )
  await fixture.query(`INSERT INTO payout VALUES ('payout-1', 500, 'USD'), ('payout-2', 700, 'USD')`)
  const before = charges
  const work = () => inProject('npx', ['tsx', 'worker.ts'], { PAYMENTS_URL: url })
  await work()
  expect(charges - before).toBe(2)
  // As after a crash between the answer and the UPDATE.
  await fixture.query(`UPDATE payout SET sent_at = NULL WHERE id = 'payout-2'`)
  await work()
  expect(charges - before).toBe(2)
  expect(await fixture.query('SELECT id FROM payout WHERE sent_at IS NULL')).toEqual([])
})
