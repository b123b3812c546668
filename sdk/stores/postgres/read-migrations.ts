import { readdir, readFile } from 'node:fs/promises'

export type MigrationFile = { name: string; sql: string }

/** In the order in which they are applied. */
export async function readMigrations(folder: URL): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(new URL(name, folder), 'utf8') })),
  )
}
