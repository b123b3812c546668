import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import type { Tx } from '@/lib/db'

/** A person's name: no sign that hides, reorders or looks like ours (`system:job`). */
export const personNameSchema = z
  .string()
  .transform((name) => name.normalize('NFKC').trim().replaceAll(/ +/g, ' '))
  .pipe(
    z
      .string()
      .min(1, 'a name')
      .max(60)
      .regex(/^[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N} .,'’()_-]*$/u, 'letters, digits, spaces and .,’()_-'),
  )

/** A name says in the audit who it was: two people never share one, nor does a service user take a person's. */
export async function assertNameFree(tx: Tx, name: string, exceptUserId = ''): Promise<void> {
  const [taken] = await tx.$queryRaw<{ email: string }[]>`
    SELECT email FROM "user" WHERE lower(name) = lower(${name}) AND NOT service AND id <> ${exceptUserId} LIMIT 1`
  if (taken !== undefined)
    throw new AppError('conflict', `${taken.email} has the name ${name}: choose another.`)
}

/** Serialises what must not happen twice at once: a taken email or name, the last administrator. */
export const lockUsers = (tx: Tx): Promise<number> =>
  tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('idemscope.users', 0))`
