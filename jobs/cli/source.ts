import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { closeDatabase, openDatabase } from '@/lib/db'
import { env } from '@/lib/env'
import { listSources } from '@/lib/mirror/read/list-sources'
import { type SaveSource, saveSource } from '@/lib/sources/save'
import { readOrCreateSecrets } from '../supervisor/secrets'
import { consoleDatabaseUrl } from './database-url'

// `npm run --silent source -- save FILE | list`

const USAGE = 'Usage: npm run --silent source -- save FILE | list. See docs/guides/sources.md.'

async function main([verb, file]: string[]): Promise<void> {
  const db = openDatabase(consoleDatabaseUrl(), 2)
  try {
    if (verb === 'list') {
      console.log(JSON.stringify(await listSources(db, systemClock.now()), null, 2))
    } else if (verb === 'save' && file !== undefined) {
      const { IDEMSCOPE_CREDENTIALS_KEY, IDEMSCOPE_DATA_DIR } = env()
      const credentialsKey =
        IDEMSCOPE_CREDENTIALS_KEY ?? readOrCreateSecrets(IDEMSCOPE_DATA_DIR).credentialsKey
      const sources = z
        .array(z.custom<SaveSource>((value) => typeof value === 'object' && value !== null))
        .parse(JSON.parse(readFileSync(file, 'utf8')))
      for (const source of sources)
        console.log(
          `${await saveSource({ db, clock: systemClock }, source, { credentialsKey })}  ${source.name}`,
        )
    } else {
      throw new AppError('invalid', USAGE)
    }
  } finally {
    await closeDatabase(db)
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error instanceof z.ZodError ? z.prettifyError(error) : error.message)
  process.exit(1)
})
