import type pg from 'pg'
import type { Context } from '@/lib/context'
import { checkMessages } from '@/lib/messages/check-messages'
import { type DeadLetter, listDeadLetters } from '@/lib/messages/read/dead-letters'
import { saveSource } from '@/lib/sources/save'
import type { Holder } from '@/sdk/stores/store'
import { CREDENTIALS_KEY, createFixture, type Fixture } from '../locks/locks-fixture'
import { setSettings } from '../support/settings'

export { CREDENTIALS_KEY, REASON } from '../locks/locks-fixture'

export const TOPIC = 'orders'
export const SCOPE = `billing/CONSUME ${TOPIC}`

export type MessagesFixture = Fixture & { outboxId: string; url: string }
type Consumers = { group: string; topic: string; store: string; recordsKeptMs?: number }[]

/** A console that reads an outbox, and the store of its consumers, in one service database. */
export async function createMessagesFixture(
  consumers: Consumers = [{ group: 'billing', topic: TOPIC, store: 'store' }],
): Promise<MessagesFixture> {
  const fixture = await createFixture()
  setSettings({
    ...{ IDEMSCOPE_SETTLE_DELAY_MS: '0', IDEMSCOPE_PROVIDER_CALL_MS: '0' },
    IDEMSCOPE_KEY_SECRET: 'k'.repeat(32),
  })
  const url = String(fixture.service.options.connectionString)
  const outboxId = await saveSource(
    fixture.system,
    { adapter: 'outbox', name: 'outbox', system: 'payments', config: { consumers }, secret: { url } },
    { credentialsKey: CREDENTIALS_KEY, demo: true },
  )
  return Object.assign(fixture, { outboxId, url })
}

const DEAD = `
  INSERT INTO idem_outbox (id, created_at, settled_at, lane, topic, key, type, headers, payload, state, attempts, error)
  SELECT (left(idem_outbox_id_at(clock_timestamp() - $2::interval)::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid,
    clock_timestamp() - $2::interval, clock_timestamp() - $2::interval / 2, idem_outbox_lane_of($3, 'k' || n), $3, 'k' || n,
    'order.placed', '{}', convert_to(json_build_object('order', n)::text, 'UTF8'), 'D', 10,
    'Error: no such route' || chr(10) || '    at send (/app/send.ts:1:1)'
  FROM generate_series(1, $1) n RETURNING id::text AS id`

/** Messages that the relay gave up on, published so long ago. */
export async function deadMessages(
  { service }: { service: pg.Pool },
  count: number,
  { age = '1 minute', topic = TOPIC } = {},
): Promise<string[]> {
  const { rows } = await service.query<{ id: string }>(DEAD, [count, age, topic])
  return rows.map(({ id }) => id)
}

export async function acquireMessage(fixture: Fixture, key: string, scope = SCOPE): Promise<Holder> {
  const owner = `consumer-${key}`
  const acquired = await fixture.store.acquire({
    ...{ scope, key, tier: 'standard', fingerprint: new Uint8Array(16), owner },
    ...{ leaseMs: 600_000, traceId: null },
  })
  if (acquired.kind !== 'acquired' && acquired.kind !== 'takeover') throw new Error(acquired.kind)
  return { scope, key, fence: acquired.fence, owner, tier: 'standard' }
}

const DONE = { status: 204, headers: [] as [string, string][], body: new Uint8Array() }

export async function applyMessage(fixture: Fixture, key: string, scope = SCOPE): Promise<void> {
  await fixture.store.complete(await acquireMessage(fixture, key, scope), DONE)
}

/** It begins an effect, and nobody learns its end. */
export async function loseEnd(fixture: Fixture, key: string, name = 'stripe.charge'): Promise<void> {
  const holder = await acquireMessage(fixture, key)
  const effect = { step: 'charge', name, kind: 'http', providerKey: null, leaseMs: 600_000 } as const
  await fixture.store.beginEffect(holder, effect)
  await fixture.store.abandon(holder)
}

export async function letGo(fixture: Fixture, key: string): Promise<void> {
  const holder = await acquireMessage(fixture, key)
  await fixture.store.checkpoint(holder, 'begun', {})
  await fixture.store.giveBack(holder)
}

/** What the outbox says of each message. */
export async function statesOf(fixture: Fixture): Promise<Record<string, string>> {
  const { rows } = await fixture.service.query<{ id: string; state: string }>(
    'SELECT id::text AS id, state::text AS state FROM idem_outbox',
  )
  return Object.fromEntries(rows.map(({ id, state }) => [id, state]))
}

/** Looks, and finds the letter of a message. */
export async function letterOf(fixture: Fixture, id: string): Promise<DeadLetter> {
  await checkMessages(fixture.system)
  const { items } = await listDeadLetters(fixture.console.db, {}, { limit: 2_000 })
  const found = items.find(({ messageId }) => messageId === id)
  if (found === undefined) throw new Error(`${id} is not listed`)
  return found
}

export const target = (letter: DeadLetter) => ({
  sourceId: letter.source,
  place: letter.place,
  version: letter.version,
})

export const actionsOf = ({ db }: Pick<Context, 'db'>, where: object = {}) =>
  db.prisma.action.findMany({ where, orderBy: { createdAt: 'asc' } })
