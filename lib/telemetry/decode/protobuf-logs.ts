import type { OtlpLog } from './log'
import { OLDER_SCOPE, readAttribute, readResource, readValue } from './protobuf'
import { type Attributes, cleanText, emptyAttributes, LIMITS, MalformedError } from './span'
import { WireReader } from './wire'

/** ExportLogsServiceRequest; field numbers: opentelemetry/proto/logs/v1/logs.proto. As decodeProtobuf for spans. */
export function decodeLogsProtobuf(bytes: Buffer): OtlpLog[] {
  const logs: OtlpLog[] = []
  const reader = new WireReader(bytes)
  while (reader.next()) {
    if (reader.field === 1) readResourceLogs(reader.message(), logs)
    else reader.skip()
  }
  return logs
}

function readResourceLogs(reader: WireReader, logs: OtlpLog[]): void {
  const resource = emptyAttributes()
  while (reader.next()) {
    if (reader.field === 1) readResource(reader.message(), resource)
    else if (reader.field === 2 || reader.field === OLDER_SCOPE)
      readScopeLogs(reader.message(), logs, resource)
    else reader.skip()
  }
}

function readScopeLogs(reader: WireReader, logs: OtlpLog[], resource: Attributes): void {
  while (reader.next()) {
    if (reader.field === 2) logs.push(readLog(reader.message(), resource))
    else reader.skip()
    if (logs.length > LIMITS.spans)
      throw new MalformedError(`more than ${LIMITS.spans} log records in one request`)
  }
}

export function emptyLog(resource: Attributes): OtlpLog {
  return {
    timeNs: 0n,
    observedNs: 0n,
    severity: 0,
    severityText: '',
    eventName: '',
    body: null,
    attributes: emptyAttributes(),
    traceId: '',
    spanId: '',
    resource,
  }
}

function readLog(reader: WireReader, resource: Attributes): OtlpLog {
  const log = emptyLog(resource)
  let attributes = 0
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        log.timeNs = reader.fixed64()
        break
      case 2:
        log.severity = reader.int32()
        break
      case 3:
        log.severityText = cleanText(reader.text())
        break
      case 5:
        log.body = readValue(reader.message(), 0)
        break
      case 6:
        readAttribute(reader.message(), log.attributes, ++attributes)
        break
      case 9:
        log.traceId = reader.hex()
        break
      case 10:
        log.spanId = reader.hex()
        break
      case 11:
        log.observedNs = reader.fixed64()
        break
      case 12:
        log.eventName = cleanText(reader.text())
        break
      default:
        reader.skip()
    }
  }
  return log
}
