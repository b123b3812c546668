import {
  decodeItems,
  enumeration,
  field,
  hex,
  integer,
  type Json,
  readAttributes,
  readValue,
  record,
  text,
} from './json'
import type { OtlpLog } from './log'
import { emptyLog } from './protobuf-logs'
import { type Attributes, cleanText, type Rejections } from './span'

const LOGS = {
  resource: 'resourceLogs',
  scope: 'scopeLogs',
  olderScope: 'instrumentationLibraryLogs',
  items: 'logRecords',
}

/** ExportLogsServiceRequest in OTLP's JSON form. As decodeJson for spans. */
export function decodeLogsJson(bytes: Buffer, rejections: Rejections): OtlpLog[] {
  return decodeItems(bytes, LOGS, readLog, rejections)
}

/** SEVERITY_NUMBER_TRACE is 1, _TRACE2 is 2, … _FATAL4 is 24. */
const SEVERITIES = Object.fromEntries([
  ['SEVERITY_NUMBER_UNSPECIFIED', 0],
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name, place) =>
    ['', '2', '3', '4'].map((grade, index) => [`SEVERITY_NUMBER_${name}${grade}`, place * 4 + index + 1]),
  ),
])

function readLog(from: Json, resource: Attributes): OtlpLog {
  const log = emptyLog(resource)
  log.timeNs = integer(from, 'timeUnixNano')
  log.observedNs = integer(from, 'observedTimeUnixNano')
  log.severity = enumeration(from, 'severityNumber', SEVERITIES)
  log.severityText = cleanText(text(from, 'severityText'))
  log.eventName = cleanText(text(from, 'eventName'))
  const body = field(from, 'body')
  if (body !== undefined) log.body = readValue(record(body, 'body'), 0)
  readAttributes(from, log.attributes, 0)
  log.traceId = hex(from, 'traceId')
  log.spanId = hex(from, 'spanId')
  return log
}
