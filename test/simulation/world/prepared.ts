import type { World } from './world'

/** What a service's coordinator knows of a transaction that it has prepared. */
export type Prepared = { name: string; about: string; decided: boolean }

/** Transactions of the services that are prepared, and end when their coordinator says so, however late. */
export class PreparedTransactions {
  private readonly all: Prepared[] = []

  constructor(private readonly prefix: string) {}

  begin(about: string): Prepared {
    const prepared = { name: `${this.prefix}-${this.all.length}`, about, decided: false }
    this.all.push(prepared)
    return prepared
  }

  /** Its answer was given: it is committed, whenever that is. */
  isDecided = (about: string): boolean => this.all.some((each) => each.about === about && each.decided)

  /** Those of these names, in the order of their beginning. */
  among = (names: ReadonlySet<string>): Prepared[] => this.all.filter(({ name }) => names.has(name))
}

/** The coordinator ends one: as it was decided, or either way where nobody has decided. */
export async function settlePrepared(world: World, nth: number, commits: boolean): Promise<void> {
  const open = await readOpen(world)
  const prepared = open[nth % Math.max(1, open.length)]
  if (prepared !== undefined) await end(world, prepared, commits)
}

/** Returns whether there was one. */
export async function settleAllPrepared(world: World): Promise<boolean> {
  if (world.script.style.books !== 'two_phase') return false
  const open = await readOpen(world)
  for (const prepared of open) await end(world, prepared, true)
  return open.length > 0
}

async function readOpen({ env, prepared }: World): Promise<Prepared[]> {
  const { rows } = await env.admin.query('SELECT gid FROM pg_prepared_xacts')
  return prepared.among(new Set(rows.map(({ gid }) => gid)))
}

async function end(world: World, { name, about, decided }: Prepared, commits: boolean): Promise<void> {
  const how = decided || commits ? 'COMMIT' : 'ROLLBACK'
  await world.env.admin.query(`${how} PREPARED '${name}'`)
  world.notes.push(`${how} PREPARED of ${about}`)
}
