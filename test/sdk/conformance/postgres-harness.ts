import type { Clock } from '@/sdk/clock'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import type { Store } from '@/sdk/stores/store'
import { type Break, startBreakingProxy } from '../breaking-proxy'
import { liftHold, placeHold } from '../holds-fixture'
import { createStoreFixture, openPool } from '../support'
import { type Change, type Harness, OPERATOR, type Target, TIERS, type Verb } from './harness'

/** What each verb calls in PostgreSQL. */
const FUNCTIONS: Record<Verb, string> = {
  acquire: 'idem_acquire',
  heartbeat: 'idem_heartbeat',
  complete: 'idem_complete',
  giveBack: 'idem_give_back',
  abandon: 'idem_abandon',
  beginEffect: 'idem_start_effect',
  settleEffect: 'idem_settle_effect',
  checkpoint: 'idem_checkpoint',
}

const OF_TARGET =
  'scope_id = (SELECT s.scope_id FROM idem_scope s WHERE s.name = $1) AND key = idem_key_bytes($2)'

/**
 * Writes down the order in which the store itself changed holders and began effects: answers on different connections
 * arrive in any order. A number is drawn while the lease's row is locked, so numbers have the order of the changes.
 */
const RECORD_CHANGES = `
  CREATE TABLE change (
    number bigserial PRIMARY KEY, scope_id integer NOT NULL, key bytea NOT NULL, what text NOT NULL, fence bigint NOT NULL,
    from_state text, from_owner text
  );
  CREATE FUNCTION note_holder() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (scope_id, key, what, fence, from_state, from_owner) SELECT NEW.scope_id, NEW.key, 'holder', NEW.fence,
      CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, CASE WHEN TG_OP = 'UPDATE' THEN OLD.owner END;
    RETURN NULL;
  END $$;
  CREATE FUNCTION note_begun() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (scope_id, key, what, fence) VALUES (NEW.scope_id, NEW.key, 'begun', NEW.fence);
    RETURN NULL;
  END $$;
  CREATE TRIGGER held AFTER INSERT OR UPDATE OF fence ON idem_lease FOR EACH ROW EXECUTE FUNCTION note_holder();
  CREATE TRIGGER begun AFTER INSERT OR UPDATE OF fence ON idem_step FOR EACH ROW WHEN (NEW.state = 'B')
    EXECUTE FUNCTION note_begun();
  CREATE INDEX ON change (scope_id, key, number)`

type Wrap = (store: PostgresStore, of: { clock?: Clock; losing?: boolean }) => Store

/** `wrap` = what a store is built around it, for each process. */
export async function openPostgresHarness(wrap: Wrap = (store) => store): Promise<Harness> {
  const fixture = await createStoreFixture(16)
  await fixture.query(RECORD_CHANGES)
  for (const [name, ttlMs] of Object.entries(TIERS)) await fixture.store.registerTier(name, ttlMs)
  const proxy = await startBreakingProxy(fixture.url)
  const closers: (() => Promise<void>)[] = []

  function openStore({ url = fixture.url, connectionsMax = 4, ...of }: OpenOptions) {
    const pool = openPool(url, connectionsMax)
    const store = createPostgresStore({ pool, ...of })
    closers.push(async () => {
      store.close()
      await pool.end()
    })
    return wrap(store, { ...of, losing: url !== fixture.url })
  }
  const onTarget = (sql: string, { scope, key }: Target, ...values: unknown[]) =>
    fixture.query(sql, [scope, key, ...values])

  return {
    store: wrap(fixture.store, {}),
    // Its clients' wall clocks are never asked.
    openStore: async ({ clock } = {}) => openStore(clock === undefined ? {} : { clock }),
    async ageLease(target, byMs) {
      await onTarget(
        `UPDATE idem_lease SET lease_until = lease_until - $3 * interval '1 millisecond' WHERE ${OF_TARGET}`,
        target,
        byMs,
      )
    },
    async expireRecord(target) {
      const gone = await onTarget(
        `WITH body AS (DELETE FROM idem_body WHERE ${OF_TARGET})
         DELETE FROM idem_record WHERE ${OF_TARGET} RETURNING fence`,
        target,
      )
      return gone.length > 0
    },
    async release(target) {
      const released = await onTarget(
        `UPDATE idem_lease l SET state = 'R', fence = idem_next_fence(l.fence), lease_until = clock_timestamp(),
          owner = '${OPERATOR}'
         WHERE ${OF_TARGET} AND (state = 'U' OR lease_until < clock_timestamp()) RETURNING fence`,
        target,
      )
      return released.length > 0
    },
    placeHold: async ({ kind, ...hold }) => (await placeHold(fixture, kind, hold)).said,
    liftHold: (id) => liftHold(fixture, id),
    async clearHolds() {
      await fixture.query('DELETE FROM idem_hold')
    },
    losing: {
      store: openStore({ url: proxy.url, connectionsMax: 2 }),
      loseNextReply: (verb) => proxy.breakAt('after' satisfies Break, FUNCTIONS[verb]),
      lost: proxy.broken,
    },
    async changesOf(target) {
      const rows = await onTarget(
        `SELECT what, fence::text, from_state AS "fromState", from_owner AS "fromOwner" FROM change
         WHERE ${OF_TARGET} ORDER BY number`,
        target,
      )
      return rows.map((row): Change => ({ ...(row as Change), fence: BigInt(row.fence) }))
    },
    async close() {
      await Promise.all(closers.map((close) => close()))
      await proxy.close()
      await fixture.close()
    },
  }
}

type OpenOptions = Partial<Parameters<typeof createPostgresStore>[0]> & {
  url?: string
  connectionsMax?: number
}
