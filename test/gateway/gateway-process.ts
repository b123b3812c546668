import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Settings } from './gateway-fixture'

export type GatewayProcess = {
  url: string
  adminUrl: string
  pid: number
  write(settings: Settings): void
  /** Resolves once a line of its log has this message. */
  said(message: string): Promise<Record<string, unknown>>
  lines(): Record<string, unknown>[]
  signal(name: NodeJS.Signals): void
  /** Its code, or the signal that ended it. */
  ended: Promise<number | string>
}

/** As `npm run gateway` starts it; killed with the test's folder when it is still there. */
export async function spawnGateway(settings: Settings): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-gateway-'))
  const file = join(folder, 'gateway.yaml')
  const write = (changed: Settings) => writeFileSync(file, stringify(changed))
  write(settings)
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', 'gateway/main.ts', '--config', file],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const lines: Record<string, unknown>[] = []
  let errors = ''
  let rest = ''
  const waiting = new Set<() => void>()
  child.stdout?.on('data', (chunk) => {
    rest += chunk
    const whole = rest.split('\n')
    rest = whole.pop() ?? ''
    for (const line of whole) lines.push(JSON.parse(line))
    for (const look of waiting) look()
  })
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => {
      rmSync(folder, { recursive: true, force: true })
      resolve(code ?? signal ?? 'unknown')
    }),
  )
  const said = (message: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const look = () => {
        const found = lines.find(({ msg }) => msg === message)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
      void ended.then(() => reject(new Error(`the gateway ended before it said "${message}": ${errors}`)))
    })
  const { port, adminPort } = await said('listening')
  return {
    url: `http://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    pid: child.pid ?? 0,
    write,
    said,
    lines: () => lines,
    signal: (name) => void child.kill(name),
    ended,
  }
}
