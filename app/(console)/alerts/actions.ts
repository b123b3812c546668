'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { attemptOnce } from '@/app/_server/attempt-once'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { type ALERTS, alertText } from '@/lib/alerts/about'
import { acknowledge, unacknowledge } from '@/lib/alerts/acknowledge/acknowledge'
import { type AddedReceiver, addReceiver, addReceiverSchema } from '@/lib/alerts/notify/add-receiver'
import { removeReceiver } from '@/lib/alerts/notify/remove-receiver'
import { testReceiver } from '@/lib/alerts/notify/test-receiver'
import {
  addRoute,
  addRouteSchema,
  changeRoute,
  changeRouteSchema,
  removeRoute,
} from '@/lib/alerts/routes/set-route'
import { createSilence } from '@/lib/alerts/silences/create'
import { expireSilence } from '@/lib/alerts/silences/expire'
import { previewSilence, type SilencePreview, silenceTermsSchema } from '@/lib/alerts/silences/preview'
import { silenceText } from '@/lib/alerts/silences/view'
import { authorise } from '@/lib/core/authorise'
import type { ReceiverKind } from '@/lib/core/receiver-kinds'

const { action, actionOn, once } = dialogActions(['/alerts'])
/** Alerts that fire are counted on every page. */
const everywhere = dialogActions(['/', 'layout'])

const formSchema = z.object({
  kind: z.string().max(40),
  subject: z.string().max(200),
  prefix: z.boolean(),
  environment: z.string().max(60),
  /** Null = now. */
  startsAt: z.iso.datetime().nullable(),
  minutes: z.int().min(1),
})
export type SilenceForm = z.input<typeof formSchema>

/** The end is computed here: the browser's clock may be another one. */
function termsOf(raw: SilenceForm, now: Date) {
  const { kind, subject, environment, minutes, startsAt, prefix } = formSchema.parse(raw)
  const beginMs = startsAt === null ? now.getTime() : Math.max(now.getTime(), Date.parse(startsAt))
  const orNull = (text: string) => (text.trim() === '' ? null : text.trim())
  return {
    kind: orNull(kind) as keyof typeof ALERTS | null,
    subject: orNull(subject),
    prefix,
    environment: orNull(environment),
    ...(startsAt === null ? {} : { startsAt }),
    endsAt: new Date(beginMs + minutes * 60_000).toISOString(),
  }
}

const shownOf = ({ matching, similar, ...preview }: SilencePreview) => ({
  ...preview,
  matching: matching.map((alert) => ({ id: alert.id, text: alertText(alert), since: alert.since })),
  similar: similar.map((silence) => {
    const { id, endsAt, reason } = silence
    return { id, text: silenceText(silence), endsAt, reason }
  }),
})
export type SilenceLook = ReturnType<typeof shownOf>

/** What a silence would concern; changes nothing. */
export const lookAtSilence = async (form: SilenceForm) =>
  attempt(async (ctx) => {
    authorise(ctx, 'alert.silence')
    const now = ctx.clock.now()
    return shownOf(await previewSilence(ctx.db, now, silenceTermsSchema.parse(termsOf(form, now))))
  })

/** Saves what was looked at: when other alerts match by now it is refused. */
export const saveSilence = async (
  { form, evidenceHash }: { form: SilenceForm; evidenceHash: string },
  { requestId, reason }: ActionInput,
) =>
  attemptOnce('alert.silence', requestId, async (ctx) => {
    const terms = termsOf(form, ctx.clock.now())
    const { id, endsAt } = await createSilence(ctx, { ...terms, reason, evidenceHash })
    revalidatePath('/', 'layout')
    return { id, endsAt }
  })

export const endSilence = everywhere.actionOn('alert.silence_expire', (ctx, id, { reason }) =>
  expireSilence(ctx, { id, reason }),
)

/** What a receiver really answered. */
export type TestAnswer = Awaited<ReturnType<typeof testReceiver>>

export const sendTest = async (receiverId: string, requestId: string) =>
  attemptOnce('receiver.test', requestId, (ctx) => testReceiver(ctx, z.string().max(64).parse(receiverId)))

/** Not kept for a second asking: a signing secret is told once. A second try finds the name taken. */
export const saveReceiver = async (
  kind: ReceiverKind,
  { reason, fields }: ActionInput,
): Promise<Attempted<AddedReceiver>> =>
  attempt(async (ctx) => {
    await assertWritesEnabled(ctx.db)
    const { paging, to, ...given } = Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value.trim() !== ''),
    )
    const recipients = to === undefined ? {} : { to: to.split(/[\s,;]+/).filter((each) => each !== '') }
    const added = await addReceiver(
      ctx,
      addReceiverSchema.parse({ ...given, ...recipients, kind, paging: paging === 'on', reason }),
    )
    revalidatePath('/alerts')
    return added
  })

/** Texts of a form as the terms of a route; an empty field is the default. */
function routeTermsOf({ fields }: ActionInput) {
  const checked = (prefix: string) =>
    Object.keys(fields).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []))
  const { name, severity = '', systems = '', from = '', until = '', zone, holdsPages } = fields
  return {
    name,
    severity: severity === '' ? null : severity,
    kinds: checked('kind.'),
    systems: systems.split(',').flatMap((each) => (each.trim() === '' ? [] : [each.trim()])),
    quiet:
      from === '' && until === ''
        ? null
        : { from, to: until, zone, days: checked('day.'), holdsPages: holdsPages === 'on' },
    intervalMs: Number(fields.intervalMs),
    remindMs: fields.remindMs === '' ? null : Number(fields.remindMs),
  }
}

export const saveRoute = action('route.add', (ctx, input) => {
  const { receiverId } = input.fields
  return addRoute(ctx, addRouteSchema.parse({ ...routeTermsOf(input), receiverId, reason: input.reason }))
})

type RouteSeen = { id: string; version: number }
const seenSchema = z.object({ id: z.string().max(64), version: z.int() })

export const saveRouteChange = async (seen: RouteSeen, input: ActionInput) =>
  once('route.change', input, (ctx) => {
    const { id, version } = seenSchema.parse(seen)
    const terms = { ...routeTermsOf(input), version, reason: input.reason }
    return changeRoute(ctx, id, changeRouteSchema.parse(terms))
  })

export const dropRoute = async (seen: RouteSeen, input: ActionInput) =>
  once('route.remove', input, (ctx) => {
    const { id, version } = seenSchema.parse(seen)
    return removeRoute(ctx, id, { version, reason: input.reason })
  })

export const acknowledgeAlert = everywhere.actionOn('alert.acknowledge', (ctx, id, { fields }) =>
  acknowledge(ctx, id, { minutes: Number(fields.minutes), note: fields.note ?? '' }),
)

export const unacknowledgeAlert = everywhere.actionOn('alert.unacknowledge', (ctx, id) =>
  unacknowledge(ctx, id),
)

export const dropReceiver = actionOn('receiver.remove', (ctx, id, { reason }) =>
  removeReceiver(ctx, { id, reason }),
)
