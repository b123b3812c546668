/** Who writes what a message was given up for into its headers, and where. Names are compared in lower case. */
const FAMILIES: readonly { type?: string; message?: string; stack?: string }[] = [
  // What a consumer of one’s own writes when it parks a message (docs/guides/messages.md).
  { message: 'idemscope-error' },
  // MassTransit, MessageHeaders.cs.
  { type: 'mt-fault-exceptiontype', message: 'mt-fault-message', stack: 'mt-fault-stacktrace' },
  // Spring Kafka, KafkaHeaders.DLT_*.
  {
    type: 'kafka_dlt-exception-fqcn',
    message: 'kafka_dlt-exception-message',
    stack: 'kafka_dlt-exception-stacktrace',
  },
  // Spring Kafka, retry topics.
  { type: 'kafka_exception-fqcn', message: 'kafka_exception-message', stack: 'kafka_exception-stacktrace' },
  // Spring AMQP, RepublishMessageRecoverer.
  { message: 'x-exception-message', stack: 'x-exception-stacktrace' },
  // NServiceBus.
  {
    type: 'nservicebus.exceptioninfo.exceptiontype',
    message: 'nservicebus.exceptioninfo.message',
    stack: 'nservicebus.exceptioninfo.stacktrace',
  },
  // Wolverine.
  { type: 'exception-type', message: 'exception-message' },
  // AWS Lambda, of asynchronous invocations.
  { type: 'errorcode', message: 'errormessage' },
  { message: 'mt-reason' },
]

const GROUPS = ['idemscope-group', 'kafka_dlt-original-consumer-group', 'mt-fault-consumertype']

export type Headers = Readonly<Record<string, string>>

const lowered = (headers: Headers): Map<string, string> =>
  new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Pure: what it was given up for, type and message before the stack; null = no header says it. */
export function errorOf(headers: Headers): string | null {
  const named = lowered(headers)
  const at = (name: string | undefined) => (name === undefined ? '' : (named.get(name) ?? '').trimEnd())
  for (const family of FAMILIES) {
    const [type, message, stack] = [at(family.type), at(family.message), at(family.stack)]
    if (type === '' && message === '' && stack === '') continue
    const head = [type, message].filter(Boolean).join(': ')
    // Java’s stack says both already.
    if (stack !== '' && (head === '' || (type !== '' && stack.trimStart().startsWith(type)))) return stack
    return [head, stack].filter(Boolean).join('\n')
  }
  return null
}

/** Whose dead letter it is. */
export function groupOf(headers: Headers): string | null {
  const named = lowered(headers)
  return GROUPS.flatMap((name) => named.get(name) || [])[0] ?? null
}

/** Of the trace that published it. */
export const traceOf = (headers: Headers): string | null =>
  /^00-([0-9a-f]{32})-/.exec(lowered(headers).get('traceparent') ?? '')?.[1] ?? null
