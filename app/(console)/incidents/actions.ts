'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import type { Attempted } from '@/app/_server/attempt'
import { attemptOnce, CONTAINS } from '@/app/_server/attempt-once'
import type { UserContext } from '@/app/_server/context'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import {
  INCIDENT_AREAS,
  INCIDENT_ROLES,
  INCIDENT_SEVERITIES,
  type IncidentRoleName,
} from '@/lib/core/incident-states'
import { openIncident } from '@/lib/incidents/verbs/open-incident'
import {
  acknowledgeIncident,
  addNote,
  closeIncident,
  mitigateIncident,
  reopenIncident,
  setSeverity,
} from '@/lib/incidents/verbs/run-incident'
import { setRole } from '@/lib/incidents/verbs/set-role'

/** Open incidents are counted on every page. */
const { actionOn, once } = dialogActions(['/', 'layout'])

const MINUTE_MS = 60_000
const openFields = z.object({
  title: z.string(),
  area: z.enum(INCIDENT_AREAS),
  system: z.string().default(''),
  severity: z.enum(INCIDENT_SEVERITIES),
  minutesAgo: z.string().trim().regex(/^\d*$/, 'a number of minutes').default(''),
  /** The open ones that were on the page. */
  seen: z.string().default(''),
})

/** Leads to it. */
export const openByHand = async ({ requestId, fields }: ActionInput): Promise<Attempted<{ id: string }>> =>
  attemptOnce(
    'incident.open',
    requestId,
    async (ctx) => {
      const { minutesAgo, seen, ...asked } = openFields.parse(fields)
      const beganAt = new Date(ctx.clock.now().getTime() - Number(minutesAgo) * MINUTE_MS).toISOString()
      const { id } = await openIncident(ctx, {
        ...asked,
        ...(minutesAgo === '' ? {} : { beganAt }),
        seen: seen === '' ? [] : seen.split(','),
      })
      revalidatePath('/', 'layout')
      return { id }
    },
    CONTAINS,
  )

const seenSchema = z.object({ id: z.string().max(64), revision: z.int() })
export type SeenIncident = z.input<typeof seenSchema>

/** A verb on an incident as it was seen. It moves no money and changes no key: it works while writes are off. */
const onSeen =
  (name: string, verb: (ctx: UserContext, seen: SeenIncident, input: ActionInput) => Promise<unknown>) =>
  async (seen: SeenIncident, input: ActionInput) =>
    once(name, input, (ctx) => verb(ctx, seenSchema.parse(seen), input), CONTAINS)

export const acknowledgeSeen = onSeen('incident.acknowledge', (ctx, { id, revision }, { fields }) =>
  acknowledgeIncident(ctx, id, { revision, minutes: Number(fields.minutes), note: fields.note ?? '' }),
)

export const mitigateSeen = onSeen('incident.mitigate', (ctx, { id, revision }, { reason }) =>
  mitigateIncident(ctx, id, { revision, how: reason }),
)

export const closeSeen = onSeen('incident.close', (ctx, { id, revision }, { fields, reason }) =>
  closeIncident(ctx, id, { revision, cause: reason, followUps: linesOf(fields.followUps ?? '') }),
)

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

export const reopenSeen = onSeen('incident.reopen', (ctx, { id, revision }, { reason }) =>
  reopenIncident(ctx, id, { revision, reason }),
)

export const setSeveritySeen = onSeen('incident.severity', (ctx, { id, revision }, { fields, reason }) =>
  setSeverity(ctx, id, { revision, severity: z.enum(INCIDENT_SEVERITIES).parse(fields.severity), reason }),
)

const roleOf = (role: IncidentRoleName) => z.enum(INCIDENT_ROLES).parse(role)

export const takeRole = async (seen: SeenIncident, role: IncidentRoleName, input: ActionInput) =>
  onSeen('incident.role', (ctx, { id, revision }) => setRole(ctx, id, { revision, role: roleOf(role) }))(
    seen,
    input,
  )

export const leaveRole = async (seen: SeenIncident, role: IncidentRoleName, input: ActionInput) =>
  onSeen('incident.role', (ctx, { id, revision }) =>
    setRole(ctx, id, { revision, role: roleOf(role), take: false }),
  )(seen, input)

export const writeNote = actionOn(
  'incident.note',
  (ctx, id, { fields }) => addNote(ctx, id, { text: fields.text ?? '' }),
  CONTAINS,
)
