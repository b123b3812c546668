import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStoreFixture, type StoreFixture } from '../support'
import { readApi } from './read-api'

// The package as its users get it: packed, installed from the tarball in an empty project, and run there.

const PACKED_BYTES_MAX = 150_000
const INSTALL_MS_MAX = 240_000

const run = promisify(execFile)
const root = process.cwd()
const bin = (name: string) => resolve(root, 'node_modules/.bin', name)

let project: string
let tarball: { path: string; bytes: number }
let fixture: StoreFixture
const inProject = (command: string, args: string[]) =>
  run(command, args, { cwd: project, env: { ...process.env, DATABASE_URL: fixture.url } })

beforeAll(async () => {
  fixture = await createStoreFixture(2)
  project = await mkdtemp(join(tmpdir(), 'idemscope-package-'))
  const packed = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: 'sdk' })
  const [{ filename, size }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[')))
  tarball = { path: join(project, filename), bytes: size }
  const { devDependencies, dependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  const version = (name: string) => `${name}@${{ ...devDependencies, ...dependencies }[name]}`
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  const beside = ['pg', '@opentelemetry/api', '@types/pg', '@types/node', 'typescript'].map(version)
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball.path, ...beside], {
    cwd: project,
  })
  await Promise.all(Object.entries(PROGRAMS).map(([name, text]) => writeFile(join(project, name), text)))
}, INSTALL_MS_MAX)

afterAll(async () => {
  await rm(project, { recursive: true, force: true })
  await fixture.close()
})

/** Sends one request twice to a handler on a real store, and prints what came back and how often it ran. */
const BODY = `
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const store = createPostgresStore({ pool })
let runs = 0
const handler = idempotent(
  async (request: Request) => {
    runs += 1
    return Response.json(await request.json(), { status: 201 })
  },
  { store, keySecret: 'test-secret-of-32-characters-0000', scope: () => ({ caller: 'consumer', route: '/v1/payments' }) },
)
async function main(key: string) {
  const answers: number[] = []
  for (let turn = 0; turn < 2; turn++) {
    const request = new Request('http://localhost/v1/payments', {
      method: 'POST',
      headers: { 'idempotency-key': key, 'content-type': 'application/json' },
      body: '{"amount":1050}',
    })
    answers.push((await handler(request)).status)
  }
  console.log(JSON.stringify({ answers, runs }))
  store.close()
  await pool.end()
}`
const plain = BODY.replaceAll(': number[]', '').replaceAll(': string', '').replaceAll(': Request', '')
const ES_IMPORTS = `import pg from 'pg'
import { idempotent } from '@idemscope/sdk'
import { createPostgresStore } from '@idemscope/sdk/stores/postgres'`
const EVERY_ENTRY = `import * as node from '@idemscope/sdk/node'
import * as client from '@idemscope/sdk/client'
import { IdempotencyUsageError } from '@idemscope/sdk/errors'
import * as hash from '@idemscope/sdk/key-hash'
import * as key from '@idemscope/sdk/idempotency-key'
import * as telemetry from '@idemscope/sdk/telemetry'
import type * as contract from '@idemscope/sdk/stores/store'
import * as grants from '@idemscope/sdk/stores/grants'
export { node, client, IdempotencyUsageError, hash, key, telemetry, grants, type contract }`
const PROGRAMS = {
  'main.mjs': `${ES_IMPORTS}${plain}\nawait main('esm')`,
  'main.cjs': `const pg = require('pg')
const { idempotent } = require('@idemscope/sdk')
const { createPostgresStore } = require('@idemscope/sdk/stores/postgres')${plain}\nmain('cjs')`,
  'migrate.cjs': `const pg = require('pg')
const { createPostgresStore } = require('@idemscope/sdk/stores/postgres')
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const store = createPostgresStore({ pool })
store.migrate().then(async (done) => { console.log(JSON.stringify(done)); store.close(); await pool.end() })`,
  'use.mts': `${ES_IMPORTS}\n${EVERY_ENTRY}${BODY}\nawait main('types')`,
  'lambda.mjs': `${ES_IMPORTS}${plain}\nexport const done = main('lambda')`,
}
const ONCE = { answers: [201, 201], runs: 1 }

test('is small, and no consumer resolves it wrongly', async () => {
  expect(tarball.bytes).toBeLessThanOrEqual(PACKED_BYTES_MAX)
  await run(bin('publint'), ['--strict', tarball.path])
  await run(bin('attw'), [tarball.path, '--profile', 'node16'])
})

test('runs a handler once as an ES module and as CommonJS', async () => {
  for (const program of ['main.mjs', 'main.cjs'])
    expect(JSON.parse((await inProject('node', [program])).stdout), program).toEqual(ONCE)
})

test('finds its migrations wherever it is installed', async () => {
  expect(JSON.parse((await inProject('node', ['migrate.cjs'])).stdout)).toEqual({ applied: [] })
})

test('type-checks strictly, with the module resolution of Node and of bundlers', async () => {
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'ES2023']
  for (const resolution of [
    ['--module', 'node16', '--moduleResolution', 'node16'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ])
    await inProject(join(project, 'node_modules/.bin/tsc'), [...strict, ...resolution, 'use.mts'])
})

test('is bundled into one file, as for Lambda', async () => {
  const outfile = join(project, 'bundle.cjs')
  await build({
    entryPoints: [join(project, 'lambda.mjs')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
  })
  expect(JSON.parse((await inProject('node', [outfile])).stdout)).toEqual(ONCE)
})

test('its public API is the one in sdk/api.txt: `npx vitest run test/sdk/package -u` after a change', async () => {
  const api = await readApi(join(project, 'node_modules/@idemscope/sdk'))
  await expect(api).toMatchFileSnapshot(resolve(root, 'sdk/api.txt'))
})
