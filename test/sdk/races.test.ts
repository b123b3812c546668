import { afterAll, beforeAll, expect, it } from 'vitest'
import { idempotent } from '@/sdk/idempotent'
import { createPostgresStore } from '@/sdk/stores/postgres'
import {
  acquireRequest,
  createStoreFixture,
  holderOf,
  KEY_SECRET,
  openPool,
  postJson,
  type StoreFixture,
} from './support'

const RACERS = 200
const ROUNDS = 5

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(40)
})
afterAll(() => fixture.close())

it(`${RACERS} racers on one key execute once, in each of ${ROUNDS} rounds`, async () => {
  const startedMs = performance.now()
  for (let round = 0; round < ROUNDS; round += 1) {
    let executions = 0
    const handle = idempotent(
      async () => {
        executions += 1
        return Response.json({ round }, { status: 201 })
      },
      {
        store: fixture.store,
        keySecret: KEY_SECRET,
        scope: () => ({ caller: `web${round}`, route: '/v1/payments' }),
        waitMs: 20_000,
      },
    )
    const answers = await Promise.all(
      Array.from({ length: RACERS }, () => handle(postJson({ round }, { 'idempotency-key': '"one"' }))),
    )
    expect(executions).toBe(1)
    expect(answers.filter((answer) => answer.headers.get('idempotent-replayed') === 'true')).toHaveLength(
      RACERS - 1,
    )
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1)
  }
  console.log(
    `race: ${RACERS * ROUNDS} racers, ${ROUNDS} executions, ${((performance.now() - startedMs) / 1000).toFixed(2)} s`,
  )
})

it('whoever holds a key later has the higher fence, however slow its insert was', async () => {
  // Triggers come after the values: this insert has drawn its fence when it stops.
  await fixture.query(`
    CREATE FUNCTION stop_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.owner = 'slow' THEN PERFORM pg_advisory_xact_lock(4242); END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER stop_slow BEFORE INSERT ON idem_lease FOR EACH ROW EXECUTE FUNCTION stop_slow()`)
  const gate = await fixture.pool.connect()
  await gate.query('SELECT pg_advisory_lock(4242)')
  const waiting = async () =>
    (await fixture.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)).length
  const [slow, quick] = ['slow', 'quick'].map((owner) => acquireRequest('slow-insert', { owner }))
  if (slow === undefined || quick === undefined) throw new Error('two requests')
  const slowly = fixture.store.acquire(slow)
  await expect.poll(waiting).toBe(1)
  let answered = false
  const quickly = fixture.store.acquire(quick).finally(() => {
    answered = true
  })
  await expect.poll(async () => answered || (await waiting()) === 2).toBe(true)
  if (answered) await fixture.store.giveBack(holderOf(quick, await quickly))
  await gate.query('SELECT pg_advisory_unlock(4242)')
  gate.release()
  const first = await quickly
  const { fence } = holderOf(slow, await slowly)
  if (first.kind === 'acquired') expect(fence).toBeGreaterThan(first.fence)
  else expect(first).toMatchObject({ kind: 'in_progress', fence })
  await fixture.query('DROP TRIGGER stop_slow ON idem_lease')
})

it.each(['repeatable read', 'serializable'])('a %s caller is refused', async (isolation) => {
  const pool = openPool(fixture.url, 1, `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`)
  const store = createPostgresStore({ pool })
  await expect(store.acquire(acquireRequest('isolated'))).rejects.toThrow(/READ COMMITTED/)
  expect(await fixture.query("SELECT FROM idem_lease WHERE key = idem_key_bytes('isolated')")).toEqual([])
  store.close()
  await pool.end()
})
