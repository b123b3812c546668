import { type Meter, SpanKind } from '@opentelemetry/api'
import type { SpanProcessor } from '@opentelemetry/sdk-trace-node'
import type { LossPhase } from '../upstream/errors'

export type GatewayInstruments = ReturnType<typeof createInstruments>

export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** The gateway's own, by OpenTelemetry's conventions; the SDK counts what it does with keys. */
export function createInstruments(meter: Meter) {
  const duration = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Duration of requests, from their headers to the end of the answer',
  })
  let active = 0
  meter
    .createObservableUpDownCounter('http.server.active_requests', {
      unit: '{request}',
      description: 'Requests that are being served',
    })
    .addCallback((result) => result.observe(active))
  const lost = meter.createCounter('idemscope.gateway.lost_answers', {
    description: 'Requests that were sent, and their answers lost, by where',
  })
  const reloads = meter.createCounter('idemscope.gateway.config_reloads', {
    description: 'Reloads of the configuration, by result',
  })
  /** Counts requests by their spans. */
  const processor: SpanProcessor = {
    onStart: (span) => {
      if (span.kind === SpanKind.SERVER) active += 1
    },
    onEnd: ({ kind, attributes, duration: [seconds, nanoseconds] }) => {
      if (kind !== SpanKind.SERVER) return
      active -= 1
      duration.record(seconds + nanoseconds / 1e9, {
        'http.request.method': methodLabel(attributes['http.request.method']),
        'http.route': attributes['http.route'] ?? '',
        'http.response.status_code': attributes['http.response.status_code'] ?? 0,
      })
    },
    async forceFlush() {},
    async shutdown() {},
  }
  return {
    processor,
    countLoss: (route: string, phase: LossPhase) =>
      lost.add(1, { 'http.route': route, 'idemscope.gateway.phase': phase }),
    countReload: (result: 'ok' | 'failed') => reloads.add(1, { result }),
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Clients choose methods freely, and each label is a series. */
const methodLabel = (method: unknown): string =>
  typeof method === 'string' && METHODS.has(method) ? method : '_OTHER'
