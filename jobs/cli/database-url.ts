import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { env, publicUrl } from '@/lib/env'

const runtimeSchema = z.object({ databaseUrl: z.string(), consoleUrl: z.string().optional() })

/** DATABASE_URL, or where the start on this data folder keeps its own. Throws `invalid` and says what to do. */
export function consoleDatabaseUrl(): string {
  const { DATABASE_URL } = env()
  if (DATABASE_URL !== undefined) return DATABASE_URL
  try {
    return readRuntime().databaseUrl
  } catch (cause) {
    throw new AppError(
      'invalid',
      `DATABASE_URL is not set and ${runtimePath()} cannot be read: is Idemscope running on this data folder?`,
      { cause },
    )
  }
}

/** Where people open the console: as configured, or as the start on this data folder says. */
export function consoleUrl(): string {
  const settings = env()
  if (settings.IDEMSCOPE_PUBLIC_URL !== undefined) return settings.IDEMSCOPE_PUBLIC_URL
  try {
    return readRuntime().consoleUrl ?? publicUrl(settings)
  } catch {
    // Another host runs it: the configuration is all there is.
    return publicUrl(settings)
  }
}

const runtimePath = (): string => join(env().IDEMSCOPE_DATA_DIR, 'runtime.json')

const readRuntime = () => runtimeSchema.parse(JSON.parse(readFileSync(runtimePath(), 'utf8')))
