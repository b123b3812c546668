import { parseArgs } from 'node:util'
import { mintToken } from '@/lib/access/tokens'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { closeDatabase, openDatabase } from '@/lib/db'
import { consoleDatabaseUrl } from './database-url'

const USAGE = 'Usage: npm run --silent token -- --role viewer|operator --name NAME [--owner EMAIL] [--days N]'

/** Prints one API token, owned by a service user, and nothing else. */
async function main(): Promise<void> {
  const given = readArguments()
  const { role } = given
  if (role === 'approver' || role === 'admin') {
    throw new AppError(
      'forbidden',
      `The command line mints viewer and operator tokens only. Approving needs a person: sign in as an ${role} and make a token of your own.`,
    )
  }
  const db = openDatabase(consoleDatabaseUrl(), 2)
  try {
    const { token } = await mintToken(db, systemClock, given)
    process.stdout.write(`${token}\n`)
  } finally {
    await closeDatabase(db)
  }
}

function readArguments() {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({
      options: { role: text, name: text, owner: text, days: text },
      strict: true,
    })
    const { role, name, owner, days } = values
    if (role !== undefined && name !== undefined)
      return { role, name, owner, days: days === undefined ? undefined : Number(days) }
  } catch (cause) {
    throw new AppError('invalid', `${(cause as Error).message}\n${USAGE}`, { cause })
  }
  throw new AppError('invalid', `--role and --name are needed.\n${USAGE}`)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
