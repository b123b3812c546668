import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { makeThrowAwayFolder } from './throw-away-folder'

export type RedisServer = {
  port: number
  url: string
  /** For the test itself, beside the store. */
  admin: Redis
  /** SIGKILL: what is only in memory is gone. */
  kill(): Promise<void>
  /** SIGSTOP: it holds its connections and answers nothing. */
  freeze(): void
  thaw(): void
  /** On the same port and folder. */
  start(): Promise<void>
  close(): Promise<void>
}

/** A cluster's nodes talk to each other on a second port, so far above the first. */
const BUS = 10_000

/** A Redis of its own, without any persistence unless `config` says so. */
export async function startRedis(config: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort(BUS)
  const folder = makeThrowAwayFolder('redis')
  let child: ChildProcess | undefined
  const defaults = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--daemonize', 'no']
  const admin = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 20 })
  admin.on('error', () => {})

  async function start(): Promise<void> {
    child = await spawnRedis(['--port', String(port), '--dir', folder, ...defaults, ...config])
    await admin.ping()
  }
  const kill = () => killRedis(child)
  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    admin,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    start,
    async close() {
      admin.disconnect()
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when it listens. */
async function spawnRedis(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  // A run that is interrupted closes nothing.
  const end = () => void child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  const said: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.stdout.on('data', (chunk: Buffer) => {
      said.push(String(chunk))
      if (/Ready to accept connections|\+monitor /.test(String(chunk))) resolve()
    })
    child.on('exit', () => reject(new Error(`redis-server ended:\n${said.join('')}`)))
  })
  return child
}

async function killRedis(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** One sentinel that promotes the replica of this primary half a second after it fell silent; knows both when it resolves. */
export async function startSentinel(primary: RedisServer, name: string) {
  const port = await freePort(BUS)
  const folder = makeThrowAwayFolder('sentinel')
  const file = join(folder, 'sentinel.conf')
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${primary.port} 1`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 5000`,
    ].join('\n'),
  )
  const child = await spawnRedis([file, '--sentinel'])
  const admin = new Redis({ port, host: '127.0.0.1' })
  admin.on('error', () => {})
  // It hears of replicas from their primary.
  while (((await admin.call('SENTINEL', 'REPLICAS', name)) as unknown[]).length === 0)
    await setTimeout(LOOK_EVERY_MS)
  return {
    port,
    async close() {
      admin.disconnect()
      await killRedis(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Three primaries that share the slots. */
export async function startRedisCluster(): Promise<{ nodes: RedisServer[]; close(): Promise<void> }> {
  const config = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000']
  const nodes = [await startRedis(config), await startRedis(config), await startRedis(config)]
  const share = Math.ceil(16_384 / nodes.length)
  await Promise.all(
    nodes.map(async ({ admin }, at) => {
      await admin.cluster('ADDSLOTSRANGE', at * share, Math.min(16_384, (at + 1) * share) - 1)
      for (const { port } of nodes) await admin.cluster('MEET', '127.0.0.1', port)
    }),
  )
  await Promise.all(nodes.map(({ admin }) => untilOk(admin)))
  return {
    nodes,
    async close() {
      await Promise.all(nodes.map((node) => node.close()))
    },
  }
}

async function untilOk(admin: Redis): Promise<void> {
  for (;;) {
    const info = String(await admin.cluster('INFO'))
    if (/cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info)) return
    await setTimeout(LOOK_EVERY_MS)
  }
}

const LOOK_EVERY_MS = 20
