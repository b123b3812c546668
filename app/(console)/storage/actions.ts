'use server'

import { z } from 'zod'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { durationMs } from '@/app/_ui/duration-field'
import { proposeAdvised } from '@/lib/retention/advise'
import { restoreArchive } from '@/lib/retention/archive/restore'
import { setCapacity } from '@/lib/retention/capacity'
import { proposePolicy } from '@/lib/retention/policy/propose-policy'
import { startCollection } from '@/lib/retention/start-collection'

const { once, action, actionOn } = dialogActions(['/storage'])
const id = z.string().max(64)

/** Of one store, or of all that can be collected from here. */
const storeOf = ({ fields: { source = 'all' } }: ActionInput) => (source === 'all' ? {} : { source })

/** Says what a collection would take; takes nothing. */
export const dryRunCollection = action('retention.dry_run', (ctx, input) =>
  startCollection(ctx, { ...storeOf(input), dryRun: true }),
)

/** Collects what is past its retention, now rather than at the next turn. */
export const collectNow = action('retention.run', (ctx, input) =>
  startCollection(ctx, { ...storeOf(input), dryRun: false, reason: input.reason }),
)

export const propose = actionOn('retention.propose', (ctx, source, { fields, reason }) => {
  const { tier = '', endpoint = '', archive, exception = '' } = fields
  return proposePolicy(ctx, {
    source,
    tier,
    endpoint: endpoint.trim(),
    ttlMs: durationMs(fields, 'ttl'),
    safetyMs: durationMs(fields, 'safety') ?? 0,
    archive: archive === 'on',
    exception: exception.trim() === '' ? null : exception,
    reason,
  })
})

const seenSchema = z.object({
  source: id,
  endpoint: z.string().max(300),
  from: z.coerce.date(),
  to: z.coerce.date(),
})

/** The advice that was looked at, over the same time, as a proposal that another person approves. */
export const proposeSeen = async (seen: z.input<typeof seenSchema>, input: ActionInput) =>
  once('retention.propose', input, (ctx) =>
    proposeAdvised(ctx, {
      ...seenSchema.parse(seen),
      safetyMs: durationMs(input.fields, 'safety') ?? 0,
      archive: input.fields.archive === 'on',
    }),
  )

const GIB = 1024 ** 3
const gib = z.coerce.number('a number of GiB').min(0).max(1_000_000)

export const saveCapacity = actionOn('setting.store_capacity', (ctx, source, { fields, reason }) =>
  setCapacity(ctx, { source, bytes: Math.round(gib.parse(fields.gib || 0) * GIB), reason }),
)

export const restore = actionOn('retention.restore', restoreArchive)
