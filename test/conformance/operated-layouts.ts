import type { SaveSource } from '@/lib/sources/save'
import type { Holder } from '@/sdk/stores/store'
import { actorsOn, type OwnStore, SCOPE } from '../sources/own/own-stores'
import type { Layout } from './fixtures'

/** A store whose keys are taken, lost and ended as its library does it, and operated on by a console. */
export type OperatedLayout = Pick<Layout, 'scope' | 'hold' | 'kill' | 'finish' | 'close'> & {
  source: Omit<SaveSource, 'name' | 'system'>
  /** The console's next change breaks off before it is made, until it is mended. */
  cut(): Promise<() => Promise<void>>
}

export async function onPostgres(create: () => Promise<Layout>): Promise<OperatedLayout> {
  const layout = await create()
  const { db, live, source, url } = layout
  return {
    ...layout,
    source: { ...source, secret: { url } },
    async cut() {
      await db.query(`
        CREATE FUNCTION cut_here() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
        CREATE TRIGGER cut_here BEFORE UPDATE ON ${live} FOR EACH ROW EXECUTE FUNCTION cut_here()`)
      return async () => {
        await db.query(`DROP TRIGGER cut_here ON ${live}; DROP FUNCTION cut_here()`)
      }
    },
  }
}

/** Of the SDK: each holder dies over its first step, which the store has recorded. */
export async function ownStore(create: () => Promise<OwnStore>): Promise<OperatedLayout> {
  const own = await create()
  const source = own.open()
  const actors = actorsOn(own, () => source)
  const holders = new Map<string, Holder>()
  return {
    scope: SCOPE,
    source: own.source,
    async hold(key) {
      const holder = await actors.hold(key)
      await actors.begin(holder)
      holders.set(key, holder)
    },
    kill: own.kill,
    async finish(key) {
      const holder = holders.get(key)
      return holder !== undefined && (await actors.finish(holder)) !== 'stale'
    },
    async cut() {
      const mend = await own.breakNextChange('before')
      return async () => mend()
    },
    async close() {
      await source.close()
      await own.close()
    },
  }
}
