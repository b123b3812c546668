import { afterAll, beforeAll, expect, it } from 'vitest'
import { createIdempotentFetch } from '@/sdk/client'
import { idempotent } from '@/sdk/idempotent'
import { createGate, createStoreFixture, KEY_SECRET, postJson, type StoreFixture } from '../support'

let fixture: StoreFixture
let marks: (boolean | undefined)[] = []
beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

/** Its store writes down which acquires were marked as retries. */
function open(handler: () => Promise<Response>, waitMs = 0) {
  marks = []
  const { store } = fixture
  return idempotent(handler, {
    store: {
      ...store,
      acquire(request) {
        marks.push(request.retry)
        return store.acquire(request)
      },
    },
    keySecret: KEY_SECRET,
    scope: () => ({ caller: 'web', route: '/v1/payments' }),
    waitMs,
  })
}

it.each([
  [true, [false, true, true]],
  [undefined, [false, false, false]],
])(
  'the client marks what comes after its first attempt where markRetries is %s',
  async (markRetries, expected) => {
    const handle = open(async () => Response.json({}))
    let answers = 0
    const send = createIdempotentFetch({
      ...(markRetries && { markRetries }),
      backoffBaseMs: 1,
      backoffMaxMs: 1,
      fetch: async (url, init) => {
        const answer = await handle(new Request(url, init))
        answers += 1
        return answers < 3 ? new Response(null, { status: 503 }) : answer
      },
    })
    expect((await send('http://service.test/v1/payments', { method: 'POST', body: '{}' })).status).toBe(200)
    expect(marks).toEqual(expected)
  },
)

it('anything else in the header is no mark, and a mark changes no answer', async () => {
  const handle = open(async () => Response.json({}))
  for (const [at, mark] of ['1', '?0', 'true', '?1'].entries()) {
    const request = postJson({}, { 'idempotency-key': `mark-${at}`, 'idempotency-retry': mark })
    expect((await handle(request)).status).toBe(200)
  }
  expect(marks).toEqual([false, false, false, true])
})

it('a duplicate that waits is a retry from its second look on', async () => {
  const goOn = createGate()
  const handle = open(async () => {
    await goOn.promise
    return Response.json({})
  }, 20_000)
  const post = () => handle(postJson({}, { 'idempotency-key': 'waiting' }))
  const first = post()
  await expect.poll(() => marks.length).toBe(1)
  const second = post()
  await expect.poll(() => marks.length).toBeGreaterThan(2)
  goOn.resolve()
  expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200])
  expect(marks.slice(0, 2)).toEqual([false, false])
  expect(new Set(marks.slice(2))).toEqual(new Set([true]))
})
