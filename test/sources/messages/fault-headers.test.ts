import { expect, test } from 'vitest'
import { errorOf, groupOf, traceOf } from '@/lib/sources/dead-letters/fault-headers'

test.each([
  [
    'MassTransit',
    { 'MT-Fault-ExceptionType': 'A.B', 'MT-Fault-Message': 'no', 'MT-Fault-StackTrace': '  at A.C()' },
    'A.B: no\n  at A.C()',
  ],
  [
    'Spring Kafka, whose stack says it all',
    {
      'kafka_dlt-exception-fqcn': 'java.io.IOException',
      'kafka_dlt-exception-message': 'gone',
      'kafka_dlt-exception-stacktrace': 'java.io.IOException: gone\n\tat com.acme.Charge.run(Charge.java:42)',
    },
    'java.io.IOException: gone\n\tat com.acme.Charge.run(Charge.java:42)',
  ],
  [
    'Spring AMQP',
    { 'x-exception-message': 'no', 'x-exception-stacktrace': 'E: no\n\tat a.B.c(B.java:1)' },
    'no\nE: no\n\tat a.B.c(B.java:1)',
  ],
  ['Lambda', { ErrorCode: '200', ErrorMessage: 'timed out' }, '200: timed out'],
  [
    'a consumer of one’s own',
    { 'idemscope-error': 'Error: no\n    at charge (/app/charge.ts:1:2)' },
    'Error: no\n    at charge (/app/charge.ts:1:2)',
  ],
  ['nobody', { 'content-type': 'application/json' }, null],
  ['an empty one', { 'MT-Fault-Message': ' ' }, null],
])('%s says what a message was given up for', (_who, headers, error) => {
  expect(errorOf(headers)).toBe(error)
})

test('group and trace are read whatever the case of their names', () => {
  expect(groupOf({ 'Kafka_dlt-original-consumer-group': 'inventory' })).toBe('inventory')
  expect(groupOf({})).toBeNull()
  expect(traceOf({ Traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })).toBe(
    '0af7651916cd43dd8448eb211c80319c',
  )
  expect(traceOf({ traceparent: 'none' })).toBeNull()
})
