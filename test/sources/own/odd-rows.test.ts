import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { placeOf } from '@/sdk/stores/redis/layout'
import type { Item } from '../../sdk/dynamodb/emulator'
import { actorsOn, ownDynamo, ownRedis, SCOPE } from './own-stores'

/** What is stored otherwise than the layout says is set apart: what is beside it is still read. */

const OPTIONS = { actionId: 'act_1', graceMs: 0 }
const keysOf = (rows: readonly { key: string | null }[]) => rows.map(({ key }) => key).sort()

describe('redis', () => {
  let own: Awaited<ReturnType<typeof ownRedis>>
  let source: IntentSource
  let actors: ReturnType<typeof actorsOn>
  beforeAll(async () => {
    own = await ownRedis()
    source = own.open()
    actors = actorsOn(own, () => source)
  })
  afterAll(async () => {
    await source.close()
    await own.close()
  })

  test('records whose head has no such numbers', async () => {
    const head = { created: '5', expires: '5', status: '201', attempts: '1', print: 'ab' }
    const odd = {
      'odd expiry': { expires: 'x' },
      'odd status': { status: 'x' },
      'odd attempts': { attempts: '-' },
      'odd print': { print: 'zz' },
    }
    for (const [key, over] of Object.entries(odd)) {
      const { created, expires, status, attempts, print } = { ...head, ...over }
      const stored = `1 C 7 ${attempts} ${created} ${expires} ${status} ${print} - default 0 0 {}`
      await own.admin.set(placeOf(SCOPE, key).data, stored)
    }
    await actors.finish(await actors.hold('fine'))
    const { items, unreadable } = await source.readRecords(null, 1_000)
    expect(keysOf(items)).toEqual(['fine'])
    expect(keysOf(unreadable ?? [])).toEqual(Object.keys(odd).sort())
    for (const key of Object.keys(odd))
      await expect(source.readKey(SCOPE, key)).rejects.toMatchObject({ name: 'UnreadableKeyError' })
    await own.admin.del(...Object.keys(odd).map((key) => placeOf(SCOPE, key).data))
  })

  test('a record with more steps than are read at first is read whole', async () => {
    const holder = await actors.hold('payout')
    for (let n = 0; n < 800; n++) await actors.begin(holder, `payee-${n}`)
    await actors.finish(holder, '{"id":"ride_many"}')
    const other = own.open()
    const { items, unreadable } = await other.readRecords(null, 1_000)
    expect(unreadable ?? []).toEqual([])
    expect(items.find(({ key }) => key === 'payout')?.effects).toHaveLength(800)
    await other.close()
  })

  test('a live key that became odd is not acted on, and the verb says why', async () => {
    const { lease } = await actors.dead('became odd')
    await own.admin.hset(placeOf(SCOPE, 'became odd').data, 's', 'X')
    await expect(source.release(lease.seen, OPTIONS)).rejects.toMatchObject({
      name: 'SourceUnavailableError',
      refused: true,
      message: expect.stringContaining('cannot be understood'),
    })
  })
})

describe('dynamodb', () => {
  let own: Awaited<ReturnType<typeof ownDynamo>>
  let source: IntentSource
  let actors: ReturnType<typeof actorsOn>
  beforeAll(async () => {
    own = await ownDynamo()
    source = own.open()
    actors = actorsOn(own, () => source)
  })
  afterAll(async () => {
    await source.close()
    await own.close()
  })
  const FAR: Item = { ':odd': { N: '9000000000000000' } }

  test('live keys whose times are none, or whose steps have no such state', async () => {
    for (const key of ['odd lease', 'odd beat', 'odd step', 'fine'])
      await actors.begin(await actors.hold(key))
    await own.change('odd lease', 'SET u = :odd', FAR)
    await own.change('odd beat', 'SET h = :odd', FAR)
    await own.change('odd step', 'SET steps.charge.s = :odd', { ':odd': { S: 'X' } })
    const { leases, unreadable } = await source.readLeases({ limit: 1_000 })
    expect(keysOf(leases)).toEqual(['fine'])
    expect(keysOf(unreadable ?? [])).toEqual(['odd beat', 'odd lease', 'odd step'])
    await expect(source.readKey(SCOPE, 'odd lease')).rejects.toMatchObject({ name: 'UnreadableKeyError' })
  })

  test('a live key that became odd is not acted on, and the verb says why', async () => {
    const { lease } = await actors.dead('became odd')
    await own.change('became odd', 'SET h = :odd', FAR)
    await expect(source.release(lease.seen, OPTIONS)).rejects.toMatchObject({
      name: 'SourceUnavailableError',
      refused: true,
      message: expect.stringContaining('cannot be understood'),
    })
  })

  test('records whose expiry is none, or whose body is not what was compressed', async () => {
    for (const key of ['odd expiry', 'odd body', 'odd effect', 'fine record'])
      await actors.finish(await actors.hold(key), JSON.stringify({ id: 'r', filler: 'x'.repeat(4_000) }))
    await own.change('odd expiry', 'SET x = :odd', FAR)
    await own.change('odd body', 'SET b = :odd', { ':odd': { B: Uint8Array.of(255, 255, 255) } })
    await own.change('odd effect', 'SET steps = :odd', {
      ':odd': {
        M: {
          charge: { M: { n: { S: 'n' }, k: { S: 'http' }, s: { S: 'X' }, b: { N: '1' }, f: { N: '1' } } },
        },
      },
    })
    const { items, unreadable } = await source.readRecords(null, 1_000)
    expect(keysOf(items)).toEqual(['fine record'])
    expect(keysOf(unreadable ?? [])).toEqual(expect.arrayContaining(['odd body', 'odd effect', 'odd expiry']))
    for (const key of ['odd body', 'odd expiry', 'odd effect'])
      await expect(source.readKey(SCOPE, key)).rejects.toMatchObject({ name: 'UnreadableKeyError' })
  })
})
