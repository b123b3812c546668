import { z } from 'zod'
import { acknowledgeIn, acknowledgeSchema } from '@/lib/alerts/acknowledge/acknowledge'
import { systemOf } from '@/lib/alerts/acknowledge/read'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { INCIDENT_SEVERITIES } from '@/lib/core/incident-states'
import { notify } from '@/lib/live-events'
import { readIncident } from '../list-incidents'
import { readAlertsOf } from '../read-alerts'
import type { IncidentView } from '../view'
import { addEntry, changeIncident } from './change-incident'
import { causeText, followUpText, noteText, whyText } from './texts'

const revision = z.int().min(1).describe('That was looked at: 409 when it was changed since')
const FOLLOW_UPS_MAX = 50

export const acknowledgeIncidentSchema = acknowledgeSchema.extend({ revision })

/** Somebody looks after it, and after every alert of it that fires: their reminders stop until then. */
export async function acknowledgeIncident(
  ctx: Context,
  id: string,
  raw: z.input<typeof acknowledgeIncidentSchema>,
): Promise<IncidentView> {
  const { revision: seen, ...terms } = acknowledgeIncidentSchema.parse(raw)
  const firing = (await readAlertsOf(ctx.db, [id]))(id).filter(({ clearedAt }) => clearedAt === null)
  // One acknowledgement is of all that fires of its kind and system.
  const distinct = new Map(firing.map((alert) => [`${alert.kind} ${systemOf(alert.detail)}`, alert]))
  return changeIncident(ctx, {
    ...{ id, revision: seen, kind: 'acknowledged', to: 'acknowledged', text: terms.note },
    data: { alerts: [...distinct.values()].map((alert) => alert.id), minutes: terms.minutes },
    async also(tx) {
      for (const alert of distinct.values())
        await acknowledgeIn(
          tx,
          ctx,
          { id: alert.id, kind: alert.kind, system: systemOf(alert.detail) },
          terms,
        )
      await tx.incident.updateMany({
        where: { id, acknowledgedAt: null },
        data: { acknowledgedAt: ctx.clock.now(), acknowledgedByName: actorLabel(ctx.actor) },
      })
    },
  })
}

export const severitySchema = z.strictObject({
  revision,
  severity: z.enum(INCIDENT_SEVERITIES),
  reason: whyText,
})

export async function setSeverity(
  ctx: Context,
  id: string,
  raw: z.input<typeof severitySchema>,
): Promise<IncidentView> {
  const { revision: seen, severity, reason } = severitySchema.parse(raw)
  return changeIncident(ctx, {
    ...{ id, revision: seen, kind: 'severity', text: reason, data: { severity }, patch: { severity } },
    async also(_, before) {
      if (before.severity === severity) throw new AppError('conflict', 'It has this severity already.')
    },
  })
}

export const mitigateSchema = z.strictObject({ revision, how: whyText.describe('What ended the harm') })

/** No more harm is done; what was done is still to be mended. A page of it that comes later takes that back. */
export async function mitigateIncident(
  ctx: Context,
  id: string,
  raw: z.input<typeof mitigateSchema>,
): Promise<IncidentView> {
  const { revision: seen, how } = mitigateSchema.parse(raw)
  const patch = { mitigatedAt: ctx.clock.now() }
  return changeIncident(ctx, { id, revision: seen, kind: 'mitigated', to: 'mitigated', text: how, patch })
}

export const closeSchema = z.strictObject({
  revision,
  cause: causeText.describe('Why it happened'),
  followUps: z
    .array(followUpText)
    .max(FOLLOW_UPS_MAX)
    .describe('What is still to be done; none = an empty list'),
})

/** Nothing of it is left to do now. Alerts that come later open another one. */
export async function closeIncident(
  ctx: Context,
  id: string,
  raw: z.input<typeof closeSchema>,
): Promise<IncidentView> {
  const { revision: seen, cause, followUps } = closeSchema.parse(raw)
  const patch = { closedAt: ctx.clock.now(), cause, followUps }
  return changeIncident(ctx, {
    ...{ id, revision: seen, kind: 'closed', to: 'closed', text: cause, data: { followUps }, patch },
  })
}

export const reopenSchema = z.strictObject({ revision, reason: whyText })

/** It was not over. Cause and follow-ups stay, to be written anew when it is closed again. */
export async function reopenIncident(
  ctx: Context,
  id: string,
  raw: z.input<typeof reopenSchema>,
): Promise<IncidentView> {
  const { revision: seen, reason } = reopenSchema.parse(raw)
  const patch = { closedAt: null, mitigatedAt: null }
  return changeIncident(ctx, { id, revision: seen, kind: 'reopened', to: 'open', text: reason, patch })
}

export const noteSchema = z.strictObject({ text: noteText })

/** Stands in the time line under one's name. It needs nothing that was seen, and cannot be edited; also once it is closed. */
export async function addNote(
  ctx: Context,
  id: string,
  raw: z.input<typeof noteSchema>,
): Promise<IncidentView> {
  authorise(ctx, 'incident.manage')
  const { text } = noteSchema.parse(raw)
  await ctx.db.prisma.$transaction(async (tx) => {
    if ((await tx.incident.count({ where: { id } })) === 0)
      throw new AppError('not_found', `There is no incident ${id}.`)
    await addEntry(tx, ctx, id, { kind: 'note', text })
    await append(tx, ctx, { verb: 'incident.note', subject: id, outcome: 'done', after: { text } })
    await notify(tx, { kind: 'incident', id })
  })
  return readIncident(ctx.db, id)
}
