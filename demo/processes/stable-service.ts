import type { ServiceEnv } from '../env'
import { ServiceProcess } from './service-process'

const endGraceMs = 2700
const restartDelayMs = 500
/** A round of the relay that is under way ends within this. */
const pauseTimeoutMs = 15_000

/** The service process that faults leave alone. It is started again should it ever end by itself. */
export class StableService {
  readonly #bundle: string
  #env: ServiceEnv
  #process: ServiceProcess | undefined
  #stopped = false

  constructor(bundle: string, env: ServiceEnv) {
    this.#bundle = bundle
    this.#env = env
  }

  get url(): string {
    return this.#process?.url ?? ''
  }

  async start(): Promise<void> {
    const started = await ServiceProcess.start(this.#bundle, this.#env)
    this.#process = started
    if (this.#stopped) return started.kill()
    // A restart keeps the port, so that clients find it again.
    this.#env = { ...this.#env, DEMO_SERVICE_PORT: Number(new URL(started.url).port) }
    void started.exited.then(() => this.#restart())
  }

  /** Keeps its relay from publishing while `work` runs. */
  async withRelayPaused<T>(work: () => Promise<T>): Promise<T> {
    const service = this.#process
    if (service === undefined) throw new Error('the payment service does not run')
    service.tell({ type: 'pause-relay' })
    try {
      await service.expect('relay-paused', pauseTimeoutMs)
      return await work()
    } finally {
      if (service.alive) service.tell({ type: 'resume-relay' })
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#process?.end(endGraceMs)
  }

  #restart(): void {
    if (this.#stopped) return
    console.error('the payment service ended unexpectedly; it is started again')
    setTimeout(() => {
      if (this.#stopped) return
      this.start().catch((error: unknown) => console.error('the payment service did not start:', error))
    }, restartDelayMs)
  }
}
