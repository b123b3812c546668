import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { AppError } from '@/lib/core/errors'
import { endWithUs, runGroup } from '../own-process'
import { type Binaries, canReach, chooseUser, copyBinaries, findBinaries, type RunAs } from './binaries'
import { freePort } from './free-port'

const START_WITHIN_MS = 30_000
/** A fast shutdown writes what is in memory first; what insists leaves that to the recovery of the next start. */
const INSIST_AFTER_MS = { SIGQUIT: 8_000, SIGKILL: 13_000 } as const
/** An immediate shutdown is over within moments, but for a server that cannot be scheduled. */
const END_NOW_WITHIN_MS = 5_000

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

type StartOptions = {
  settings?: string[]
  /** Default: a free one. */
  port?: number
  /** Ends a start that is under way; a server that has started is ended by its `stop`. */
  signal?: AbortSignal
  startWithinMs?: number
}

/**
 * Creates the cluster in `folder` when there is none and starts it on the loopback interface. What does not come up in
 * time, or is told to stop, has ended when this throws. A server ends with this process, unless that is killed.
 */
export async function startEmbeddedPostgres(
  folder: string,
  { settings = [], port: askedPort, signal, startWithinMs = START_WITHIN_MS }: StartOptions = {},
): Promise<EmbeddedPostgres> {
  const { binaries, dataDir, runAs } = prepare(resolve(folder))
  await stopOrphan(dataDir)
  const password = readOrCreatePassword(join(folder, 'postgres-password'))
  const initialised = join(folder, 'postgres-initialised')
  if (!existsSync(initialised)) {
    // A start that was killed within initdb left half a cluster.
    for (const entry of readdirSync(dataDir)) rmSync(join(dataDir, entry), { recursive: true })
    await initialise(binaries, dataDir, runAs, password, signal)
    writeFileSync(initialised, '')
  }

  const port = askedPort ?? (await freePort())
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
  const logFile = join(folder, 'postgres.log')
  const deadline = performance.now() + startWithinMs
  for (;;) {
    signal?.throwIfAborted()
    const child = spawnServer(binaries, { dataDir, port, settings, runAs, logFile })
    endWithUs(child, () => endNow(child, dataDir))
    const exited = new Promise<void>((done) => child.once('exit', () => done()).once('error', () => done()))
    const failure = await waitUntilReady(url('postgres'), child, deadline, signal)
    const stop = () => stopProcess(child, exited)
    if (failure === undefined) return { port, pid: child.pid ?? 0, url, exited, stop }
    // It may still be starting: nobody would end it later.
    await stop()
    signal?.throwIfAborted()
    const tail = readFileSync(logFile, 'utf8').split('\n').slice(-8).join('\n')
    // Processes of a server that was killed need a moment to let go of its memory, and to be reaped.
    if (
      /pre-existing shared memory block|"postmaster.pid" already exists/.test(tail) &&
      performance.now() < deadline
    )
      await pause(200)
    else {
      const message = `The embedded PostgreSQL did not start. Its log ends:\n${tail}`
      throw new AppError('unavailable', message, { cause: failure })
    }
  }
}

function spawnServer(
  binaries: Binaries,
  given: { dataDir: string; port: number; settings: string[]; runAs: RunAs; logFile: string },
): ChildProcess {
  const options = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=128MB',
    'max_wal_size=2GB',
    'jit=off',
    'max_worker_processes=8',
    ...given.settings,
  ]
  const log = openSync(given.logFile, 'a', 0o600)
  try {
    return spawn(
      binaries.postgres,
      ['-D', given.dataDir, '-p', String(given.port), ...options.flatMap((option) => ['-c', option])],
      {
        ...given.runAs,
        cwd: given.dataDir,
        // Its own process group: Ctrl-C reaches the supervisor alone, which ends things in order.
        detached: true,
        stdio: ['ignore', log, log],
      },
    )
  } finally {
    closeSync(log)
  }
}

/** Chooses who runs it and where it lies; as root below a closed folder, both move to /var/lib/idemscope. */
function prepare(folder: string): { binaries: Binaries; dataDir: string; runAs: RunAs } {
  const runAs = chooseUser()
  const found = findBinaries()
  mkdirSync(folder, { recursive: true })
  const link = join(folder, 'postgres')
  if (!('uid' in runAs)) {
    mkdirSync(link, { recursive: true, mode: 0o700 })
    return { binaries: found, dataDir: link, runAs }
  }

  const outside = join('/var/lib/idemscope', createHash('sha256').update(folder).digest('hex').slice(0, 16))
  const binaries = canReach(found.postgres, runAs) ? found : copyBinaries(found, join(outside, 'native'))
  if (!existsSync(link)) {
    if (canReach(folder, runAs)) mkdirSync(link, { mode: 0o700 })
    else {
      const home = join(outside, 'data')
      mkdirSync(outside, { recursive: true, mode: 0o755 })
      mkdirSync(home, { mode: 0o700 })
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

async function initialise(
  binaries: Binaries,
  dataDir: string,
  runAs: RunAs,
  password: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { code, output } = await runGroup(
    '/bin/sh',
    // initdb wants the password in a file that the user it runs as can open.
    [
      '-c',
      'umask 077; f=$(mktemp) && cat > "$f" && "$0" --pgdata="$1" --auth=scram-sha-256 --username=postgres --encoding=UTF8 --locale=C --pwfile="$f"; s=$?; rm -f "$f"; exit $s',
      binaries.initdb,
      dataDir,
    ],
    { ...runAs, cwd: '/', input: `${password}\n`, signal },
  )
  signal?.throwIfAborted()
  if (code !== 0) throw new AppError('unavailable', `initdb failed in ${dataDir}: ${output}`)
}

/** After a `kill -9` of its supervisor the server lives on; it is ended cleanly before the next start. */
async function stopOrphan(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  if (!Number.isInteger(pid) || !isPostgres(pid)) return
  process.kill(pid, 'SIGINT')
  const startedAt = performance.now()
  const isOverdue = (afterMs: number) => performance.now() - startedAt > afterMs
  while (isPostgres(pid) && !isOverdue(INSIST_AFTER_MS.SIGQUIT)) await pause(50)
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

/** Undefined when it answers; else why it does not, once it has ended, is to stop, or the time is over. */
async function waitUntilReady(
  url: string,
  child: ChildProcess,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Error | undefined> {
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    // A server that is killed now ends the connection, not this process.
    client.on('error', () => undefined)
    const error = await client.connect().then(
      () => undefined,
      (cause: Error) => cause,
    )
    // Not waited for: it never ends when the server dies in this moment.
    void client.end().catch(() => undefined)
    const over = hasEnded(child) || signal?.aborted === true || performance.now() > deadline
    if (error === undefined || over) return error
    await pause(40)
  }
}

const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null

async function stopProcess(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (hasEnded(child)) return
  child.kill('SIGINT')
  const insist = (['SIGQUIT', 'SIGKILL'] as const).map((signal) =>
    setTimeout(() => child.kill(signal), INSIST_AFTER_MS[signal]),
  )
  await exited
  for (const timer of insist) clearTimeout(timer)
}

/** While this process ends there is nothing but waiting in place; the server takes its pid file away last. */
function endNow(child: ChildProcess, dataDir: string): void {
  child.kill('SIGQUIT')
  const startedAt = performance.now()
  const still = new Int32Array(new SharedArrayBuffer(4))
  while (existsSync(join(dataDir, 'postmaster.pid')) && performance.now() - startedAt < END_NOW_WITHIN_MS)
    Atomics.wait(still, 0, 0, 20)
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))
