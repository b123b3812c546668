import type { Attributes, AttributeValue } from './span'

/** One LogRecord of OTLP. */
export type OtlpLog = {
  /** when it happened; 0 = not told */
  timeNs: bigint
  observedNs: bigint
  severity: number
  severityText: string
  eventName: string
  body: AttributeValue
  attributes: Attributes
  /** lower-case hex; '' or any length as sent */
  traceId: string
  spanId: string
  /** shared by all records of one resource */
  resource: Attributes
}
