import { type MigrationFile, readMigrations } from './read-migrations'

/** Those of this version. The package has them in this file instead (build.mjs), so that a bundle has them too. */
export async function ownMigrations(): Promise<MigrationFile[]> {
  // By a path that bundlers cannot follow: the console's has no use for it.
  const here = [import.meta.url].join()
  return readMigrations(new URL('../../migrations/', here))
}
