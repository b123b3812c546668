import { type ChildProcess, fork } from 'node:child_process'
import { type ServiceEnv, serviceProcessEnv } from '../env'
import { type FromService, fromService, type ToService } from '../messages'

const startTimeoutMs = 30_000

/** A running service process. */
export class ServiceProcess {
  /** Those that are only starting included. */
  static readonly #living = new Set<ServiceProcess>()
  readonly #child: ChildProcess
  readonly #messages: FromService[] = []
  readonly #listeners = new Set<() => void>()
  #stopped = false
  #url = ''
  readonly exited: Promise<void>

  private constructor(child: ChildProcess) {
    this.#child = child
    ServiceProcess.#living.add(this)
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        ServiceProcess.#living.delete(this)
        resolve()
        this.#wake()
      })
    })
    child.on('message', (message) => {
      this.#messages.push(fromService.parse(message))
      this.#wake()
    })
  }

  /** Resolves when the process accepts requests. */
  static async start(bundle: string, env: ServiceEnv): Promise<ServiceProcess> {
    const child = fork(bundle, [], {
      env: serviceProcessEnv(env),
      // Not the parent's loader: a bundle needs none.
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const started = new ServiceProcess(child)
    try {
      const { port } = await started.expect('listening', startTimeoutMs)
      started.#url = `http://127.0.0.1:${port}`
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
    return started
  }

  get url(): string {
    return this.#url
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Whether it was stopped by SIGSTOP and not continued yet. */
  get stopped(): boolean {
    return this.#stopped
  }

  tell(message: ToService): void {
    this.#child.send(message)
  }

  /** The next message of a type, also one that has already come; rejects when the process ends or time is up. */
  async expect<T extends FromService['type']>(
    type: T,
    timeoutMs: number,
  ): Promise<Extract<FromService, { type: T }>> {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      this.#wake()
    }, timeoutMs)
    try {
      for (;;) {
        const at = this.#messages.findIndex((message) => message.type === type)
        const [found] = at === -1 ? [] : this.#messages.splice(at, 1)
        if (found !== undefined) return found as Extract<FromService, { type: T }>
        if (!this.alive) throw new Error(`service process ${this.pid} ended before '${type}'`)
        if (isLate) throw new Error(`service process ${this.pid} did not report '${type}' in ${timeoutMs} ms`)
        await this.#change()
      }
    } finally {
      clearTimeout(timer)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#child.kill('SIGSTOP')
  }

  continue(): void {
    this.#child.kill('SIGCONT')
    this.#stopped = false
  }

  async kill(): Promise<void> {
    if (this.alive) this.#child.kill('SIGKILL')
    await this.exited
  }

  /** SIGTERM, and SIGKILL when that takes too long. A stopped process only understands the latter. */
  async end(graceMs: number): Promise<void> {
    if (!this.alive) return
    if (this.#stopped) return this.kill()
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    await this.exited
    clearTimeout(timer)
  }

  killNow(): void {
    if (this.alive) this.#child.kill('SIGKILL')
  }

  /** For the last moment of the parent: no waiting. */
  static killAllNow(): void {
    for (const each of ServiceProcess.#living) each.killNow()
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#listeners.delete(done)
        resolve()
      }
      this.#listeners.add(done)
    })
  }
}
