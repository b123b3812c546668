import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { Operation } from '../operation'

const stamp = z.string().transform((text) => new Date(text))
const minor = z.coerce.bigint()
const nullableMinor = z
  .union([z.string(), z.number()])
  .nullable()
  .transform((value) => (value === null ? null : BigInt(value)))

const rowSchema = z.object({
  operation_id: z.coerce.bigint(),
  system: z.string(),
  source_id: z.string(),
  object_id: z.string(),
  side: z.enum(['intent', 'ledger', 'provider', 'telemetry']),
  kind: z.enum(['key', 'charge', 'refund', 'payment', 'fee', 'dispute', 'other', 'mismatch']),
  status: z.string(),
  occurred_at: z.date(),
  staged_at: z.date(),
  observed_at: z.date().nullable(),
  gone_at: z.date().nullable(),
  lease_until: z.date().nullable(),
  expires_at: z.date().nullable(),
  http_status: z.number().nullable(),
  amount_minor: nullableMinor,
  captured_minor: nullableMinor,
  refunded_minor: nullableMinor,
  currency: z.string().nullable(),
  scope: z.string().nullable(),
  key: z.string().nullable(),
  step: z.string().nullable(),
  reference: z.string().nullable(),
  provider_ref: z.string().nullable(),
  parent_ref: z.string().nullable(),
  action_id: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
})
type Row = z.infer<typeof rowSchema>

const lifeStatus = z.enum(['leased', 'retryable', 'unknown', 'completed', 'failed_final'])
const providerStatus = z.enum(['pending', 'succeeded', 'failed', 'canceled', 'other', 'absent'])
const lifeData = z.object({
  fence: z.string(),
  overdue: z.boolean().default(false),
  completedAt: stamp.nullish(),
  names: z.array(z.string()),
  effects: z.array(
    z.object({
      name: z.string(),
      step: z.string(),
      state: z.enum(['begun', 'committed', 'failed', 'unknown']),
      reference: z.string().nullable(),
      amountMinor: minor.nullable().catch(null),
      currency: z.string().nullable(),
      begunAt: stamp,
      settledAt: stamp.nullable(),
    }),
  ),
})
const providerData = z.object({
  modeMix: z.boolean(),
  rawStatus: z.string().nullish(),
  captured: z.boolean().default(false),
  feeMinor: nullableMinor.optional(),
  feeRef: z.string().nullish(),
  takenAt: stamp.nullable().default(null),
  members: z.array(z.string()).default([]),
  taggedBy: z.string().nullish(),
  releasedMinor: minor.default(0n),
  released: z.boolean().default(false),
  unreadable: z.string().nullish(),
  failedAt: stamp.nullable().default(null),
})
const postingKind = z.enum(['charge', 'refund', 'fee', 'dispute', 'other'])
const postingData = z.object({ rawKind: z.string(), unreadable: z.string().optional() })
const mismatchData = z.object({ count: z.number(), lastAt: stamp })

/** What is read at once. A single operation with more objects is cut off: it is broken beyond counting. */
const OBJECTS_MAX = 50_000

/** Reads operations whole. The caller bounds how many; where they are too large together, they are read in parts. */
export async function readOperations(
  db: Db,
  system: string,
  ids: readonly bigint[],
  objectsMax = OBJECTS_MAX,
): Promise<Operation[]> {
  if (ids.length === 0) return []
  const { rows } = await db.pool.query(
    `SELECT operation_id, system, source_id, object_id, side, kind, status, occurred_at, staged_at, observed_at, gone_at,
       lease_until, expires_at, http_status, amount_minor, captured_minor, refunded_minor, currency, scope, key, step,
       reference, provider_ref, parent_ref, action_id, data
     FROM mirror.object
     WHERE system = $1 AND operation_id = ANY ($2::bigint[])
     ORDER BY operation_id, occurred_at, born_seq
     LIMIT $3`,
    [system, ids, objectsMax],
  )
  if (rows.length === objectsMax && ids.length > 1) {
    const half = Math.floor(ids.length / 2)
    const first = await readOperations(db, system, ids.slice(0, half), objectsMax)
    return [...first, ...(await readOperations(db, system, ids.slice(half), objectsMax))]
  }
  const operations = new Map<bigint, Operation>()
  for (const raw of rows) {
    const row = rowSchema.parse(raw)
    const found = operations.get(row.operation_id) ?? emptyOperation(row)
    operations.set(row.operation_id, found)
    add(found, row)
  }
  for (const operation of operations.values()) nameCharges(operation)
  return [...operations.values()]
}

/** A charge goes by the ids of the payments it was made under, and has their tags where it carries none itself. */
function nameCharges(operation: Operation): void {
  for (const charge of operation.charges) {
    const payments = operation.payments.filter((payment) =>
      [payment.id, ...payment.memberIds].some((id) => id === charge.id || id === charge.paymentIntentId),
    )
    charge.names = [...new Set([...charge.names, ...payments.map(({ id }) => id)])]
    const tagged = payments.find(({ scope, key }) => scope !== null && key !== null)
    if (charge.key === null && tagged !== undefined) {
      const { id: taggedBy, scope, key, step } = tagged
      Object.assign(charge, { taggedBy, scope, key, step })
    }
    charge.reference ??= payments.find(({ reference }) => reference !== null)?.reference ?? null
  }
}

const emptyOperation = (row: Row): Operation => ({
  id: row.operation_id,
  system: row.system,
  lives: [],
  charges: [],
  payments: [],
  refunds: [],
  disputes: [],
  postings: [],
  mismatches: [],
})

function add(operation: Operation, row: Row): void {
  if (row.side === 'intent') operation.lives.push(toLife(row))
  else if (row.side === 'ledger') operation.postings.push(toPosting(row))
  else if (row.side === 'telemetry') operation.mismatches.push(toMismatch(row))
  else if (row.kind === 'refund') {
    // A release gave up what was only authorised: nothing was given back.
    const { released, failedAt } = providerData.parse(row.data)
    if (!released) operation.refunds.push({ ...toProvider(row), chargeId: row.parent_ref, failedAt })
  } else if (row.kind === 'dispute') {
    const { takenAt } = providerData.parse(row.data)
    operation.disputes.push({ ...toProvider(row), chargeId: row.parent_ref, takenAt })
  } else if (row.kind === 'payment') {
    operation.payments.push({ ...toProvider(row), memberIds: providerData.parse(row.data).members })
  } else {
    const data = providerData.parse(row.data)
    operation.charges.push({
      ...toProvider(row),
      paymentIntentId: row.parent_ref,
      names: [row.object_id, ...(row.parent_ref === null ? [] : [row.parent_ref])],
      taggedBy: data.taggedBy ?? (row.key === null ? null : row.object_id),
      captured: data.captured,
      feeMinor: data.feeMinor ?? null,
      feeRef: data.feeRef ?? null,
      takenAt: data.takenAt,
      capturedMinor: row.captured_minor ?? 0n,
      releasedMinor: data.releasedMinor,
      refundedMinor: row.refunded_minor ?? 0n,
    })
  }
}

function toLife(row: Row): Operation['lives'][number] {
  const data = lifeData.parse(row.data)
  return {
    sourceId: row.source_id,
    objectId: row.object_id,
    scope: row.scope ?? '',
    key: row.key ?? '',
    status: lifeStatus.parse(row.status),
    gone: row.gone_at !== null,
    acquiredAt: row.occurred_at,
    leaseUntil: row.lease_until,
    observedAt: row.observed_at,
    expiresAt: row.expires_at,
    completedAt: data.completedAt ?? null,
    httpStatus: row.http_status,
    fence: data.fence,
    overdue: data.overdue,
    reference: row.reference,
    effects: data.effects,
    names: data.names,
  }
}

/** An object that nobody is known to have been asked for is due to be asked for. */
const NEVER = new Date(0)

function toProvider(row: Row) {
  const data = providerData.parse(row.data)
  return {
    sourceId: row.source_id,
    id: row.object_id,
    status: providerStatus.parse(row.status),
    rawStatus: data.rawStatus ?? null,
    unreadable: data.unreadable ?? null,
    amountMinor: row.amount_minor ?? 0n,
    currency: row.currency ?? '',
    scope: row.scope,
    key: row.key,
    step: row.step,
    reference: row.reference,
    actionId: row.action_id,
    createdAt: row.occurred_at,
    stagedAt: row.staged_at,
    observedAt: row.observed_at ?? NEVER,
    modeMix: data.modeMix,
  }
}

function toPosting(row: Row): Operation['postings'][number] {
  return {
    sourceId: row.source_id,
    entryId: row.object_id,
    kind: postingKind.catch('other').parse(row.kind),
    ...postingData.parse(row.data),
    providerRef: row.provider_ref,
    chargeRef: row.parent_ref,
    reference: row.reference,
    amountMinor: row.amount_minor ?? 0n,
    currency: row.currency ?? '',
    bookedAt: row.occurred_at,
    reversed: row.status === 'reversed',
    correctionId: row.action_id,
  }
}

function toMismatch(row: Row): Operation['mismatches'][number] {
  const data = mismatchData.parse(row.data)
  return {
    scope: row.scope ?? '',
    key: row.key ?? '',
    firstAt: row.occurred_at,
    lastAt: data.lastAt,
    count: data.count,
  }
}
