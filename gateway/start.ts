import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { type Clock, sleep } from '@/sdk/clock'
import { type ConfigSources, GatewayConfigError, readConfig } from './config/read-config'
import type { GatewayConfig } from './config/schema'
import { serve } from './gateway'
import { createAdminServer, createPublicServer, listen } from './server'
import type { GatewayTelemetry } from './telemetry/telemetry'
import { createWorld, type World } from './world'

export type GatewayOptions = {
  file: string
  sources: ConfigSources
  clock: Clock
  random: () => number
  log: Logger
  telemetry: (config: GatewayConfig['telemetry']) => GatewayTelemetry
}

export type Gateway = {
  readonly port: number
  readonly adminPort: number
  /** Reads the file again; false = it is broken, and the old one stays. */
  reload(): boolean
  /** Takes no more, and lets what runs end; resolves to the number of requests that had not ended in time. */
  drain(): Promise<number>
}

/** What another process needs, and a reload cannot change. */
const FIXED = ['listen', 'admin', 'limits', 'telemetry'] as const

/** Throws GatewayConfigError. */
export async function startGateway({
  file,
  sources,
  clock,
  random,
  log,
  telemetry: open,
}: GatewayOptions): Promise<Gateway> {
  const config = readConfig(file, sources)
  const telemetry = open(config.telemetry)
  const worldDeps = {
    clock,
    random,
    owner: `gateway-${process.pid}-${randomUUID().slice(0, 8)}`,
    log,
    onLoss: telemetry.instruments.countLoss,
  }
  let world = createWorld(file, config, worldDeps, null)
  /** The present one, and those before it that still serve requests. */
  const worlds = new Set([world])
  let isDraining = false
  /** Called when a request has ended while draining. */
  let onEnded = () => {}

  const closeWhenUnused = (old: World) => {
    if (old === world || old.users > 0) return
    if (!worlds.delete(old)) return
    old.close([...worlds]).catch((err) => log.warn({ err }, 'what a reload has replaced could not be closed'))
  }
  const deps = {
    clock,
    spans: telemetry.spans,
    isDraining: () => isDraining,
    isFull: () => [...worlds].reduce((sum, { users }) => sum + users, 0) > config.limits.requests,
    onError: (err: unknown) => log.error({ err }, 'a request failed'),
    onServed(served: World) {
      closeWhenUnused(served)
      onEnded()
    },
  }
  const server = createPublicServer(config, (incoming, outgoing, expectsContinue) => {
    void serve(deps, world, incoming, outgoing, expectsContinue)
  })
  const admin = createAdminServer({
    notReady() {
      if (isDraining) return 'draining'
      const missing = [...world.stores].filter(([, store]) => !store.isPrepared()).map(([name]) => name)
      return missing.length === 0 ? null : `not reached yet: store ${missing.join(', ')}`
    },
    metrics: telemetry.serveMetrics,
  })
  const adminPort = await listen(admin, config.admin)
  const port = await listen(server, config.listen)

  return {
    port,
    adminPort,
    reload() {
      try {
        const next = readConfig(file, sources)
        const faults = FIXED.filter((name) => !isDeepStrictEqual(next[name], world.config[name])).map(
          (name) => `${name}: cannot change while it runs: restart the gateway`,
        )
        if (faults.length > 0) throw new GatewayConfigError(file, faults)
        const old = world
        world = createWorld(file, next, worldDeps, old)
        worlds.add(world)
        closeWhenUnused(old)
        telemetry.instruments.countReload('ok')
        log.info({ file }, 'configuration reloaded')
        return true
      } catch (error) {
        // Whatever it is: a signal must not end what runs.
        telemetry.instruments.countReload('failed')
        const why = error instanceof GatewayConfigError ? { faults: error.faults } : { err: error }
        log.error({ file, ...why }, 'configuration not reloaded: the old one stays')
        return false
      }
    },
    async drain() {
      isDraining = true
      const { delay, timeout } = world.config.drain
      await sleep(clock, delay)
      const closed = new Promise<'closed'>((resolve) => server.close(() => resolve('closed')))
      // A connection that was kept when draining began ends with its request.
      onEnded = () => setImmediate(() => server.closeIdleConnections())
      onEnded()
      const left = await Promise.race([closed, sleep(clock, timeout)])
      const unfinished = left === 'closed' ? 0 : world.users
      server.closeAllConnections()
      admin.close()
      admin.closeAllConnections()
      for (const each of worlds) {
        worlds.delete(each)
        await each.close([...worlds])
      }
      await telemetry.stop()
      return unfinished
    },
  }
}
