import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorId, actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import {
  canBecome,
  INCIDENT_STATUS_LABEL,
  INCIDENT_STATUS_NAMES,
  type IncidentEntryKind,
  type IncidentStatus,
} from '@/lib/core/incident-states'
import { toJsonObject } from '@/lib/core/json-value'
import type { Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { Incident, Prisma } from '@/prisma/generated/client'
import { readIncident } from '../list-incidents'
import type { IncidentView } from '../view'

export type IncidentChange = {
  id: string
  /** What it was decided on. */
  revision: number
  kind: IncidentEntryKind
  /** What becomes of it; left out = its status stays. */
  to?: IncidentStatus
  text?: string
  data?: Record<string, unknown>
  patch?: Prisma.IncidentUncheckedUpdateManyInput
  /** What is changed beside its row, before it. May refuse. */
  also?: (tx: Tx, before: Incident) => Promise<void>
}

/** Alerts that commit, and people who change an incident, decide one after the other. Released by the commit. */
export const lockIncidents = async (tx: Tx): Promise<void> => {
  await tx.$executeRaw`SELECT lock_incidents()`
}

/**
 * One change of an incident, only as it was seen: conditional update, entry of its time line and audit in one transaction.
 * It moves no money and changes no key, so it is not refused while writes are off.
 */
export async function changeIncident(ctx: Context, change: IncidentChange): Promise<IncidentView> {
  authorise(ctx, 'incident.manage')
  const { id, revision, kind, to, text = '', data = {} } = change
  await ctx.db.prisma.$transaction(async (tx) => {
    await lockIncidents(tx)
    const before = await tx.incident.findUnique({ where: { id } })
    if (before === null) throw new AppError('not_found', `There is no incident ${id}.`)
    assertAsSeen(before, change)
    await change.also?.(tx, before)
    const [row] = await tx.incident.updateManyAndReturn({
      where: { id, revision },
      data: { ...change.patch, ...(to === undefined ? {} : { status: to }), revision: { increment: 1 } },
    })
    if (row === undefined) throw changedSince(before)
    await addEntry(tx, ctx, id, { kind, text, data })
    await append(tx, ctx, {
      verb: `incident.${kind}`,
      subject: id,
      outcome: 'done',
      ...(text === '' ? {} : { reason: text }),
      before: factsOf(before),
      after: { ...factsOf(row), ...data },
    })
    await notify(tx, { kind: 'incident', id })
  })
  return readIncident(ctx.db, id)
}

export async function addEntry(
  tx: Tx,
  { actor, clock }: Pick<Context, 'actor' | 'clock'>,
  incidentId: string,
  entry: { kind: IncidentEntryKind; text?: string; data?: Record<string, unknown> },
): Promise<void> {
  await tx.incidentEntry.create({
    data: {
      incidentId,
      at: clock.now(),
      kind: entry.kind,
      by: actorId(actor),
      byName: actorLabel(actor),
      text: entry.text ?? '',
      data: toJsonObject(entry.data ?? {}),
    },
  })
}

function assertAsSeen(before: Incident, { revision, to }: IncidentChange): void {
  if (before.revision !== revision) throw changedSince(before)
  const status = statusOf(before)
  if (to === undefined ? status !== 'closed' : canBecome(status, to)) return
  throw new AppError(
    'conflict',
    `It is ${INCIDENT_STATUS_LABEL[status].toLowerCase()}: this cannot be done to it.`,
    {
      meta: factsOf(before),
    },
  )
}

function changedSince(before: Incident): AppError {
  const label = INCIDENT_STATUS_LABEL[statusOf(before)].toLowerCase()
  return new AppError('conflict', `It was changed since you looked; it is ${label} now. Look at it again.`, {
    meta: factsOf(before),
  })
}

const statusOf = ({ status }: Incident): IncidentStatus =>
  INCIDENT_STATUS_NAMES.find((name) => name === status) ?? 'open'

const factsOf = ({ status, severity, revision }: Incident) => ({ status, severity, revision })
