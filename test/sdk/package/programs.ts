// What users of the package write, in each module system.

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
import { addIdempotencyKeys } from '@idemscope/sdk/client/axios'
import { idempotencyKeys } from '@idemscope/sdk/client/ky'
import { conditional } from '@idemscope/sdk/conditional'
import { createIssuedKeys } from '@idemscope/sdk/issued-keys'
import * as lambda from '@idemscope/sdk/lambda'
import { toNestHandler } from '@idemscope/sdk/nest'
import { toKoaMiddleware } from '@idemscope/sdk/koa'
import { toHonoHandler } from '@idemscope/sdk/hono'
import { toFastifyHandler } from '@idemscope/sdk/fastify'
import { toExpressHandler } from '@idemscope/sdk/express'
import { IdempotencyUsageError } from '@idemscope/sdk/errors'
import * as hash from '@idemscope/sdk/key-hash'
import * as key from '@idemscope/sdk/idempotency-key'
import * as telemetry from '@idemscope/sdk/telemetry'
import type * as contract from '@idemscope/sdk/stores/store'
import * as grants from '@idemscope/sdk/stores/grants'
import * as redis from '@idemscope/sdk/stores/redis'
import { Redis } from 'ioredis'
import { createClient, createCluster, createSentinel } from 'redis'
export const redisStores = [
  new Redis({ lazyConnect: true }),
  createClient(),
  createCluster({ rootNodes: [] }),
].map((client) => redis.createRedisStore({ client }))
export const sentinelOf = (sentinel: ReturnType<typeof createSentinel>) =>
  redis.createRedisStore({ client: sentinel })
import * as dynamodb from '@idemscope/sdk/stores/dynamodb'
import { createHybridStore } from '@idemscope/sdk/stores/hybrid'
export const hybridStore = createHybridStore({ store: createPostgresStore({ pool: new pg.Pool() }), cache: createClient() })
export { node, client, addIdempotencyKeys, idempotencyKeys, conditional, createIssuedKeys, lambda, toNestHandler, toKoaMiddleware, toHonoHandler, toFastifyHandler, toExpressHandler, IdempotencyUsageError, hash, key, telemetry, grants, dynamodb, type contract }`
/** Without a table or a network: that the entry loads, and builds what needs neither. */
const DYNAMO = `const client = new DynamoDBClient({ region: 'local' })
const store = createDynamoStore({ client, tableName: 'idempotency' })
const tableArn = 'arn:aws:dynamodb:eu-central-1:123456789012:table/idempotency'
console.log(JSON.stringify([store.system, dynamoPolicy({ tableArn, for: 'service' }).Statement.length]))
store.close()`
/** By file name. */
export const PROGRAMS = {
  'main.mjs': `${ES_IMPORTS}${plain}\nawait main('esm')`,
  'main.cjs': `const pg = require('pg')
const { idempotent } = require('@idemscope/sdk')
const { createPostgresStore } = require('@idemscope/sdk/stores/postgres')${plain}\nmain('cjs')`,
  'migrate.cjs': `const pg = require('pg')
const { createPostgresStore } = require('@idemscope/sdk/stores/postgres')
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const store = createPostgresStore({ pool })
store.migrate().then(async (done) => { console.log(JSON.stringify(done)); store.close(); await pool.end() })`,
  'migrate.mjs': `${ES_IMPORTS.replace("import { idempotent } from '@idemscope/sdk'\n", '')}
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const store = createPostgresStore({ pool })
console.log(JSON.stringify(await store.migrate()))
store.close()
await pool.end()`,
  'migrate-anew.mjs': `${ES_IMPORTS.replace("import { idempotent } from '@idemscope/sdk'\n", '')}
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const store = createPostgresStore({ pool, schema: 'packed' })
await pool.query('CREATE SCHEMA packed')
console.log(JSON.stringify(await store.migrate()))
store.close()
await pool.end()`,
  'dynamodb.mjs': `import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createDynamoStore, dynamoPolicy } from '@idemscope/sdk/stores/dynamodb'\n${DYNAMO}`,
  'dynamodb.cjs': `const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const { createDynamoStore, dynamoPolicy } = require('@idemscope/sdk/stores/dynamodb')\n${DYNAMO}`,
  'both.mjs': `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const shared = []
for (const entry of Object.keys(require('@idemscope/sdk/package.json').exports)) {
  if (entry.endsWith('.json')) continue
  const name = entry.replace('.', '@idemscope/sdk')
  const [imported, required] = [await import(name), require(name)]
  for (const item of new Set([...Object.keys(imported), ...Object.keys(required)]))
    shared.push([entry, item, imported[item] !== undefined && imported[item] === required[item]])
}
console.log(JSON.stringify(shared))`,
  'fault.mjs': `import { idempotent } from '@idemscope/sdk'
try { idempotent(() => new Response(), {}) } catch (error) { console.log(error.stack) }`,
  'use.mts': `${ES_IMPORTS}\n${EVERY_ENTRY}${BODY}\nawait main('types')`,
  'browser.mjs': `import { createIdempotentFetch } from '@idemscope/sdk/client'
import { addIdempotencyKeys } from '@idemscope/sdk/client/axios'
import { idempotencyKeys } from '@idemscope/sdk/client/ky'
export { createIdempotentFetch, addIdempotencyKeys, idempotencyKeys }`,
  'lambda.mjs': `${ES_IMPORTS}${plain}\nexport const done = main('lambda')`,
}
