/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SQLSTATE = {
  invalidText: '22P02',
  numberOutOfRange: '22003',
  uniqueViolation: '23505',
  checkViolation: '23514',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  undefinedTable: '42P01',
  objectNotReady: '55000',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
} as const

/** The SQLSTATE of what PostgreSQL refused, whether pg or Prisma threw it; undefined when no server said one. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code, meta } = error as {
    code?: unknown
    meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } }
  }
  const state = meta?.driverAdapterError?.cause?.originalCode ?? code
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) && !PRISMA_CODE.test(state)
    ? state
    : undefined
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

const PRISMA_CODE = /^P[1-6]\d{3}$/
