import type { ServiceEnv } from '../env'
import { ServiceProcess } from './service-process'
import type { VictimsFile } from './victims-file'

const endGraceMs = 2000

/**
 * Service processes that faults kill or stop, one a fault. Some are kept warm, so that a fault begins at once; a
 * script that ends a victim never takes an innocent request with it.
 */
export class VictimPool {
  readonly #start: () => Promise<ServiceProcess>
  readonly #spares: Promise<ServiceProcess>[] = []
  readonly #living = new Set<ServiceProcess>()
  #closed = false

  constructor(bundle: string, env: ServiceEnv, spareCount: number, file: VictimsFile) {
    let started = 0
    this.#start = async () => {
      started += 1
      const instance = `${env.DEMO_INSTANCE_ID}-victim-${started}`
      const victim = await ServiceProcess.start(bundle, {
        ...env,
        DEMO_SERVICE_PORT: 0,
        DEMO_INSTANCE_ID: instance,
        DEMO_BARRIERS: '1',
        DEMO_RELAY: '0',
      })
      if (this.#closed) victim.killNow()
      this.#living.add(victim)
      await file.add(victim.pid)
      void victim.exited.then(() => {
        this.#living.delete(victim)
        return file.remove(victim.pid)
      })
      return victim
    }
    for (let n = 0; n < spareCount; n += 1) this.#addSpare()
  }

  /** A warm victim; it is the caller's to end. */
  async take(): Promise<ServiceProcess> {
    if (this.#closed) throw new Error('the pool is closed')
    const spare = this.#spares.shift()
    this.#addSpare()
    const victim = await (spare ?? this.#start())
    return victim.alive ? victim : this.take()
  }

  /** Ends a victim kindly, so that its last spans are sent. */
  async retire(victim: ServiceProcess): Promise<void> {
    await victim.end(endGraceMs)
  }

  async stop(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([...this.#living].map((victim) => victim.kill()))
    await Promise.allSettled(this.#spares.map(async (spare) => (await spare).kill()))
  }

  #addSpare(): void {
    const spare = this.#start()
    spare.catch((error: unknown) => console.error('victim did not start:', error))
    this.#spares.push(spare)
  }
}
