import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createRedisStore, redisAcl } from '../../sdk/stores/redis'
import { commandOf } from '../processes/command-of'
import { readIfThere } from '../read-if-there'
import { tiers } from '../service/tiers'
import type { RunningStore } from './dynamodb'

const startTimeoutMs = 10_000

export interface RedisServer extends RunningStore {
  /** Resolves when it ends, told to or not. */
  readonly ended: Promise<void>
  /** For the last moment of this process: no waiting. */
  killNow(): void
}

/**
 * A `redis-server` of the demo's own on the port of a URL, kept in a folder by its append-only file. Each of the two URLs
 * names a user with the least rights: the service's, and the console's.
 */
export async function startRedis(url: string, consoleUrl: string, dataDir: string): Promise<RedisServer> {
  const dir = join(dataDir, 'redis')
  await mkdir(dir, { recursive: true })
  const pidFile = join(dir, 'redis.pid')
  await endLeftOver(pidFile, dir)
  const conf = join(dir, 'redis.conf')
  await writeFile(conf, configOf({ dir, pidFile, url, consoleUrl }), { mode: 0o600 })
  const child = spawn('redis-server', [conf], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let said = ''
    const late = setTimeout(() => reject(new Error(`redis-server does not start:\n${said}`)), startTimeoutMs)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server ended:\n${said}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      said = (said + String(chunk)).slice(-10_000)
      if (!said.includes('Ready to accept connections')) return
      clearTimeout(late)
      resolve()
    })
  })
  await registerTiers(url)
  return {
    ended,
    killNow: () => void child.kill('SIGKILL'),
    async stop() {
      child.kill('SIGTERM')
      await ended
      await rm(pidFile, { force: true })
    },
  }
}

function configOf(given: { dir: string; pidFile: string; url: string; consoleUrl: string }): string {
  const { dir, pidFile, url, consoleUrl } = given
  return [
    `port ${new URL(url).port}`,
    'bind 127.0.0.1',
    `dir ${JSON.stringify(dir)}`,
    `pidfile ${JSON.stringify(pidFile)}`,
    // So that its command line names the folder, by which one that is left over is known.
    'set-proc-title no',
    'save ""',
    'appendonly yes',
    'user default off',
    userLine(url, 'service'),
    userLine(consoleUrl, 'console'),
    '',
  ].join('\n')
}

function userLine(url: string, access: 'service' | 'console'): string {
  const { username: user, password } = new URL(url)
  const passwordSha256 = createHash('sha256').update(password).digest('hex')
  return redisAcl({ user, passwordSha256, access }).replace(/^ACL SETUSER /, 'user ')
}

/** What a killed parent left behind: two servers on one folder would spoil it. */
async function endLeftOver(pidFile: string, dir: string): Promise<void> {
  const pid = Number((await readIfThere(pidFile)) ?? 'none')
  if (!Number.isInteger(pid) || pid <= 0 || !(await commandOf(pid)).includes(dir)) return
  process.kill(pid, 'SIGKILL')
  while ((await commandOf(pid)).includes(dir)) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function registerTiers(url: string): Promise<void> {
  const client = new Redis(url)
  const store = createRedisStore({ client })
  try {
    for (const { name, ttlMs } of Object.values(tiers)) await store.registerTier(name, ttlMs)
  } finally {
    store.close()
    client.disconnect()
  }
}
