import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A module in place of stores/postgres/own-migrations.ts that has the migrations in it. Comments that no database keeps,
 * those outside of functions, stay in the repository; the checksum is that of the whole text.
 */
export function ownMigrationsOf(folder) {
  const files = readdirSync(folder)
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8')
      return { name, sql: shorten(text), checksum: createHash('sha256').update(text).digest('hex') }
    })
  return `export const ownMigrations = async () => ${JSON.stringify(files)}`
}

/** Text between dollar quotes is a function's, and stays. */
const shorten = (sql) =>
  sql
    .split(/(\$\w*\$[\s\S]*?\$\w*\$)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/^ *--.*\n/gm, '').replace(/\n{2,}/g, '\n')))
    .join('')
