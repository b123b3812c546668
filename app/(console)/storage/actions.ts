'use server'

import { z } from 'zod'
import { actionsShownOn } from '@/app/_server/actions-shown-on'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { durationMs } from '@/app/_ui/duration-field'
import { proposeAdvised } from '@/lib/retention/advise'
import { restoreArchive } from '@/lib/retention/archive/restore'
import { setCapacity } from '@/lib/retention/capacity'
import { proposePolicy } from '@/lib/retention/policy/propose-policy'
import { startCollection } from '@/lib/retention/start-collection'

const once = actionsShownOn(['/storage'])

const start = (dryRun: boolean, input: ActionInput) =>
  once(dryRun ? 'retention.dry_run' : 'retention.run', input, (ctx) => {
    const source = input.fields.source ?? 'all'
    const reason = dryRun ? {} : { reason: input.reason }
    return startCollection(ctx, { ...(source === 'all' ? {} : { source }), dryRun, ...reason })
  })

/** Says what a collection would take; takes nothing. */
export const dryRunCollection = async (input: ActionInput) => start(true, input)

/** Collects what is past its retention, now rather than at the next turn. */
export const collectNow = async (input: ActionInput) => start(false, input)

const id = z.string().max(64)

export const propose = async (source: string, input: ActionInput) =>
  once('retention.propose', input, (ctx) => {
    const { tier = '', endpoint = '', archive, exception = '' } = input.fields
    return proposePolicy(ctx, {
      source: id.parse(source),
      tier,
      endpoint: endpoint.trim(),
      ttlMs: durationMs(input.fields, 'ttl'),
      safetyMs: durationMs(input.fields, 'safety') ?? 0,
      archive: archive === 'on',
      exception: exception.trim() === '' ? null : exception,
      reason: input.reason,
    })
  })

const window = z.object({ from: z.coerce.date(), to: z.coerce.date() })
type Seen = { source: string; endpoint: string; from: string; to: string }

/** The advice that was looked at, over the same time, as a proposal that another person approves. */
export const proposeSeen = async ({ source, endpoint, ...seen }: Seen, input: ActionInput) =>
  once('retention.propose', input, (ctx) =>
    proposeAdvised(ctx, {
      source: id.parse(source),
      endpoint: z.string().max(300).parse(endpoint),
      ...window.parse(seen),
      safetyMs: durationMs(input.fields, 'safety') ?? 0,
      archive: input.fields.archive === 'on',
    }),
  )

const GIB = 1024 ** 3
const gib = z.coerce.number('a number of GiB').min(0).max(1_000_000)

export const saveCapacity = async (source: string, input: ActionInput) =>
  once('setting.store_capacity', input, (ctx) =>
    setCapacity(ctx, {
      source: id.parse(source),
      bytes: Math.round(gib.parse(input.fields.gib || 0) * GIB),
      reason: input.reason,
    }),
  )

export const restore = async (archiveId: string, input: ActionInput) =>
  once('retention.restore', input, (ctx) => restoreArchive(ctx, id.parse(archiveId)))
