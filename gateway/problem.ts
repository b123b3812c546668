import { problemResponse, renderProblem } from '@/sdk/responses/problem'

export { problemResponse }

/** What the gateway answers by itself, beside the problems of the SDK. */
const PROBLEMS = {
  noRoute: [404, 'no-route', 'Not Found', 'The gateway has no route for this path.'],
  methodNotAllowed: [
    405,
    'method-not-allowed',
    'Method Not Allowed',
    'This path is not served with this method.',
  ],
  ambiguousPath: [
    400,
    'ambiguous-path',
    'Bad Request',
    'The path could be read in two ways: it has dot segments, empty segments, encoded slashes or control characters.',
  ],
  malformedRequest: [400, 'malformed', 'Bad Request', 'The request is not valid HTTP/1.1.'],
  repeatedHeader: [400, 'repeated-header', 'Bad Request', 'A header that may be there once is repeated.'],
  headersTooLarge: [
    431,
    'headers-too-large',
    'Request Header Fields Too Large',
    'The headers are larger than this gateway accepts.',
  ],
  requestTimeout: [408, 'request-timeout', 'Request Timeout', 'The request did not arrive in time.'],
  upgradeRefused: [
    501,
    'upgrade-refused',
    'Not Implemented',
    'This gateway does not change protocols: connect to the service itself for WebSockets.',
  ],
  expectation: [
    417,
    'expectation-failed',
    'Expectation Failed',
    'The only expectation that is understood is 100-continue.',
  ],
  overloaded: [
    503,
    'overloaded',
    'Service Unavailable',
    'The gateway serves as many requests as it may at one time. Nothing was sent. Retry with the same Idempotency-Key.',
  ],
  callerMissing: [
    401,
    'caller-missing',
    'Unauthorized',
    'The request does not say who makes it, or that could not be verified.',
  ],
  callerUnverifiable: [
    503,
    'caller-unverifiable',
    'Service Unavailable',
    'Who makes the request could not be verified now. Retry with the same Idempotency-Key.',
  ],
  notSent: [
    502,
    'upstream-unreachable',
    'Bad Gateway',
    'The service could not be reached and was sent nothing. Retry with the same Idempotency-Key.',
  ],
  outcomeUnknown: [
    502,
    'outcome-unknown',
    'Bad Gateway',
    'The request was sent and its answer is lost: whether it was executed is not known. It is not sent again. A retry with ' +
      'the same Idempotency-Key is answered once the outcome is settled.',
  ],
  outcomeUnknownTimeout: [
    504,
    'outcome-unknown',
    'Gateway Timeout',
    'The request was sent and no whole answer came in time: whether it was executed is not known. It is not sent again. A ' +
      'retry with the same Idempotency-Key is answered once the outcome is settled.',
  ],
  answerLost: [502, 'answer-lost', 'Bad Gateway', 'The service did not give a whole answer.'],
  answerLate: [504, 'answer-lost', 'Gateway Timeout', 'The service did not give an answer in time.'],
  answerTooLarge: [
    502,
    'answer-too-large',
    'Bad Gateway',
    'The request was executed, and its answer is larger than can be kept.',
  ],
} as const

export type GatewayProblem = keyof typeof PROBLEMS

export function gatewayProblem(
  name: GatewayProblem,
  { status, ...extra }: { status?: number; detail?: string; retryAfterS?: number } = {},
): Response {
  const [usual, type, title, detail] = PROBLEMS[name]
  return renderProblem({ status: status ?? usual, type, title, detail }, extra)
}
