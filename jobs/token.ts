import { parseArgs } from 'node:util'
import { mintToken } from '@/lib/access/tokens'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { closeDatabase, openDatabase } from '@/lib/db'
import { consoleDatabaseUrl } from './database-url'

const USAGE = 'Usage: npm run --silent token -- --role viewer|operator --name NAME'

/** Prints one API token, owned by a service user, and nothing else. */
async function main(): Promise<void> {
  const { role, name } = readArguments()
  if (role === 'approver' || role === 'admin') {
    throw new AppError(
      'forbidden',
      `The command line mints viewer and operator tokens only. Approving needs a person: sign in as an ${role} and make a token of your own.`,
    )
  }
  const db = openDatabase(consoleDatabaseUrl(), 2)
  try {
    const { token } = await mintToken(db, systemClock, { role, name })
    process.stdout.write(`${token}\n`)
  } finally {
    await closeDatabase(db)
  }
}

function readArguments(): { role: string; name: string } {
  try {
    const { values } = parseArgs({
      options: { role: { type: 'string' }, name: { type: 'string' } },
      strict: true,
    })
    if (values.role !== undefined && values.name !== undefined)
      return { role: values.role, name: values.name }
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
