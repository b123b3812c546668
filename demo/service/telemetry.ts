import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { NodeSDK, resources, tracing } from '@opentelemetry/sdk-node'
import type { ServiceEnv } from '../env'

/** Spans leave about a second after they end. */
const exportDelayMs = 1000
/** A console that is down must not hold a service's exit. */
const exportTimeoutMs = 1500

const serviceVersion = '1.4.0'

/** Starts tracing; the result sends what is left. */
export function startTelemetry(env: ServiceEnv): () => Promise<void> {
  const exporter = new OTLPTraceExporter({
    url: new URL('/v1/traces', env.DEMO_OTLP_URL).href,
    timeoutMillis: exportTimeoutMs,
  })
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: resources.resourceFromAttributes({
      'service.name': 'payments',
      'service.version': serviceVersion,
      'service.instance.id': env.DEMO_INSTANCE_ID,
      'deployment.environment.name': 'demo',
      'cloud.region': 'eu-central-1',
    }),
    spanProcessors: [new tracing.BatchSpanProcessor(exporter, { scheduledDelayMillis: exportDelayMs })],
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  return async () => {
    await sdk.shutdown().catch((error: unknown) => console.error('telemetry:', String(error)))
  }
}
