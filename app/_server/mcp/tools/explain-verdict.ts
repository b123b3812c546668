import { z } from 'zod'
import { ALERTS, subjectName } from '@/lib/alerts/about'
import { figuresOf } from '@/lib/alerts/show-alert'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import { AppError } from '@/lib/core/errors'
import { countText, durationText } from '@/lib/core/format-figure'
import { parseKeyId } from '@/lib/keys/key-id'
import { findLock } from '@/lib/locks/find-lock'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { text } from '../../api/inputs'
import type { Draft } from '../compose'
import { quote, quoteSentence } from '../quote'
import { rangeAsked, rangeInput, type ToolContext, tool } from '../tool'
import { lockData, lockPath, NEXT_STEP, providerItems, providerLine } from './describe-lock'
import { measureItem } from './measures'
import { readBrief } from './read-brief'

export const explainVerdict = tool({
  name: 'explain_verdict',
  title: 'Explain a verdict',
  description:
    'Why the console says so. With `id` (lock_… or key_…): the verdict on a stuck key, its lease and heartbeat, and what the provider answered. Without: the verdict of the page Now, which alert decides it, and the figures behind it.',
  input: z.strictObject({
    id: text.max(2_000).optional().describe('A lock or key: lock_… or key_…'),
    ...rangeInput,
  }),
  read: (ctx, { id, ...asked }) => (id === undefined ? explainNow(ctx, asked) : explainLock(ctx, id)),
})

async function explainLock(ctx: ToolContext, id: string): Promise<Draft> {
  const lock = await lockOf(ctx, id)
  const path = lockPath(lock)
  return {
    title: `Verdict: ${lock.verdict}`,
    path,
    lines: [
      `Key ${quote(lock.key)} of ${quote(lock.scope)}, ${lock.state}, attempt ${lock.attempts}, checked ${lock.checkedAt}.`,
      ...(lock.goneAt === null ? [] : [`It has ended since: it is no longer held, as of ${lock.goneAt}.`]),
      quoteSentence(lock.reason),
      `Holder ${quote(lock.holder)} took it at ${lock.acquiredAt}; last heartbeat ${lock.heartbeatAt}, lease until ${lock.leaseUntil}.`,
      providerLine(lock),
      ...(lock.goneAt === null ? [NEXT_STEP[lock.verdict]] : []),
    ],
    data: { ...lockData(lock), reason: lock.reason, checkedAt: lock.checkedAt, goneAt: lock.goneAt },
    sections: [{ name: 'provider', heading: 'At the provider', items: providerItems(lock), path }],
  }
}

async function lockOf({ db, clock }: ToolContext, id: string): Promise<LockView> {
  const lock = id.startsWith('key_')
    ? await lockOfKey(db, id, clock.now())
    : await findLock(db, id, clock.now())
  if (lock === null) {
    throw new AppError(
      'not_found',
      `Nothing holds, or held, ${quote(id)}: there is no verdict on it. Find the key with find_key, or list stuck_keys.`,
    )
  }
  return lock
}

/** The one that is held now, or the latest that was. */
async function lockOfKey(db: ToolContext['db'], id: string, now: Date): Promise<LockView | null> {
  const { sourceId: source, scope, key } = parseKeyId(id)
  const { items } = await listLocks(db, { source, scope, key, goneToo: true }, { limit: 200 }, now)
  return items.find(({ goneAt }) => goneAt === null) ?? items.at(-1) ?? null
}

async function explainNow(
  ctx: ToolContext,
  asked: { from?: Date | undefined; to?: Date | undefined },
): Promise<Draft> {
  const range = rangeAsked(asked, ctx.clock.now())
  const { data, tone, sentences } = await readBrief(ctx, range)
  const path = range.pathOf('/now')
  const ordered = data.conditions.toSorted(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      CONDITION_KINDS.indexOf(a.kind) - CONDITION_KINDS.indexOf(b.kind),
  )
  const { stuck, oldestStuckAt } = data.locks
  const oldest =
    oldestStuckAt === null
      ? ''
      : `, the oldest for ${durationText(data.now.getTime() - oldestStuckAt.getTime())}`
  return {
    title: 'Verdict of Now',
    path,
    lines: [
      ...sentences.map(quoteSentence),
      'Pages come before tickets, and within them what harms most; the first that fires is the verdict. Where nothing fires: duplicates of the range, then open P1 cases, stuck keys, orphans.',
      `Stuck keys: ${countText(stuck)}${oldest}. Open cases: ${countText(data.openCases.all)}, ${data.openCases.p1} of them P1. Duplicates that only reconciliation found: ${data.unseenDuplicates}.`,
    ],
    data: { ...range.said, verdict: sentences[0] ?? '', tone },
    sections: [
      {
        name: 'conditions',
        heading: 'What fires, in the order of the verdict',
        items: ordered.map((alert) => {
          const about = subjectName(alert)
          return {
            text: `${alert.severity}: ${ALERTS[alert.kind].title}${about === null ? '' : ` of ${quote(about)}`}: ${quote(figuresOf(alert))}`,
            data: { kind: alert.kind, severity: alert.severity, subject: alert.subject, since: alert.since },
          }
        }),
        path: '/alerts',
      },
      { name: 'measures', heading: 'Figures of the range', items: data.measures.map(measureItem), path },
    ],
  }
}
