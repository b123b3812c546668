import { AppError } from '@/lib/core/errors'
import { sqlStateOf } from '@/lib/core/sql-state'

/** Of Node and Prisma, when no server answered: the connection could not be made, or broke. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'P1001',
  'P1017',
  'P2024',
])

/** Why the console's own database cannot do its work now, in words for its reader; null when that is not the reason. */
export function databaseTrouble(error: unknown): string | null {
  const state = sqlStateOf(error)
  if (state === '53100') return 'The console’s database cannot store anything: its disk is full.'
  if (state === '53300') return 'The console’s database has no connection left.'
  if (state?.startsWith('53')) return 'The console’s database has run out of memory or another resource.'
  if (state === '25006') return 'The console’s database is read-only, as a standby is.'
  if (state === undefined ? isUnreachable(error) : /^(08|57P0[123])/.test(state))
    return 'The console’s database does not answer.'
  return null
}

const isUnreachable = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && UNREACHABLE.has(String(error.code))

/** Such trouble as an answer: nothing was changed, and trying again later is right. Anything else is given back. */
export function asUnavailable(error: unknown): unknown {
  const trouble = databaseTrouble(error)
  if (trouble === null) return error
  return new AppError('unavailable', `${trouble} Try again when it is mended.`, { cause: error })
}
