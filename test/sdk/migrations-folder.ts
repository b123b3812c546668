import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll } from 'vitest'

export const OWN_MIGRATIONS = readdirSync('sdk/migrations').toSorted()

/** A folder with those of the SDK's migrations that are wanted, and more; it goes when the test file ends. */
export function createMigrationsFolder(
  wanted: (name: string) => boolean,
  more: Record<string, string> = {},
): URL {
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-migrations-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of OWN_MIGRATIONS.filter(wanted))
    copyFileSync(join('sdk/migrations', name), join(folder, name))
  for (const [name, sql] of Object.entries(more)) writeFileSync(join(folder, name), sql)
  return pathToFileURL(`${folder}/`)
}
