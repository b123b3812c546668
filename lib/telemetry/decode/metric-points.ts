import type { Encoding } from './answer'
import { field, list, parse, record } from './json'
import { OLDER_SCOPE } from './protobuf'
import { WireReader } from './wire'

/**
 * How many data points an ExportMetricsServiceRequest holds: metrics are not kept, and the answer says how many were
 * dropped. Throws MalformedError.
 */
export const countDataPoints = (bytes: Buffer, encoding: Encoding): number =>
  encoding === 'json' ? countInJson(bytes) : countInProtobuf(bytes)

/** Names and field numbers of Metric.data: opentelemetry/proto/metrics/v1/metrics.proto. */
const DATA = { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10, summary: 11 }
const DATA_NAMES = Object.keys(DATA)
const DATA_FIELDS = new Set<number>(Object.values(DATA))

function countInJson(bytes: Buffer): number {
  let points = 0
  for (const entry of list(parse(bytes), 'resourceMetrics')) {
    const ofResource = record(entry, 'resourceMetrics[]')
    const scopes = [...list(ofResource, 'scopeMetrics'), ...list(ofResource, 'instrumentationLibraryMetrics')]
    for (const scope of scopes)
      for (const metric of list(record(scope, 'scopeMetrics[]'), 'metrics'))
        for (const name of DATA_NAMES) {
          const data = field(record(metric, 'metrics[]'), name)
          if (data !== undefined) points += list(record(data, name), 'dataPoints').length
        }
  }
  return points
}

const isScope = (number: number) => number === 2 || number === OLDER_SCOPE
/** From the request down to the lists of data points. */
const PATH: readonly ((number: number) => boolean)[] = [
  (number) => number === 1, // resource_metrics
  isScope, // scope_metrics
  (number) => number === 2, // metrics
  (number) => DATA_FIELDS.has(number),
]
const DATA_POINTS = 1

const countInProtobuf = (bytes: Buffer): number => countBelow(new WireReader(bytes), 0)

function countBelow(reader: WireReader, depth: number): number {
  const isOnPath = PATH[depth]
  let points = 0
  while (reader.next()) {
    if (isOnPath?.(reader.field)) points += countBelow(reader.message(), depth + 1)
    else {
      if (isOnPath === undefined && reader.field === DATA_POINTS) points += 1
      reader.skip()
    }
  }
  return points
}
