import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { makeThrowAwayFolder } from './throw-away-folder'

/** The one beside it insists on a user of its own. */
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'

export const hasRabbit = () => existsSync(PROGRAM)

/** A RabbitMQ of its own; durable messages survive `kill` and `start`. */
export async function startRabbit() {
  const folder = makeThrowAwayFolder('rabbit')
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()]
  await writeFile(
    join(folder, 'rabbitmq.conf'),
    `listeners.tcp.1 = 127.0.0.1:${port}\nloopback_users = none\n`,
  )
  await writeFile(join(folder, 'enabled_plugins'), '[].\n')
  const env = {
    ...process.env,
    HOME: folder,
    RABBITMQ_BASE: folder,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_NODENAME: `r${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  }
  // Where nodes find one another: started by us, so that it ends with us.
  const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], { env, stdio: 'ignore' })
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    const child = spawn(PROGRAM, { env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    server = child
    process.once('exit', killGroup)
    const said: string[] = []
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject)
      child.stdout.on('data', (chunk: Buffer) => {
        said.push(String(chunk))
        if (/completed with/.test(said.join(''))) resolve()
      })
      child.on('exit', () => reject(new Error(`rabbitmq-server ended:\n${said.join('')}`)))
    })
  }
  // A shell script is before the virtual machine: both are of one group.
  function killGroup(): void {
    if (server?.pid !== undefined && server.exitCode === null && server.signalCode === null)
      process.kill(-server.pid, 'SIGKILL')
  }
  async function kill(): Promise<void> {
    if (server === undefined) return
    const ended = once(server, 'exit')
    killGroup()
    await ended
    process.off('exit', killGroup)
    server = undefined
  }
  await start()
  return {
    url: `amqp://127.0.0.1:${port}`,
    kill,
    start,
    /** `rabbitmqctl`, as its administrator. */
    ctl: (...args: string[]) => promisify(execFile)('/usr/lib/rabbitmq/bin/rabbitmqctl', args, { env }),
    async close() {
      await kill()
      epmd.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
