'use server'

import { z } from 'zod'
import { CONTAINS } from '@/app/_server/attempt-once'
import { dialogActions } from '@/app/_server/dialog-actions'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { PRESETS } from '@/app/_ui/time-range'
import { AppError } from '@/lib/core/errors'
import { cancelRun } from '@/lib/runs/cancel'
import { getRun } from '@/lib/runs/read'
import { startRun } from '@/lib/runs/start'

const windowSchema = z.enum(['changed', 'range', '15m', '1h', '6h', '24h', '7d'])
const instant = z.iso.datetime()

type Shown = { from: string; to: string }

const { once, actionOn } = dialogActions(['/reconciliation'])

/** Starts a comparison over a window or an outage, or about one key or order; a dry run opens no case. */
export const startReconciliation = async (shown: Shown, input: ActionInput) =>
  once('reconciliation.start', input, (ctx) => {
    const { system, mode } = input.fields
    return startRun(ctx, {
      kind: 'reconciliation',
      params: {
        ...subjectOf(input.fields, shown, ctx.clock.now()),
        ...(system === 'all' ? {} : { system: z.string().max(60).parse(system) }),
      },
      dryRun: mode !== 'real',
    })
  })

const subjectSchema = z.enum(['window', 'key', 'reference', 'outage'])
const text = z.string().trim().min(1, 'is missing').max(300)

function subjectOf(fields: Record<string, string>, shown: Shown, now: Date): Record<string, string> {
  const subject = subjectSchema.parse(fields.subject)
  switch (subject) {
    case 'key':
      return { scope: text.parse(fields.scope), key: text.parse(fields.key) }
    case 'reference':
      return { reference: text.parse(fields.reference) }
    case 'outage': {
      const [from, to] = (fields.outage ?? '').split('/')
      return ordered({ from: instant.parse(from), to: instant.parse(to) })
    }
    case 'window':
      return windowOf(windowSchema.parse(fields.window), shown, now)
    default:
      return subject satisfies never
  }
}

function windowOf(
  name: z.infer<typeof windowSchema>,
  shown: Shown,
  now: Date,
): Shown | Record<string, never> {
  if (name === 'changed') return {}
  if (name === 'range') return ordered({ from: instant.parse(shown.from), to: instant.parse(shown.to) })
  return { from: new Date(now.getTime() - PRESETS[name].ms).toISOString(), to: now.toISOString() }
}

function ordered(window: Shown): Shown {
  if (window.from >= window.to)
    throw new AppError('invalid', 'The end of the window must come after its beginning.')
  return window
}

/** The same as a dry run that was looked at, this time for real. */
export const repeatForReal = actionOn('reconciliation.repeat', async (ctx, runId) => {
  const run = await getRun(ctx.db, runId)
  if (run.kind !== 'reconciliation') throw new AppError('not_found', `There is no run ${runId}.`)
  const params = z.record(z.string(), z.unknown()).parse(run.params)
  return startRun(ctx, { kind: 'reconciliation', params, dryRun: false })
})

export const cancel = actionOn('run.cancel', (ctx, runId) => cancelRun(ctx, runId), CONTAINS)
