import { type MigrationFile, readMigrations } from './read-migrations'

/** Those of this version. The package has them in this file instead (build.mjs), so that a bundle has them too. */
export const ownMigrations = (): Promise<MigrationFile[]> =>
  readMigrations(new URL('../../migrations/', import.meta.url))
