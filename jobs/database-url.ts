import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { env } from '@/lib/env'

/** DATABASE_URL, or where the start on this data folder keeps its own. Throws `invalid` and says what to do. */
export function consoleDatabaseUrl(): string {
  const { DATABASE_URL, IDEMSCOPE_DATA_DIR } = env()
  if (DATABASE_URL !== undefined) return DATABASE_URL
  const path = join(IDEMSCOPE_DATA_DIR, 'runtime.json')
  try {
    return z.object({ databaseUrl: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).databaseUrl
  } catch (cause) {
    throw new AppError(
      'invalid',
      `DATABASE_URL is not set and ${path} cannot be read: is Idemscope running on this data folder?`,
      { cause },
    )
  }
}
