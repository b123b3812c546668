import { z } from 'zod'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { AppError } from '@/lib/core/errors'
import { INCIDENT_ROLE_LABEL, INCIDENT_ROLES } from '@/lib/core/incident-states'
import type { IncidentView } from '../view'
import { changeIncident } from './change-incident'

export const roleSchema = z.strictObject({
  revision: z.int().min(1).describe('That was looked at: 409 when it was changed since'),
  role: z.enum(INCIDENT_ROLES),
  take: z.boolean().default(true).describe('false = leave it, as its holder'),
})

/** One takes a role, from whoever has it, or leaves one’s own. */
export async function setRole(
  ctx: Context,
  id: string,
  raw: z.input<typeof roleSchema>,
): Promise<IncidentView> {
  const { revision, role, take } = roleSchema.parse(raw)
  const { actor } = ctx
  if (actor.kind !== 'user') throw new AppError('forbidden', 'Only a person takes a role.')
  const name = actorLabel(actor)
  return changeIncident(ctx, {
    ...{ id, revision, kind: 'role', data: { role, to: take ? name : null } },
    async also(tx) {
      const where = { incidentId_role: { incidentId: id, role } }
      const held = await tx.incidentRole.findUnique({ where })
      const mine = held?.userId === actor.userId
      if (take === mine)
        throw new AppError(
          'conflict',
          `You are ${mine ? 'already' : 'not'} its ${INCIDENT_ROLE_LABEL[role].toLowerCase()}.`,
        )
      if (!take) {
        await tx.incidentRole.delete({ where })
        return
      }
      const holder = { userId: actor.userId, name, since: ctx.clock.now() }
      await tx.incidentRole.upsert({ where, create: { incidentId: id, role, ...holder }, update: holder })
    },
  })
}
