import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { AppError } from '@/lib/core/errors'
import { type Binaries, canReach, chooseUser, copyBinaries, findBinaries, type RunAs } from './binaries'

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000

/** Values for a throw-away cluster: a test loses nothing when the machine does. */
export const THROW_AWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

export type EmbeddedPostgres = {
  port: number
  pid: number
  /** The superuser's URL of a database in the cluster. */
  url(database: string): string
  /** Ends it with a fast shutdown; resolves when the process is gone. */
  stop(): Promise<void>
  exited: Promise<void>
}

/** Creates the cluster in `folder` when there is none and starts it on a free port of the loopback interface. */
export async function startEmbeddedPostgres(
  folder: string,
  settings: string[] = [],
): Promise<EmbeddedPostgres> {
  const { binaries, dataDir, runAs } = prepare(resolve(folder))
  await stopOrphan(dataDir)
  const password = readOrCreatePassword(join(folder, 'postgres-password'))
  if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise(binaries, dataDir, runAs, password)

  const port = await freePort()
  const log = openSync(join(folder, 'postgres.log'), 'a', 0o600)
  const options = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=128MB',
    'max_wal_size=2GB',
    'jit=off',
    'max_worker_processes=8',
    ...settings,
  ]
  const child = spawn(
    binaries.postgres,
    ['-D', dataDir, '-p', String(port), ...options.flatMap((option) => ['-c', option])],
    {
      ...runAs,
      cwd: dataDir,
      // Its own process group: Ctrl-C reaches the supervisor alone, which ends things in order.
      detached: true,
      stdio: ['ignore', log, log],
    },
  )
  const exited = new Promise<void>((done) => child.once('exit', () => done()))
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
  await waitUntilReady(url('postgres'), child, join(folder, 'postgres.log'))
  return { port, pid: child.pid ?? 0, url, exited, stop: () => stopProcess(child, exited) }
}

/** Chooses who runs it and where it lies; as root below a closed folder, both move to /var/lib/idemscope. */
function prepare(folder: string): { binaries: Binaries; dataDir: string; runAs: RunAs } {
  const runAs = chooseUser()
  const found = findBinaries()
  mkdirSync(folder, { recursive: true })
  const link = join(folder, 'postgres')
  if (!('uid' in runAs)) return { binaries: found, dataDir: link, runAs }

  const outside = join('/var/lib/idemscope', createHash('sha256').update(folder).digest('hex').slice(0, 16))
  const binaries = canReach(found.postgres, runAs) ? found : copyBinaries(found, join(outside, 'native'))
  if (!existsSync(link)) {
    if (canReach(folder, runAs)) mkdirSync(link, { mode: 0o700 })
    else {
      const home = join(outside, 'data')
      mkdirSync(home, { recursive: true, mode: 0o700 })
      chownSync(home, runAs.uid, runAs.gid)
      symlinkSync(home, link)
    }
    chownSync(link, runAs.uid, runAs.gid)
  }
  return { binaries, dataDir: canReach(folder, runAs) ? link : join(outside, 'data'), runAs }
}

function readOrCreatePassword(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('hex'), { mode: 0o600 })
  return readFileSync(path, 'utf8').trim()
}

function initialise(binaries: Binaries, dataDir: string, runAs: RunAs, password: string): void {
  const { status, stderr } = spawnSync(
    '/bin/sh',
    // initdb wants the password in a file that the user it runs as can open.
    [
      '-c',
      'umask 077; f=$(mktemp) && cat > "$f" && "$0" --pgdata="$1" --auth=scram-sha-256 --username=postgres --encoding=UTF8 --locale=C --pwfile="$f"; s=$?; rm -f "$f"; exit $s',
      binaries.initdb,
      dataDir,
    ],
    { ...runAs, cwd: '/', input: `${password}\n`, encoding: 'utf8' },
  )
  if (status === 0) return
  throw new AppError('unavailable', `initdb failed in ${dataDir}: ${stderr}`)
}

/** After a `kill -9` of its supervisor the server lives on; it is ended cleanly before the next start. */
async function stopOrphan(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  if (!Number.isInteger(pid) || !isPostgres(pid)) return
  process.kill(pid, 'SIGINT')
  const deadline = performance.now() + STOP_TIMEOUT_MS
  while (isPostgres(pid) && performance.now() < deadline) await pause(50)
  if (isPostgres(pid)) process.kill(pid, 'SIGQUIT')
}

function isPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || /postgres/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
  } catch {
    // ESRCH, or the process ended between the two looks.
    return false
  }
}

async function waitUntilReady(url: string, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    const error = await client.connect().then(
      () => undefined,
      (cause: Error) => cause,
    )
    await client.end().catch(() => undefined)
    if (error === undefined) return
    if (child.exitCode !== null || performance.now() > deadline) {
      const tail = readFileSync(logFile, 'utf8').split('\n').slice(-8).join('\n')
      throw new AppError('unavailable', `The embedded PostgreSQL did not start. Its log ends:\n${tail}`, {
        cause: error,
      })
    }
    await pause(40)
  }
}

async function stopProcess(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGINT')
  const slow = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(slow)
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === 'object' ? done(address.port) : fail(new Error('no port')),
      )
    })
  })
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))
