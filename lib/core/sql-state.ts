/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SQLSTATE = {
  invalidText: '22P02',
  numberOutOfRange: '22003',
  uniqueViolation: '23505',
  checkViolation: '23514',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  insufficientPrivilege: '42501',
  undefinedTable: '42P01',
  undefinedFunction: '42883',
  objectNotReady: '55000',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
} as const

/** The SQLSTATE of what PostgreSQL refused, whether pg or Prisma threw it; undefined when no server said one. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code, severity, meta } = error as {
    code?: unknown
    severity?: unknown
    meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } }
  }
  // Only a server says how severe it is: Node's EPIPE and Prisma's P2002 have five letters too.
  const state = meta?.driverAdapterError?.cause?.originalCode ?? (severity === undefined ? undefined : code)
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) ? state : undefined
}

/** For `.catch`: null where the server ended a statement because its time was over; anything else is thrown on. */
export function nullWhenCanceled(error: unknown): null {
  if (sqlStateOf(error) === SQLSTATE.queryCanceled) return null
  throw error
}

/** The unique constraint or index that refused a row, whether pg or Prisma threw it; undefined for any other error. */
export function violatedUnique(error: unknown): string | undefined {
  if (sqlStateOf(error) !== SQLSTATE.uniqueViolation) return undefined
  const { constraint, meta } = error as {
    constraint?: string
    meta?: { driverAdapterError?: { cause?: { originalMessage?: string } } }
  }
  return (
    constraint ??
    /unique constraint "([^"]+)"/.exec(meta?.driverAdapterError?.cause?.originalMessage ?? '')?.[1]
  )
}
