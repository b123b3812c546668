import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IdempotencyUsageError } from '@/sdk/errors'
import { idempotent } from '@/sdk/idempotent'
import { createIssuedKeys, type IssuedKeysOptions } from '@/sdk/keys/issued-keys'
import { createStoreFixture, idempotentOn, KEY_SECRET, postJson, type StoreFixture } from '../support'

let fixture: StoreFixture
const wrap = idempotentOn(() => fixture)
let nowMs = 0

beforeAll(async () => {
  fixture = await createStoreFixture()
})
beforeEach(() => {
  nowMs = Date.UTC(2026, 10, 30)
})
afterAll(() => fixture.close())

const OLD = { id: '2026-10', secret: 'o'.repeat(32) }
const NEW = { id: '2026-11', secret: 'n'.repeat(32) }
const create = (over: Partial<IssuedKeysOptions> = {}) =>
  createIssuedKeys({ secrets: [NEW, OLD], lifetimeMs: 60_000, dateNowMs: () => nowMs, ...over })
const ROUTE = { caller: 'web', route: '/v1/payments' }

function setUp(issued = create()) {
  const executed: unknown[] = []
  const warnings: IdempotencyUsageError[] = []
  const serve = wrap(
    async (request) => {
      executed.push(await request.json())
      return Response.json({ executed: executed.length }, { status: 201 })
    },
    { requireIssuedKey: issued, onUsageWarning: (warning) => warnings.push(warning) },
  )
  const send = async (key: string | null, body: unknown = {}) => {
    const response = await serve(postJson(body, key === null ? {} : { 'idempotency-key': key }))
    const { type, executed } = await response.json()
    return [response.status, type?.replace('urn:idemscope:problem:', '') ?? executed]
  }
  return { issued, send, executed, warnings }
}

describe('a key that the service has issued', () => {
  it('begins one execution, and replays its answer', async () => {
    const { issued, send, executed } = setUp()
    const { key, expiresAt } = issued.issueKey(ROUTE)
    expect(expiresAt).toEqual(new Date(nowMs + 60_000))
    expect(await Promise.all([send(key), send(`"${key}"`)])).toContainEqual([201, 1])
    expect(await send(key)).toEqual([201, 1])
    expect(await send(key, { other: true })).toEqual([422, 'key-reused'])
    expect(executed).toEqual([{}])
    expect(issued.issueKey(ROUTE).key).not.toBe(key)
  })

  it('is one of the same text only', async () => {
    const { issued, send } = setUp()
    const { key } = issued.issueKey(ROUTE)
    expect(key.length).toBeLessThanOrEqual(255)
    const [head = '', id = '', end = '', nonce = '', mac = ''] = key.split('.')
    const forged = [
      'my-own-key',
      `${key}a`,
      key.slice(0, -1),
      [head, id, end, nonce, `${mac.slice(0, -1)}${mac.endsWith('A') ? 'B' : 'A'}`].join('.'),
      [head, id, (Number.parseInt(end, 36) + 1).toString(36), nonce, mac].join('.'),
      [head, id, `0${end}`, nonce, mac].join('.'),
      [head, 'gone', end, nonce, mac].join('.'),
      [head, OLD.id, end, nonce, mac].join('.'),
      [head, id, end, `${nonce}x`, mac].join('.'),
    ]
    for (const text of forged) expect(await send(text), text).toEqual([400, 'key-not-issued'])
    expect(await send(null)).toEqual([400, 'key-missing'])
    expect(await send('"open')).toEqual([400, 'key-malformed'])
  })

  it('is bound to its caller, its route and its method', async () => {
    const { issued, send, executed } = setUp()
    for (const binding of [
      { ...ROUTE, caller: 'other' },
      { ...ROUTE, route: '/v1/refunds' },
      { ...ROUTE, method: 'PUT' },
    ])
      expect(await send(issued.issueKey(binding).key)).toEqual([400, 'key-not-issued'])
    expect(executed).toEqual([])
  })

  it('begins nothing once it has expired, but its answer is still replayed', async () => {
    const { issued, send, executed } = setUp()
    const [used, unused] = [issued.issueKey(ROUTE).key, issued.issueKey(ROUTE).key]
    await send(used)
    nowMs += 59_999
    expect(await send(issued.issueKey(ROUTE).key)).toEqual([201, 2])
    nowMs += 1
    expect(await send(unused)).toEqual([400, 'key-expired'])
    expect(await send(used)).toEqual([201, 1])
    expect(await send(used, { other: true })).toEqual([422, 'key-reused'])
    expect(executed).toHaveLength(2)
  })

  it('is taken while its secret is still known', async () => {
    const before = create({ secrets: [OLD] }).issueKey(ROUTE).key
    const { send } = setUp()
    expect(await send(before)).toEqual([201, 1])
    const after = setUp(create({ secrets: [NEW] }))
    expect(await after.send(create({ secrets: [OLD] }).issueKey(ROUTE).key)).toEqual([400, 'key-not-issued'])
    expect(create().issueKey(ROUTE).key).toContain(NEW.id)
  })

  it('is warned of when its record is gone before it', async () => {
    // The fixture's tier keeps records for an hour, by the database's clock.
    const { issued, send, warnings } = setUp(
      create({ lifetimeMs: 2 * 3_600_000, dateNowMs: () => Date.now() }),
    )
    await send(issued.issueKey(ROUTE).key)
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('tier default forgets this key before it expires'),
    ])
  })

  it('names the faults of its options', () => {
    expect(() => create({ secrets: [] })).toThrow('secrets must have one')
    expect(() => create({ secrets: [NEW, NEW], lifetimeMs: 1 })).toThrow(/id of its own.*lifetimeMs/)
    expect(() => create({ secrets: [{ id: 'a.b', secret: 'short' }] })).toThrow(/letters.*32 characters/)
    const options = { store: fixture.store, keySecret: KEY_SECRET, scope: () => ROUTE }
    expect(() =>
      idempotent(async () => new Response(), {
        ...options,
        requireIssuedKey: create(),
        keyFrom: 'content',
        required: false,
        failMode: 'open',
      }),
    ).toThrow(/keyFrom out.*required out.*failMode must be closed/)
  })
})
