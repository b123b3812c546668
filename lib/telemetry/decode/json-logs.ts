import {
  enumeration,
  hex,
  integer,
  type Json,
  list,
  parse,
  readAttributes,
  readValue,
  record,
  text,
} from './json'
import type { OtlpLog } from './log'
import { emptyLog } from './protobuf-logs'
import { type Attributes, cleanText, emptyAttributes, LIMITS, MalformedError } from './span'

/** ExportLogsServiceRequest in OTLP's JSON form. As decodeJson for spans. */
export function decodeLogsJson(bytes: Buffer): OtlpLog[] {
  const logs: OtlpLog[] = []
  for (const entry of list(parse(bytes), 'resourceLogs')) {
    const resourceLogs = record(entry, 'resourceLogs[]')
    const resource = emptyAttributes()
    const declared = resourceLogs.resource
    if (declared !== undefined && declared !== null) readAttributes(record(declared, 'resource'), resource, 0)
    for (const scope of list(resourceLogs, 'scopeLogs')) {
      for (const log of list(record(scope, 'scopeLogs[]'), 'logRecords')) {
        logs.push(readLog(record(log, 'logRecords[]'), resource))
        if (logs.length > LIMITS.spans)
          throw new MalformedError(`more than ${LIMITS.spans} log records in one request`)
      }
    }
  }
  return logs
}

function readLog(from: Json, resource: Attributes): OtlpLog {
  const log = emptyLog(resource)
  log.timeNs = integer(from.timeUnixNano, 'timeUnixNano')
  log.observedNs = integer(from.observedTimeUnixNano, 'observedTimeUnixNano')
  log.severity = enumeration(from.severityNumber, 'severityNumber')
  log.severityText = cleanText(text(from, 'severityText'))
  log.eventName = cleanText(text(from, 'eventName'))
  if (from.body !== undefined && from.body !== null) log.body = readValue(record(from.body, 'body'), 0)
  readAttributes(from, log.attributes, 0)
  log.traceId = hex(from, 'traceId')
  log.spanId = hex(from, 'spanId')
  return log
}
