import { metrics, trace } from '@opentelemetry/api'

const SCOPE = '@idemscope/sdk'

export const tracer = () => trace.getTracer(SCOPE)

type Instruments = ReturnType<typeof createInstruments>

let instruments: Instruments | undefined
let madeBy: unknown

/** Made at first use, and again when the application has set its meter provider later than that. */
export function getInstruments(): Instruments {
  const provider = metrics.getMeterProvider()
  if (instruments === undefined || madeBy !== provider) {
    instruments = createInstruments()
    madeBy = provider
  }
  return instruments
}

function createInstruments() {
  const meter = metrics.getMeter(SCOPE)
  return {
    requests: meter.createCounter('idempotency.requests', {
      unit: '{request}',
      description: 'Keyed requests by outcome',
    }),
    acquireDuration: meter.createHistogram('idempotency.acquire.duration', { unit: 's' }),
    lockHoldDuration: meter.createHistogram('idempotency.lock.hold.duration', { unit: 's' }),
    lockActive: meter.createUpDownCounter('idempotency.lock.active', {
      unit: '{lock}',
      description: 'Leases held now',
    }),
    writeRejections: meter.createCounter('idempotency.write.rejections', {
      unit: '{write}',
      description: 'Writes of stale holders that the fence refused',
    }),
    effects: meter.createCounter('idempotency.effects', {
      unit: '{effect}',
      description: 'Side effects by outcome',
    }),
  }
}
