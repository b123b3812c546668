import type { IncomingMessage, ServerResponse } from 'node:http'
import { metrics } from '@opentelemetry/api'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AggregationType, MeterProvider, type ViewOptions } from '@opentelemetry/sdk-metrics'
import { AlwaysOnSampler, BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type { Logger } from 'pino'
import type { GatewayConfig } from '../config/schema'
import { createAccessLog } from './access-log'
import { createCallContext } from './call-context'
import { createInstruments, type GatewayInstruments, SECONDS } from './instruments'
import { createRequestSpans, type RequestSpans } from './request-spans'

export type GatewayTelemetry = {
  spans: RequestSpans
  instruments: GatewayInstruments
  /** Answers a scrape. */
  serveMetrics(incoming: IncomingMessage, outgoing: ServerResponse): void
  /** Sends what is left. */
  stop(): Promise<void>
}

/** Prometheus has units in names, and the usual bounds are those of milliseconds. */
const IN_SECONDS = [
  'http.server.request.duration',
  'idempotency.acquire.duration',
  'idempotency.lock.hold.duration',
].map(
  (instrumentName): ViewOptions => ({
    instrumentName,
    name: `${instrumentName}.seconds`,
    aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: SECONDS } },
  }),
)

const EXPORT_DELAY_MS = 1_000
/** A console that is down must not hold the exit. */
const EXPORT_TIMEOUT_MS = 1_500

/** Makes this process's traces and metrics, those of the SDK included. */
export function startTelemetry(
  { otlp, token, service }: GatewayConfig['telemetry'],
  instance: string,
  log: Logger,
): GatewayTelemetry {
  const resource = resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance })
  const scrape = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
  const meters = new MeterProvider({ resource, readers: [scrape], views: IN_SECONDS })
  metrics.setGlobalMeterProvider(meters)
  const instruments = createInstruments(meters.getMeter('idemscope-gateway'))
  const exporters =
    otlp === undefined
      ? []
      : [
          new BatchSpanProcessor(
            new OTLPTraceExporter({
              url: new URL('/v1/traces', otlp).href,
              timeoutMillis: EXPORT_TIMEOUT_MS,
              ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
            }),
            { scheduledDelayMillis: EXPORT_DELAY_MS },
          ),
        ]
  const tracers = new NodeTracerProvider({
    resource,
    // Log and metrics are made of spans, and a keyed one is never left out.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [createAccessLog(log), instruments.processor, ...exporters],
  })
  tracers.register({ contextManager: createCallContext() })
  return {
    spans: createRequestSpans(tracers.getTracer('idemscope-gateway')),
    instruments,
    serveMetrics: (incoming, outgoing) => scrape.getMetricsRequestHandler(incoming, outgoing),
    async stop() {
      await Promise.allSettled([tracers.shutdown(), meters.shutdown()])
    },
  }
}
