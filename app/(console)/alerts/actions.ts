'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { dialogActions } from '@/app/_server/actions-shown-on'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { attemptOnce } from '@/app/_server/attempt-once'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { type ALERTS, alertText } from '@/lib/alerts/about'
import { addReceiver } from '@/lib/alerts/notify/add-receiver'
import { removeReceiver } from '@/lib/alerts/notify/remove-receiver'
import { testReceiver } from '@/lib/alerts/notify/test-receiver'
import { createSilence } from '@/lib/alerts/silences/create'
import { expireSilence } from '@/lib/alerts/silences/expire'
import { previewSilence, silenceTermsSchema } from '@/lib/alerts/silences/preview'
import { silenceText } from '@/lib/alerts/silences/view'
import { authorise } from '@/lib/core/authorise'

const { action, actionOn } = dialogActions(['/alerts'])
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

export type SilenceLook = {
  tier: 1 | 2
  evidenceHash: string
  matching: { id: string; text: string; since: string }[]
  similar: { id: string; text: string; endsAt: string; reason: string }[]
}

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

/** What a silence would concern; changes nothing. */
export const lookAtSilence = async (form: SilenceForm): Promise<Attempted<SilenceLook>> =>
  attempt(async (ctx) => {
    authorise(ctx, 'alert.silence')
    const now = ctx.clock.now()
    const terms = silenceTermsSchema.parse(termsOf(form, now))
    const { matching, similar, ...preview } = await previewSilence(ctx.db, now, terms)
    return {
      ...preview,
      matching: matching.map((alert) => ({ id: alert.id, text: alertText(alert), since: alert.since })),
      similar: similar.map((silence) => {
        const { id, endsAt, reason } = silence
        return { id, text: silenceText(silence), endsAt, reason }
      }),
    }
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

export type TestAnswer = {
  kind: 'answered' | 'refused' | 'failed'
  status: number | null
  body: string | null
  error: string | null
  durationMs: number
}

export const sendTest = async (receiverId: string, requestId: string): Promise<Attempted<TestAnswer>> =>
  attemptOnce('receiver.test', requestId, (ctx) => testReceiver(ctx, z.string().max(64).parse(receiverId)))

export const saveReceiver = action('receiver.add', (ctx, { reason, fields }) => {
  const { name = '', url = '', paging } = fields
  return addReceiver(ctx, { name, url, paging: paging === 'on', reason })
})

export const dropReceiver = actionOn('receiver.remove', (ctx, id, { reason }) =>
  removeReceiver(ctx, { id, reason }),
)
