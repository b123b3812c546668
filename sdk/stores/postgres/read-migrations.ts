import { readdir, readFile } from 'node:fs/promises'

/** With a checksum where the text is shortened, as in the package: that of the whole text. */
export type MigrationFile = { name: string; sql: string; checksum?: string }

/** In the order in which they are applied. */
export async function readMigrations(folder: URL): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(new URL(name, folder), 'utf8') })),
  )
}
