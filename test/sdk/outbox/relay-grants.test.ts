import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateOutbox } from '@/sdk/outbox'
import { grantsForRelay } from '@/sdk/stores/grants'
import { openPool } from '../support'
import {
  createOutboxFixture,
  createRecorder,
  drain,
  message,
  type OutboxFixture,
  relayOn,
  work,
} from './fixture'

let fixture: OutboxFixture
const ROLE = `relay_${randomBytes(6).toString('hex')}`
beforeAll(async () => {
  fixture = await createOutboxFixture()
  await fixture.pool.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'least'`)
  await fixture.pool.query(grantsForRelay({ role: ROLE }))
})
afterAll(async () => {
  await fixture.pool.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`)
  await fixture.close()
})

test('a relay publishes, retries, gives up and keeps partitions with the rights of the grants, and has no others', async () => {
  const url = new URL(fixture.url)
  url.username = ROLE
  url.password = 'least'
  const pool = openPool(url.href, 4)
  try {
    // As `npm run relay` does first.
    expect(await migrateOutbox({ pool })).toEqual({ applied: [] })
    // Made after the grants.
    await fixture.pool.query('SELECT idem_outbox_ensure_partitions(6)')
    const recorder = createRecorder()
    recorder.state.refuses = ({ type }) => (type === 'dies' ? 'no route' : null)
    await fixture.publish(message('sent', 'a'), message('dies', 'b'), message('waits', 'b'))
    const errors: unknown[] = []
    const relay = relayOn({ pool }, recorder.publisher, {
      attemptsMax: 2,
      backoffBaseMs: 1,
      backoffMaxMs: 1,
      random: () => 0,
      onError: (error) => void errors.push(error),
    })
    await drain(relay)
    await fixture.makeDue()
    await drain(relay)
    await work(relay)
    await relay.stop()
    expect(errors).toEqual([])
    expect(await fixture.states()).toEqual({ sent: 'S', dies: 'D', waits: 'S' })
    for (const sql of [
      'DELETE FROM idem_outbox',
      `SELECT idem_outbox_discard(gen_random_uuid(), '', '')`,
      'SELECT FROM idem_lease',
    ])
      await expect(pool.query(sql)).rejects.toMatchObject({ code: '42501' })
  } finally {
    await pool.end()
  }
})
