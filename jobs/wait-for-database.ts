import pg from 'pg'
import { AppError } from '@/lib/core/errors'
import { sqlStateOf } from '@/lib/core/sql-state'

const PATIENCE_MS = 60_000
const ASK_EVERY_MS = 1_000
const SAY_EVERY_MS = 10_000
const CONNECT_TIMEOUT_MS = 5_000
/** `server_version_num` of PostgreSQL 15. */
const VERSION_MIN = 150_000

/** What will not mend itself while one waits, by SQLSTATE, and what to check. */
const FINAL: Record<string, string> = {
  '28P01': 'Check the user and the password in DATABASE_URL.',
  '28000': 'Check the user in DATABASE_URL and the server’s pg_hba.conf.',
  '3D000': 'Create the database, or correct its name in DATABASE_URL.',
  '42501': 'Grant the user CONNECT on the database.',
}

/**
 * Resolves once the database answers: one that starts later is waited for, with a line now and then. Throws
 * `unavailable` in one line that says where, why and what to check.
 */
export async function waitForDatabase(
  url: string,
  say: (line: string) => void = console.log,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const startedAt = performance.now()
  let saidAt = Number.NEGATIVE_INFINITY
  for (;;) {
    const failure = await failureOf(url)
    if (failure === null) return
    const { reason, advice } = failure
    const now = performance.now()
    if (failure.final || now - startedAt > patienceMs) {
      throw new AppError('unavailable', `PostgreSQL at ${placeOf(url)} cannot be used: ${reason}. ${advice}`)
    }
    if (now - saidAt > SAY_EVERY_MS) {
      say(`Waiting for PostgreSQL at ${placeOf(url)}: ${reason}.`)
      saidAt = now
    }
    await new Promise((done) => setTimeout(done, ASK_EVERY_MS))
  }
}

type Failure = { reason: string; advice: string; final: boolean }

async function failureOf(url: string): Promise<Failure | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // What is asked of it says what is wrong; without a listener a broken connection would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ number: string; version: string }>(
      `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version`,
    )
    const [{ number, version } = { number: '0', version: 'unknown' }] = rows
    if (Number(number) >= VERSION_MIN) return null
    return {
      reason: `it is version ${version}`,
      advice: 'Idemscope needs PostgreSQL 15 or later.',
      final: true,
    }
  } catch (error) {
    const reason = reasonOf(error)
    const advice = FINAL[sqlStateOf(error) ?? '']
    if (advice !== undefined) return { reason, advice, final: true }
    return { reason, advice: 'Check that it runs there and that DATABASE_URL is right.', final: false }
  } finally {
    // The answer is known; a server that dies in this moment never ends it.
    void client.end().catch(() => undefined)
  }
}

function reasonOf(error: unknown): string {
  // A name with several addresses fails with one error for each.
  const first = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error && first.message !== '' ? first.message.replace(/\.$/, '') : String(first)
}

/** Host, port, database and user: never the password. */
function placeOf(url: string): string {
  const { hostname, port, pathname, username } = new URL(url)
  return `${hostname}:${port === '' ? '5432' : port}, database ${decodeURIComponent(pathname.slice(1))}, user ${decodeURIComponent(username)}`
}
