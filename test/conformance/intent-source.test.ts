import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IntentSource, LeaseRow, RecordRow } from '@/lib/sources/contracts'
import { brandurLayout, type Layout, mappedLayout, nativeLayout, recipeLayout } from './fixtures'

/** What every idempotency store must answer, whoever wrote it. Each on real tables, with the library's own writes. */
const LAYOUTS = [
  { name: 'native', create: nativeLayout },
  { name: 'rocket-rides-atomic', create: brandurLayout },
  { name: 'guide-recipe', create: recipeLayout },
  { name: 'mapped-postgres', create: mappedLayout },
]

describe.each(LAYOUTS)('$name', ({ name, create }) => {
  let layout: Layout
  let source: IntentSource
  let holds = true
  beforeAll(async () => {
    layout = await create()
    source = layout.open()
    await source.sample()
    holds = source.capabilities.canRelease
    expect(holds).toBe(name !== 'guide-recipe')
  })
  afterAll(async () => {
    await source.close()
    await layout.close()
  })

  const options = (actionId = 'act_conformance') => ({ actionId, graceMs: 0 })
  const response = { status: 201, headers: { 'x-a': '1' }, body: '{"id":"ride_9"}' }
  const read = (key: string) => source.readKey(layout.scope, key)
  async function leaseOf(key: string): Promise<LeaseRow> {
    const { lease } = await read(key)
    if (lease === null) throw new Error(`no lease of ${key}`)
    return lease
  }
  async function dead(key: string): Promise<LeaseRow> {
    await layout.hold(key)
    await layout.kill(key)
    return leaseOf(key)
  }
  async function allRecords(from: string | null = null) {
    const items: RecordRow[] = []
    let cursor = from
    for (let page = 0; page < 100; page++) {
      const answer = await source.readRecords(cursor, 2)
      items.push(...answer.items)
      cursor = answer.cursor
      if (!answer.more) break
    }
    return { items, cursor }
  }

  test('says what it offers, and why not for the rest', () => {
    const { capabilities } = source
    for (const [can, verb] of [
      [capabilities.canRelease, 'release'],
      [capabilities.canComplete, 'complete'],
      [capabilities.canFail, 'fail'],
    ] as const) {
      if (!can) expect(capabilities.reasons?.[verb], verb).toMatch(/\S.{20}/)
      else expect(capabilities.reasons?.[verb]).toBeUndefined()
    }
  })

  test('an absent key is absent, whatever its name', async () => {
    for (const key of ['nobody', "o'hara", '\\', 'ключ', 'x'.repeat(255)]) {
      expect(await read(key)).toMatchObject({ lease: null, record: null })
    }
    expect(await source.readKey('not a scope', 'nobody')).toMatchObject({ lease: null, record: null })
    expect(await source.readKey('abc/POST /rides', 'nobody')).toMatchObject({ lease: null, record: null })
  })

  test('a held key is a lease, a finished one a record with its response', async () => {
    if (holds) {
      await layout.hold('life-1')
      const lease = await leaseOf('life-1')
      expect(lease).toMatchObject({ scope: layout.scope, key: 'life-1', state: 'leased', expired: false })
      expect(lease.createdAt.getTime()).toBeGreaterThan(0)
      const { leases, truncated } = await source.readLeases({ limit: 100 })
      expect(leases.find((each) => each.key === 'life-1')?.version).toBe(lease.version)
      expect(truncated).toBe(false)
      expect((await source.readLeases({ limit: 0 })).truncated).toBe(true)
    }
    expect(await layout.finish('life-1')).toBe(true)
    const { lease, record } = await read('life-1')
    expect(lease).toBeNull()
    expect(record).toMatchObject({ state: 'completed', status: 201, expired: false, names: ['ride_1'] })
    expect(JSON.parse(record?.response.body ?? '')).toEqual({ id: 'ride_1' })
  })

  test('records are read in pages, none twice in a pass, none lost when it finished late', async () => {
    if (holds) await layout.hold('late')
    for (let n = 0; n < 5; n++) {
      if (holds) await layout.hold(`page-${n}`)
      await layout.finish(`page-${n}`)
    }
    const first = await allRecords()
    const keys = first.items.map(({ key }) => key)
    expect(keys).toEqual(expect.arrayContaining([0, 1, 2, 3, 4].map((n) => `page-${n}`)))
    expect(new Set(keys).size).toBe(keys.length)
    if (holds) {
      expect(keys).not.toContain('late')
      await layout.finish('late')
    }
    const second = await allRecords(first.cursor)
    if (holds) expect(second.items.map(({ key }) => key)).toContain('late')
  })

  test('a living holder is never released', async () => {
    if (!holds) return
    await layout.hold('alive')
    const lease = await leaseOf('alive')
    expect(await source.release(lease.seen, options())).toMatchObject({
      kind: 'refused',
      reason: 'holder_alive',
    })
    await layout.kill('alive')
    const dead = await leaseOf('alive')
    const within = await source.release(dead.seen, { actionId: 'act_1', graceMs: 3_600_000 })
    expect(within).toMatchObject({ kind: 'refused', reason: 'holder_alive' })
  })

  test('a dead holder’s key is released, once', async () => {
    if (!holds) return
    const lease = await dead('dead-1')
    expect(lease.expired).toBe(true)
    expect(await source.release(lease.seen, options())).toMatchObject({ kind: 'done' })
    expect(await leaseOf('dead-1')).toMatchObject({ state: 'retryable' })
    expect(await source.release(lease.seen, options())).toMatchObject({ kind: 'refused' })
  })

  test('a completion stores the recovered response; a failure is final', async () => {
    if (!holds) return
    const lease = await dead('complete-1')
    expect(await source.complete(lease.seen, { ...options(), response })).toMatchObject({ kind: 'done' })
    const { record } = await read('complete-1')
    expect(record).toMatchObject({ state: 'completed', status: 201 })
    expect(JSON.parse(record?.response.body ?? '')).toEqual({ id: 'ride_9' })
    const other = await dead('fail-1')
    expect(
      await source.fail(other.seen, { ...options(), response: { ...response, status: 500 } }),
    ).toMatchObject({ kind: 'done' })
    expect((await read('fail-1')).record).toMatchObject({ state: 'failed_final', status: 500 })
  })

  test.each([
    ['the holder completes', (key: string) => layout.finish(key)],
    ['a heartbeat', (key: string) => layout.beat(key)],
    ['a takeover', (key: string) => layout.takeOver(key)],
    ['one microsecond', (key: string) => layout.nudge(key)],
  ])('between check and set: %s → refused, and the key is as they left it', async (what, happens) => {
    if (!holds) return
    const key = `between ${what}`
    const lease = await dead(key)
    await happens(key)
    const before = await layout.db.query(
      `SELECT to_jsonb(t) AS row FROM ${layout.live} t WHERE ${layout.where(key)}`,
    )
    for (const verb of ['release', 'complete', 'fail'] as const) {
      expect(await source[verb](lease.seen, { ...options(), response }), verb).toMatchObject({
        kind: 'refused',
      })
    }
    const after = await layout.db.query(
      `SELECT to_jsonb(t) AS row FROM ${layout.live} t WHERE ${layout.where(key)}`,
    )
    expect(after.rows).toEqual(before.rows)
  })

  test('the same stamps again after a change are another state (ABA)', async () => {
    if (!holds) return
    const lease = await dead('aba')
    if (layout.name === 'native') {
      await layout.db.query(`UPDATE idem_lease SET fence = fence + 1 WHERE ${layout.where('aba')}`)
    } else {
      // Away and back: every value is as it was, only the row's version tells.
      await layout.nudge('aba')
      const back = layout.name === 'mapped-postgres' ? 'beat_at' : 'locked_at'
      await layout.db.query(
        `UPDATE ${layout.live} SET ${back} = ${back} - interval '1 microsecond' WHERE ${layout.where('aba')}`,
      )
    }
    const now = await leaseOf('aba')
    if (layout.name !== 'native')
      expect({ ...now.seen, rowVersion: '' }).toEqual({ ...lease.seen, rowVersion: '' })
    expect(await source.release(lease.seen, options())).toMatchObject({ kind: 'refused' })
  })

  test('two operators at once: one is told done', async () => {
    if (!holds) return
    const another = layout.open()
    for (let round = 0; round < 8; round++) {
      const lease = await dead(`two-${round}`)
      const outcomes = await Promise.all([
        source.release(lease.seen, options('act_a')),
        another.release(lease.seen, options('act_b')),
      ])
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['done', 'refused'])
    }
    await another.close()
  })

  test('holder and operator at once: exactly one wins', async () => {
    if (!holds) return
    for (let round = 0; round < 10; round++) {
      const lease = await dead(`both-${round}`)
      const [finished, outcome] = await Promise.all([
        layout.finish(`both-${round}`),
        source.release(lease.seen, options()),
      ])
      expect([finished, outcome.kind === 'done'].filter(Boolean)).toHaveLength(1)
    }
  })

  test('a connection cut over the write is an error, and a reading settles it', async () => {
    if (!holds) return
    const lease = await dead('cut')
    await layout.db.query(`
      CREATE FUNCTION cut_here() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
      CREATE TRIGGER cut_here BEFORE UPDATE ON ${layout.live} FOR EACH ROW EXECUTE FUNCTION cut_here()`)
    const cut = source.release(lease.seen, options())
    await expect(cut).rejects.toMatchObject({ name: 'SourceUnavailableError', fault: 'down', refused: false })
    await layout.db.query(`DROP TRIGGER cut_here ON ${layout.live}; DROP FUNCTION cut_here()`)
    expect((await leaseOf('cut')).version).toBe(lease.version)
    expect(await source.release(lease.seen, options())).toMatchObject({ kind: 'done' })
  })

  test('a write that a lock holds up waits for its timeout, and changes nothing', async () => {
    if (!holds) return
    const lease = await dead('slow')
    // Long enough for a connection to be made on a loaded machine.
    const hurried = layout.open({ statementTimeoutMs: 2_000 })
    const blocker = await layout.db.connect()
    await blocker.query('BEGIN')
    try {
      await blocker.query(`SELECT FROM ${layout.live} WHERE ${layout.where('slow')} FOR UPDATE`)
      await expect(hurried.release(lease.seen, options())).rejects.toMatchObject({
        fault: 'slow',
        refused: true,
      })
    } finally {
      await blocker.query('ROLLBACK')
      blocker.release()
    }
    expect((await leaseOf('slow')).version).toBe(lease.version)
    await hurried.close()
  })

  test('down, credentials, read-only and a changed schema are told apart', async () => {
    const lost = await createLost(layout)
    await expect(lost.storeClock()).rejects.toMatchObject({ fault: 'credentials' })
    await lost.close()

    const client = new pg.Client({ connectionString: layout.url })
    await client.connect()
    const parts = layout.live.split('.')
    const table = parts.at(-1) ?? ''
    await client.query(`ALTER TABLE ${layout.live} RENAME TO gone_for_now`)
    await expect(source.readLeases({ limit: 1 }).then(() => read('x'))).rejects.toMatchObject({
      fault: 'schema_changed',
    })
    const schema = parts.length > 1 ? `${parts[0]}.` : ''
    await client.query(`ALTER TABLE ${schema}gone_for_now RENAME TO ${table}`)
    await client.end()
    expect(await read('x')).toMatchObject({ lease: null })
  })

  test('what it holds is sampled, and a clock is the store’s', async () => {
    const [sample] = await source.sample()
    expect(sample?.rows ?? 0n).toBeGreaterThan(0n)
    expect(Math.abs((await source.storeClock()).getTime() - Date.now())).toBeLessThan(60_000)
  })
})

/** The same source, of a database that is not there. */
async function createLost(layout: Layout): Promise<IntentSource> {
  const { openAdapter } = await import('@/lib/sources/adapters')
  const url = new URL(layout.url)
  url.pathname = '/no_such_database'
  return openAdapter('native', {}, { url: url.href }, { demo: false }) as IntentSource
}
