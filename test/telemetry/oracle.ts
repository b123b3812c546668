import root from '@opentelemetry/otlp-transformer-oracle/build/src/generated/root.js'

/** The generated codec that @opentelemetry/otlp-transformer 0.203.0 ships; development only. */
type Codec = { encode(message: object): { finish(): Uint8Array }; fromObject(value: object): object }
type Decoder = {
  decode(bytes: Uint8Array): object
  toObject(message: object, options: object): Record<string, unknown>
}
type Generated = {
  opentelemetry: {
    proto: {
      collector: {
        trace: { v1: Record<'ExportTraceServiceRequest' | 'ExportTraceServiceResponse', Codec & Decoder> }
        logs: { v1: Record<'ExportLogsServiceRequest', Codec> }
        metrics: {
          v1: Record<'ExportMetricsServiceRequest' | 'ExportMetricsServiceResponse', Codec & Decoder>
        }
      }
    }
  }
}

const generated = root as unknown as Generated
const { ExportTraceServiceRequest, ExportTraceServiceResponse } =
  generated.opentelemetry.proto.collector.trace.v1

export function encodeRequest(request: object): Buffer {
  return Buffer.from(ExportTraceServiceRequest.encode(ExportTraceServiceRequest.fromObject(request)).finish())
}

export function encodeLogs(request: object): Buffer {
  const { ExportLogsServiceRequest } = generated.opentelemetry.proto.collector.logs.v1
  return Buffer.from(ExportLogsServiceRequest.encode(ExportLogsServiceRequest.fromObject(request)).finish())
}

export function decodeRequest(bytes: Buffer): object {
  return ExportTraceServiceRequest.decode(bytes)
}

export function decodeResponse(bytes: Buffer): Record<string, unknown> {
  return ExportTraceServiceResponse.toObject(ExportTraceServiceResponse.decode(bytes), { longs: String })
}

export function encodeMetrics(request: object): Buffer {
  const { ExportMetricsServiceRequest } = generated.opentelemetry.proto.collector.metrics.v1
  const message = ExportMetricsServiceRequest.fromObject(request)
  return Buffer.from(ExportMetricsServiceRequest.encode(message).finish())
}

export function decodeMetricsResponse(bytes: Buffer): Record<string, unknown> {
  const { ExportMetricsServiceResponse } = generated.opentelemetry.proto.collector.metrics.v1
  return ExportMetricsServiceResponse.toObject(ExportMetricsServiceResponse.decode(bytes), { longs: String })
}
