import { listSources } from '@/lib/mirror/read/list-sources'
import { stageSystem } from '@/lib/reconcile/stage/stage'
import { saveSource } from '@/lib/sources/save'
import { mappedLayout } from '../conformance/fixtures'
import { CREDENTIALS_KEY, createFixture } from '../locks/locks-fixture'
import { SETTINGS as RECONCILE } from '../reconcile/world'

export const SETTINGS = { ...RECONCILE, clockSkewMs: 60_000 }
/** The store's table. */
export const TABLE = '"Pay"."Idempotency Records"'

/** A console, and a service's database with a mapped store, whose tables a test makes odd. */
export async function createOddRowsFixture(system: string) {
  const fixture = await createFixture()
  const layout = await mappedLayout()
  const { pool } = fixture.console.db

  const save = (source: object, name: string): Promise<string> =>
    saveSource(fixture.system, { ...source, name, system, secret: { url: layout.url } } as never, {
      credentialsKey: CREDENTIALS_KEY,
    })

  return {
    ...fixture,
    layout,
    save,
    /** A ledger whose columns are called id, kind, ref, amount, currency and at. */
    saveLedger(table: string, name: string, config: object = {}): Promise<string> {
      const columns = {
        entryId: 'id',
        kind: 'kind',
        providerRef: 'ref',
        reference: 'ref',
        amountMinor: 'amount',
        currency: 'currency',
        bookedAt: 'at',
      }
      const relation = { schema: 'public', name: table }
      const kinds = { charge: ['charge'], refund: [] }
      return save({ adapter: 'ledger-postgres', config: { relation, columns, kinds, ...config } }, name)
    },
    stage: () => stageSystem(fixture.system, system, { settings: SETTINGS }),
    viewOf: async (id: string) => (await listSources(fixture.console.db)).find((each) => each.id === id),
    /** What is staged of a source, by the name that SQL gives it. */
    async staged(source: string, name: string, what: string): Promise<Record<string, string>> {
      const { rows } = await pool.query<{ name: string; what: string }>(
        `SELECT ${name} AS name, ${what} AS what FROM mirror.object WHERE source_id = $1 AND gone_at IS NULL`,
        [source],
      )
      return Object.fromEntries(rows.map((row) => [row.name, row.what]))
    },
    /** As if it had never been staged. */
    async forget(source: string): Promise<void> {
      for (const table of ['object', 'unreadable', 'cursor'])
        await pool.query(`DELETE FROM mirror.${table} WHERE source_id = $1`, [source])
    },
    async close() {
      await fixture.close()
      await layout.close()
    },
  }
}
