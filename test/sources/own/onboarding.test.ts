import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '@/lib/log'
import type { IntentSource } from '@/lib/sources/contracts'
import { explainCapabilities } from '@/lib/sources/explain-capabilities'
import { durabilityOf as tableDurability } from '@/lib/sources/native-dynamodb/capabilities'
import { durabilityOf } from '@/lib/sources/native-redis/capabilities'
import { detectSource, previewSource, sourceGrants } from '@/lib/sources/preview'
import { placeOf } from '@/sdk/stores/redis/layout'
import { startRedis } from '../../support/redis-server'
import {
  actorsOn,
  allRecords,
  OWN_STORES,
  type OwnStore,
  openWith,
  ownDynamo,
  ownHybrid,
  ownRedis,
  SCOPE,
} from './own-stores'

/** From an address to a connected store: found, previewed, read at its price, with the rights that it needs and no more. */

const admin = { kind: 'user', userId: 'u', name: 'a', role: 'admin', via: 'session' } as const
const ENGINES = { 'native-redis': 'redis', 'native-dynamodb': 'dynamodb', 'native-hybrid': 'hybrid' } as const
const OPTIONS = { actionId: 'act_1', graceMs: 0 }
const response = { status: 201, headers: {}, body: '{"id":"ride_9"}' }

describe.each(OWN_STORES)('$name', ({ create }) => {
  let own: OwnStore
  let source: IntentSource
  beforeAll(async () => {
    own = await create()
    source = own.open()
    const actors = actorsOn(own, () => source)
    await actors.hold('held')
    await actors.finish(await actors.hold('done'), '{"id":"ch_secret"}')
  })
  afterAll(async () => {
    await source.close()
    await own.close()
  })

  test('is found at its address, and previewed without bodies, to administrators only', async () => {
    const { adapter, secret } = own.source
    const engine = ENGINES[adapter as keyof typeof ENGINES]
    const found = await detectSource({ actor: admin }, { engine, secret })
    const layout = found.find((each) => each.adapter === adapter)
    expect(layout?.library).toMatch(/^Idemscope SDK/)
    const ctx = { actor: admin, log: silentLog }
    const preview = await previewSource(ctx, { adapter, config: layout?.config, secret })
    expect(preview.rows.map(({ key, state }) => [key, state])).toEqual([
      ['held', 'leased'],
      ['done', 'completed'],
    ])
    expect(JSON.stringify(preview)).not.toContain('ch_secret')
    const viewer = { ...admin, role: 'viewer' as const }
    await expect(detectSource({ actor: viewer }, { engine, secret })).rejects.toMatchObject({
      code: 'forbidden',
    })
  })

  test('opened to be looked at, it changes nothing', async () => {
    const { adapter, config, secret } = own.source
    const looking = openWith({ adapter, config, secret }, { readOnly: true })()
    const { lease } = await actorsOn(own, () => source).dead('looked at')
    const before = await own.raw('looked at')
    for (const verb of ['release', 'complete', 'fail'] as const)
      await expect(looking[verb](lease.seen, { ...OPTIONS, response })).rejects.toMatchObject({
        fault: 'read_only',
        refused: true,
      })
    expect(await own.raw('looked at')).toEqual(before)
    await looking.close()
  })

  test('what is wrong with an address is said in words that tell the cases apart', async () => {
    const nowhere = {
      'native-redis': { url: 'redis://127.0.0.1:1' },
      'native-dynamodb': { endpoint: 'http://127.0.0.1:1' },
      'native-hybrid': { url: 'postgres://127.0.0.1:1/none' },
    }[own.source.adapter as keyof typeof ENGINES]
    const lost = own.open({}, nowhere)
    await expect(lost.readLeases({ limit: 1 })).rejects.toMatchObject({
      name: 'SourceUnavailableError',
      fault: 'down',
    })
    await lost.close()
  })
})

describe('redis', () => {
  let own: Awaited<ReturnType<typeof ownRedis>>
  beforeAll(async () => {
    own = await ownRedis()
  })
  afterAll(() => own.close())

  test('stuck keys are found by the index: no key of anybody else is looked at', async () => {
    const source = own.open()
    const actors = actorsOn(own, () => source)
    for (let n = 0; n < 40; n++) await actors.dead(`stuck-${n}`)
    const fill = own.admin.pipeline()
    for (let n = 0; n < 3_000; n++) fill.set(`session:${n}`, 'x')
    await fill.exec()
    await source.readLeases({ limit: 1_000 })
    await own.admin.config('RESETSTAT')
    const { leases, truncated } = await source.readLeases({ limit: 1_000 })
    expect([leases.length, truncated]).toEqual([40, false])
    const calls = String(await own.admin.info('commandstats'))
    expect(calls).not.toMatch(/cmdstat_(scan|keys)/)
    expect(Number(/cmdstat_zrange:calls=(\d+)/.exec(calls)?.[1])).toBe(1_024)
    expect(Number(/cmdstat_hgetall:calls=(\d+)/.exec(calls)?.[1])).toBe(40)
    // Of more than are asked for, those whose lease passed first; of the rest nobody knows.
    const some = await source.readLeases({ limit: 10 })
    expect(some).toMatchObject({ truncated: true, wholeUntil: null })
    expect(some.leases).toHaveLength(10)
    await source.close()
  })

  test('the generated rights are enough for everything that is offered, and for nothing else', async () => {
    for (const line of sourceGrants('native-redis', {}, 'idemscope_source').split('\n')) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
      if (words[0] === 'ACL') expect(await own.admin.call('ACL', ...words.slice(1))).toBe('OK')
    }
    const url = own.url.replace('redis://', 'redis://idemscope_source:choose-one@')
    const source = own.open({}, { url })
    const actors = actorsOn(own, () => source)
    for (const verb of ['release', 'complete', 'fail'] as const) {
      const { lease } = await actors.dead(`granted ${verb}`)
      expect(await source[verb](lease.seen, { ...OPTIONS, response })).toMatchObject({ kind: 'done' })
    }
    expect((await source.readLeases({ limit: 1_000 })).leases.map(({ key }) => key)).toContain(
      'granted release',
    )
    const first = await allRecords(source)
    expect(first.items.map(({ key }) => key)).toContain('granted complete')
    // It is told what changes, so the next reading walks no more.
    await actors.finish(await actors.hold('granted late'))
    expect((await allRecords(source, first.cursor)).items.map(({ key }) => key)).toEqual(['granted late'])
    expect((await source.sample())[0]?.rows).toBeGreaterThan(0n)
    const hold = {
      id: 'h1',
      target: { kind: 'store' } as const,
      reason: 'charged twice',
      by: 'a',
      end: { lastsMs: 60_000 },
    }
    expect(await source.holds?.place(hold)).toBe('placed')
    expect(await source.holds?.list({ inForce: true, after: null, limit: 5 })).toHaveLength(1)
    expect(await source.holds?.targets(5)).toMatchObject({ callers: ['7'] })
    expect(await source.holds?.lift('h1', { reason: 'it is mended', by: 'a' })).toBe('lifted')
    await source.close()
    const user = own.admin.duplicate({ username: 'idemscope_source', password: 'choose-one' })
    for (const [command, ...words] of [
      ...[
        ['FLUSHALL'],
        ['KEYS', '*'],
        ['CONFIG', 'GET', '*'],
        ['ACL', 'LIST'],
        ['SHUTDOWN'],
        ['SCRIPT', 'FLUSH'],
      ],
      ...[
        ['GET', 'session:1'],
        ['SET', 'session:1', 'mine'],
        ['EVAL', "return redis.call('GET', 'session:1')", '0'],
      ],
    ])
      await expect(user.call(command ?? '', ...words), command).rejects.toThrow(/NOPERM|can't access/)
    user.disconnect()
  })

  test('a key is released and completed where the server has no memory left', async () => {
    const source = own.open()
    const actors = actorsOn(own, () => source)
    const { lease } = await actors.dead('full')
    const { lease: other } = await actors.dead('full too')
    await own.admin.config('SET', 'maxmemory', '1')
    try {
      expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ kind: 'done' })
      expect(await source.complete(other.seen, { ...OPTIONS, response })).toMatchObject({ kind: 'done' })
    } finally {
      await own.admin.config('SET', 'maxmemory', '0')
    }
    await source.close()
  })

  test('a layout of another version is refused, and so is a cluster', async () => {
    const source = own.open()
    await own.admin.hset('idem:{meta}:layout', 'version', '2')
    await expect(source.readLeases({ limit: 1 })).rejects.toMatchObject({
      fault: 'schema_changed',
      message: expect.stringMatching(/layout 2 of 1024 shards, and this console reads 1/),
    })
    await own.admin.hset('idem:{meta}:layout', 'version', '1')
    await source.close()
    const node = await startRedis(['--cluster-enabled', 'yes'])
    const cluster = own.open({}, { url: node.url })
    await expect(cluster.readLeases({ limit: 1 })).rejects.toThrow(/cluster cannot be connected/)
    await cluster.close()
    await node.close()
  })

  test('a key that is not as the layout says is set apart, and is neither live nor absent', async () => {
    const source = own.open()
    const actors = actorsOn(own, () => source)
    for (const key of ['odd', 'odd record']) await actors.hold(key)
    await own.admin.hset(placeOf(SCOPE, 'odd').data, 's', 'X')
    await expect(source.readKey(SCOPE, 'odd')).rejects.toMatchObject({
      name: 'UnreadableKeyError',
      row: { key: 'odd' },
    })
    const { leases, unreadable } = await source.readLeases({ limit: 1_000 })
    expect(leases.map(({ key }) => key)).not.toContain('odd')
    expect(unreadable).toMatchObject([{ scope: SCOPE, key: 'odd', reason: expect.stringMatching(/^s: /) }])
    await own.admin.set(placeOf(SCOPE, 'odd record').data, '9 C 1 2')
    await expect(source.readKey(SCOPE, 'odd record')).rejects.toMatchObject({ name: 'UnreadableKeyError' })
    expect((await source.readRecords(null, 1_000)).unreadable).toMatchObject([{ key: 'odd record' }])
    await source.close()
  })

  test('what a crash forgets is shown', async () => {
    const source = own.open()
    await source.readLeases({ limit: 1 })
    const durable = () => explainCapabilities(source.capabilities)?.find(({ name }) => name === 'Durable')
    expect(durable()).toMatchObject({
      offered: false,
      why: expect.stringMatching(/^a restart forgets every key.*there is no replica/),
    })
    await source.close()
    await own.admin.config('SET', 'appendonly', 'yes')
    await own.admin.config('SET', 'appendfsync', 'always')
    const safer = own.open()
    await safer.readLeases({ limit: 1 })
    expect(safer.capabilities.durability).toMatchObject({
      kept: true,
      text: expect.stringMatching(/^each write is on disk/),
    })
    await safer.close()
    await own.admin.config('SET', 'appendonly', 'no')
    const faults = ['maxmemory-policy is allkeys-lru, which evicts keys in flight']
    expect(durabilityOf({ durability: 'aof always', faults, warnings: [] })).toMatchObject({ kept: false })
  })
})

describe('dynamodb', () => {
  let own: Awaited<ReturnType<typeof ownDynamo>>
  beforeAll(async () => {
    own = await ownDynamo()
  })
  afterAll(() => own.close())

  test('stuck keys are found by the index, the oldest first: nothing is scanned', async () => {
    const source = own.open()
    const actors = actorsOn(own, () => source)
    for (let n = 0; n < 12; n++) await actors.dead(`stuck-${n}`)
    for (let n = 0; n < 12; n++) await actors.finish(await actors.hold(`ended-${n}`))
    await source.readLeases({ limit: 100 })
    const from = own.seen.length
    const { leases, truncated, wholeUntil, now } = await source.readLeases({ limit: 100 })
    expect([leases.length, truncated]).toEqual([12, false])
    expect(now.getTime() - (wholeUntil?.getTime() ?? 0)).toBe(60_000)
    expect(
      own.seen
        .slice(from)
        .map(({ operation }) => operation)
        .sort(),
    ).toEqual(['BatchGetItem', ...Array.from({ length: 8 }, () => 'Query')])
    const oldest = await source.readLeases({ limit: 5 })
    expect(oldest).toMatchObject({ truncated: true, wholeUntil: null })
    expect(oldest.leases.map(({ key }) => key)).toEqual(leases.slice(0, 5).map(({ key }) => key))
    await source.close()
  })

  test('the generated policy has every action that is used, on this table, and no other', async () => {
    const source = own.open()
    const actors = actorsOn(own, () => source)
    const from = own.seen.length
    const { lease } = await actors.dead('granted')
    await source.release(lease.seen, OPTIONS)
    await source.readLeases({ limit: 10 })
    await allRecords(source, null, 100)
    await source.holds?.targets(5)
    const hold = {
      id: 'h1',
      target: { kind: 'store' } as const,
      reason: 'charged twice',
      by: 'a',
      end: { lastsMs: 60_000 },
    }
    await source.holds?.place(hold)
    await source.holds?.lift('h1', { reason: 'it is mended', by: 'a' })
    await source.close()
    const policy = sourceGrants('native-dynamodb', own.source.config, 'idemscope_source')
    const statements = (JSON.parse(policy) as { Statement: { Action: string[]; Resource: string }[] })
      .Statement
    const allowed = new Set(statements.flatMap(({ Action }) => Action))
    for (const { operation } of own.seen.slice(from)) expect(allowed).toContain(`dynamodb:${operation}`)
    expect(policy).toContain(`arn:aws:dynamodb:REGION:ACCOUNT:table/${own.source.config.table}`)
    expect(policy).not.toMatch(/Delete|PutItem|"\*"/)
  })

  test('a table of another layout is refused; a change that throttles is certainly not applied', async () => {
    const other = own.open({ table: 'no-such-table' })
    await expect(other.readLeases({ limit: 1 })).rejects.toMatchObject({ fault: 'schema_changed' })
    await other.close()
    const source = own.open()
    const { lease } = await actorsOn(own, () => source).dead('throttled')
    own.breakNext('throttle', ({ operation }) => operation === 'UpdateItem')
    await expect(source.release(lease.seen, OPTIONS)).rejects.toMatchObject({
      fault: 'overloaded',
      refused: true,
    })
    own.breakNext('lose', ({ operation }) => operation === 'GetItem')
    expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ kind: 'done' })
    await source.close()
  })

  test('a body in parts is read whole, and its parts are no records', async () => {
    const source = own.open()
    const actors = actorsOn(own, () => source)
    // Nothing that could be compressed: more than an item may have.
    const body = JSON.stringify({ id: 'ride_parts', filler: randomBytes(400_000).toString('base64') })
    await actors.finish(await actors.hold('in parts'), body)
    const { record } = await source.readKey(SCOPE, 'in parts')
    expect(record).toMatchObject({ state: 'completed', status: 201, names: [] })
    expect(record?.response.body === body).toBe(true)
    const { items } = await allRecords(source, null, 100)
    expect(items.filter(({ key }) => key === 'in parts')).toHaveLength(1)
    await source.close()
  })

  test('an item that is not as the layout says is set apart, and is neither live nor absent', async () => {
    const source = own.open()
    await actorsOn(own, () => source).hold('odd')
    await own.change('odd', 'SET s = :odd', { ':odd': { S: 'X' } })
    await expect(source.readKey(SCOPE, 'odd')).rejects.toMatchObject({
      name: 'UnreadableKeyError',
      row: { key: 'odd', reason: expect.stringMatching(/its state is X/) },
    })
    const { leases, unreadable } = await source.readLeases({ limit: 1_000 })
    expect(leases.map(({ key }) => key)).not.toContain('odd')
    expect(unreadable).toMatchObject([{ scope: SCOPE, key: 'odd' }])
    await source.close()
  })

  test('live keys that a throttled table does not tell are not called absent', async () => {
    const source = own.open()
    await source.readLeases({ limit: 10 })
    const none = {
      Responses: {},
      UnprocessedKeys: { [String(own.source.config.table)]: { Keys: [{ pk: { S: 'x' }, sk: { S: 'k' } }] } },
    }
    for (let n = 0; n < 3; n++)
      own.breakNext({ status: 200, body: none }, ({ operation }) => operation === 'BatchGetItem')
    await expect(source.readLeases({ limit: 1 })).rejects.toMatchObject({ fault: 'overloaded' })
    expect((await source.readLeases({ limit: 100 })).leases.length).toBeGreaterThan(0)
    await source.close()
  })

  test('what its replicas promise is shown', async () => {
    const source = own.open()
    await source.readLeases({ limit: 1 })
    expect(source.capabilities.durability).toMatchObject({
      kept: true,
      text: expect.stringMatching(/three availability zones/),
    })
    await source.close()
    const health = { durability: 'one_region' as const, faults: ['TTL is off'], warnings: [] }
    expect(tableDurability(health)).toEqual({ kept: false, text: expect.stringMatching(/; TTL is off$/) })
  })
})

test('the rights for a hybrid are the SQL of its store and one line for its cache', async () => {
  const own = await ownHybrid()
  const grants = sourceGrants('native-hybrid', {}, 'idemscope_source')
  expect(grants).toContain('GRANT UPDATE, DELETE ON "public".idem_lease')
  const line = /-- (ACL SETUSER .*)$/m.exec(grants)?.[1] ?? ''
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
  expect(await own.cache.call('ACL', ...words.slice(1))).toBe('OK')
  const cacheUrl = String(own.source.secret.cacheUrl).replace(
    'redis://',
    'redis://idemscope_source:choose-one@',
  )
  const source = own.open({}, { cacheUrl })
  const { lease } = await actorsOn(own, () => source).dead('granted')
  expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ kind: 'done' })
  await source.close()
  const user = own.cache.duplicate({
    ...{ username: 'idemscope_source', password: 'choose-one', enableReadyCheck: false },
  })
  for (const words of [
    ['SET', 'idem-cache:1', 'x'],
    ['GET', 'session:1'],
    ['DEL', 'idem-cache:1'],
  ])
    await expect(user.call(words[0] ?? '', ...words.slice(1))).rejects.toThrow(/NOPERM/)
  user.disconnect()
  await own.close()
})
