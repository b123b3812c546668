import { parseArgs } from 'node:util'
import { z } from 'zod'
import { invitationPath } from '@/lib/access/accounts/invitation'
import { inviteFromHost } from '@/lib/access/accounts/invite-from-host'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { ROLES } from '@/lib/core/permissions'
import { closeDatabase, openDatabase } from '@/lib/db'
import { consoleDatabaseUrl, consoleUrl } from './database-url'

// `npm run --silent invite -- --email EMAIL --name NAME --role ROLE`: the second administrator, or a lost password.

const USAGE = `Usage: npm run --silent invite -- --email EMAIL [--name NAME] [--role ${ROLES.join('|')}]`

/** Prints the link of one invitation, and nothing else. */
async function main(): Promise<void> {
  const asked = readArguments()
  const db = openDatabase(consoleDatabaseUrl(), 2)
  try {
    const { secret } = await inviteFromHost(db, systemClock, asked)
    process.stdout.write(`${new URL(invitationPath(secret), consoleUrl()).href}\n`)
  } finally {
    await closeDatabase(db)
  }
}

function readArguments() {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({ options: { email: text, name: text, role: text }, strict: true })
    if (values.email !== undefined)
      return { email: values.email, name: values.name, role: z.enum(ROLES).optional().parse(values.role) }
  } catch (cause) {
    const why =
      cause instanceof z.ZodError ? `--role is one of ${ROLES.join(', ')}` : (cause as Error).message
    throw new AppError('invalid', `${why}\n${USAGE}`, { cause })
  }
  throw new AppError('invalid', `--email is needed.\n${USAGE}`)
}

try {
  await main()
} catch (error) {
  const text = error instanceof z.ZodError ? z.prettifyError(error) : String((error as Error).message)
  process.stderr.write(`${text}\n`)
  process.exitCode = 1
}
