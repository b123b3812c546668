import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROUTES } from '@/app/_server/api/table'
import { GET } from '@/app/api/v1/openapi.json/route'
import { PERMISSIONS } from '@/lib/core/permissions'
import { bearer, type Console, createConsole, get, ORIGIN } from './console-fixture'

let console: Console
// biome-ignore lint/suspicious/noExplicitAny: the document is read as any client's generator reads it.
let document: any

beforeAll(async () => {
  console = await createConsole()
  document = await (await GET(new Request(`${ORIGIN}/api/v1/openapi.json`))).json()
})
afterAll(() => console.close())

test('the document names every route of the table and every route file, and nothing else', () => {
  const table = ROUTES.map(({ method, path }) => `${method} /${path}`)
  expect(new Set(table).size).toBe(table.length)
  const files = readdirSync('app/api/v1', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('route.ts'))
    .map((file) => file.replace(/\/route\.ts$/, ''))
    .filter((file) => file !== '[...path]' && file !== 'openapi.json')
    .map((file) => `GET /${file}`)
  const documented = Object.entries<object>(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(documented.toSorted()).toEqual([...table, ...files].toSorted())
})

test('the core of the API is there', () => {
  const core = [
    'GET measures',
    'GET keys',
    'GET keys/{id}',
    'GET locks',
    'POST locks/release',
    'POST locks/complete',
    'POST locks/fail',
    'GET actions/{id}',
    'GET effects',
    'POST reconciliation/runs',
    'GET runs/{id}',
    'GET reconciliation/cases',
    'POST reconciliation/cases/{id}/proposals',
    'POST actions/{id}/approve',
    'POST actions/{id}/reject',
    'POST retention/runs',
    'GET audit',
    'GET sources',
  ]
  expect(ROUTES.map(({ method, path }) => `${method} ${path}`)).toEqual(expect.arrayContaining(core))
})

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to)
  expect(references.length).toBeGreaterThan(50)
  for (const reference of new Set(references)) {
    const name = reference?.replace('#/components/schemas/', '') ?? ''
    expect(document.components.schemas, reference).toHaveProperty(name)
  }
})

test('every POST asks for a key, every route says who may', () => {
  for (const route of ROUTES) {
    const operation = document.paths[`/${route.path}`][route.method.toLowerCase()]
    const headers = operation.parameters.filter((each: { in: string }) => each.in === 'header')
    expect(headers.map(({ name }: { name: string }) => name)).toEqual(
      route.method === 'POST' ? ['Idempotency-Key'] : [],
    )
    expect(operation.description).toContain(`Roles: ${PERMISSIONS[route.verb].join(', ')}.`)
  }
})

test('operation ids are unique', () => {
  const ids = Object.values<Record<string, { operationId: string }>>(document.paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
})

const QUERY: Record<string, string> = { effects: '?kind=duplicate', 'series/rates': '?measure=M2' }
/** What answers in JSON; a file has a test of its own. */
const readable = ROUTES.filter(
  ({ method, params, responses }) =>
    method === 'GET' && params === undefined && responses[200]?.contentType === undefined,
)

test.each(readable.map(({ path }) => path))('GET %s answers what the document says', async (path) => {
  const route = readable.find((each) => each.path === path)
  const { status, body } = await get(`${path}${QUERY[path] ?? ''}`, bearer(console.tokens.viewer))
  expect(status).toBe(200)
  const parsed = route?.responses[200]?.schema.safeParse(body)
  expect(parsed?.error?.issues).toBeUndefined()
  // Fields are only added: an answer never has one that is not written down.
  expect(parsed?.data).toEqual(body)
})
