import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorId, actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { INCIDENT_AREAS, INCIDENT_SEVERITIES, INCIDENT_SEVERITY_MEANING } from '@/lib/core/incident-states'
import type { Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'
import { readIncident } from '../list-incidents'
import type { IncidentView } from '../view'
import { addEntry, lockIncidents } from './change-incident'
import { titleText } from './texts'

const BEGAN_AGO_MAX_MS = 30 * 86_400_000

export const openIncidentSchema = z.strictObject({
  title: titleText,
  area: z
    .enum(INCIDENT_AREAS)
    .default('payments')
    .describe('payments = what is watched, console = the console’s own processes'),
  system: z.string().trim().max(200).default('').describe('A system of the sources; empty = none is known'),
  severity: z
    .enum(INCIDENT_SEVERITIES)
    .default('sev2')
    .describe(INCIDENT_SEVERITIES.map((name) => `${name}: ${INCIDENT_SEVERITY_MEANING[name]}`).join('; ')),
  beganAt: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('When it began, as far as is known: what the time to detect is measured from'),
  seen: z
    .array(z.string().max(64))
    .max(200)
    .default([])
    .describe('Open incidents that were looked at: 409 when there is another one of this system by then'),
})

/** Opened by a person. What fires in its place and belongs to no incident joins it. */
export async function openIncident(
  ctx: Context,
  raw: z.input<typeof openIncidentSchema>,
): Promise<IncidentView> {
  authorise(ctx, 'incident.manage')
  const { title, area, system, severity, beganAt, seen } = openIncidentSchema.parse(raw)
  const now = ctx.clock.now()
  const began = beganAt === undefined ? null : new Date(beganAt)
  assertBegan(began, now)
  const id = newId('inc')
  await ctx.db.prisma.$transaction(async (tx) => {
    await lockIncidents(tx)
    await assertKnown(tx, system)
    await assertNoOther(tx, { area, system }, seen)
    await tx.incident.create({
      data: {
        ...{ id, title, area, system, severity, status: 'open', openedAt: now, beganAt: began },
        openedBy: actorId(ctx.actor),
        openedByName: actorLabel(ctx.actor),
      },
    })
    await addEntry(tx, ctx, id, { kind: 'opened' })
    await tx.$executeRaw`SELECT join_what_fires(${id}, ${area}, ${system})`
    const after = { title, area, system, severity, beganAt: began }
    await append(tx, ctx, { verb: 'incident.opened', subject: id, outcome: 'done', after })
    await notify(tx, { kind: 'incident', id })
  })
  return readIncident(ctx.db, id)
}

function assertBegan(began: Date | null, now: Date): void {
  if (began === null) return
  const agoMs = now.getTime() - began.getTime()
  if (agoMs >= 0 && agoMs <= BEGAN_AGO_MAX_MS) return
  throw new AppError('invalid', 'beganAt lies within the last 30 days. Leave it out where it is not known.')
}

async function assertKnown(tx: Tx, system: string): Promise<void> {
  if (system === '') return
  const rows = await tx.source.findMany({ select: { system: true }, distinct: ['system'] })
  const known = rows.map((row) => row.system).toSorted()
  if (known.includes(system)) return
  const choice = known.length === 0 ? 'No source is connected' : `There are ${known.join(', ')}`
  throw new AppError('invalid', `No source is of the system ${system}. ${choice}; or leave it empty.`)
}

/** Two people at once open one. */
async function assertNoOther(
  tx: Tx,
  { area, system }: { area: string; system: string },
  seen: readonly string[],
): Promise<void> {
  const other = await tx.incident.findFirst({
    where: {
      area,
      status: { not: 'closed' },
      id: { notIn: [...seen] },
      ...(system === '' ? {} : { system: { in: ['', system] } }),
    },
    orderBy: { openedAt: 'desc' },
  })
  if (other === null) return
  throw new AppError('conflict', `Another incident is open here: ${other.id}. Look at it first.`, {
    meta: { incident: other.id },
  })
}
