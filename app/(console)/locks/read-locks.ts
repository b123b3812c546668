import type { UserContext } from '@/app/_server/context'
import { listUsers } from '@/lib/access/users'
import { listActions } from '@/lib/actions/read'
import type { ActionView } from '@/lib/actions/view'
import { leastRoleFor, roleAllows } from '@/lib/core/permissions'
import type { KeyAction } from '@/lib/core/states'
import { env } from '@/lib/env'
import { formatKeyId } from '@/lib/keys/key-id'
import { readLedgerRows } from '@/lib/keys/ledger-rows'
import { tallyLocks } from '@/lib/locks/count-locks'
import { findLock } from '@/lib/locks/find-lock'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { readUnlisted } from '@/lib/locks/unlisted'
import { listSources, type SourceView } from '@/lib/mirror/read/list-sources'
import { listBulkRuns } from '@/lib/runs/bulk/list-bulk-runs'
import { canHold, offeredVerbs, zombieText } from '@/lib/sources/explain-capabilities'
import { killSwitchNow, requestNow } from '../_shell/reads'
import type { StoreRules } from './labels'
import { type Query, toFilter } from './query'

export const ROWS_SHOWN = 50

export type LockRow = LockView & { keyId: string; sourceName: string }

export type { StoreState } from '@/lib/mirror/read/list-sources'
export type { BulkRun, BulkVerb } from '@/lib/runs/bulk/list-bulk-runs'

/** May this person act, and if not, what it takes. */
export type Permit = { place: string; refusal: string | null }

export async function readLocksPage(ctx: UserContext, query: Query) {
  const now = await requestNow()
  const page = { limit: ROWS_SHOWN, cursor: query.cursor ?? undefined }
  const [listed, tally, unlisted, sources, runs, opened, permit] = await Promise.all([
    listLocks(ctx.db, toFilter(query), page, now),
    tallyLocks(ctx.db),
    readUnlisted(ctx.db),
    listSources(ctx.db, now),
    listBulkRuns(ctx.db, now, ['release', 'complete', 'fail']),
    query.lock === null ? null : findLock(ctx.db, query.lock, now),
    readPermit(ctx, 'release'),
  ])
  const toRow = (lock: LockView): LockRow => ({
    ...lock,
    keyId: formatKeyId({ sourceId: lock.source, scope: lock.scope, key: lock.key }),
    sourceName: sources.find(({ id }) => id === lock.source)?.name ?? lock.source,
  })
  return {
    rows: listed.items.map(toRow),
    next: listed.next,
    ...tally,
    unlisted,
    sources,
    runs,
    permit,
    open: opened === null ? null : await readOpen(ctx, toRow(opened), sources),
  }
}

export type OpenLock = Awaited<ReturnType<typeof readOpen>>

async function readOpen(ctx: UserContext, lock: LockRow, sources: readonly SourceView[]) {
  const ledger = await readLedgerRows(ctx.db, lock, sources)
  const { capabilities } = sources.find(({ id }) => id === lock.source) ?? {}
  return {
    lock,
    ledger,
    keepsHolds: canHold(capabilities),
    rules: rulesOf(capabilities),
    waitingFail: await readFailProposal(ctx, lock),
  }
}

export const rulesOf = (capabilities: unknown): StoreRules => ({
  verbs: offeredVerbs(capabilities),
  zombie: zombieText(capabilities),
})

/** Verbs on keys all need the same role. */
export async function readPermit(ctx: UserContext, verb: KeyAction): Promise<Permit> {
  const { on } = await killSwitchNow()
  const refusal = !roleAllows(ctx.actor.role, `lock.${verb}`)
    ? `Needs the ${leastRoleFor(`lock.${verb}`)} role; yours is ${ctx.actor.role}.`
    : on
      ? 'Writes are switched off.'
      : null
  return { place: env().IDEMSCOPE_ENVIRONMENT.toUpperCase(), refusal }
}

export type WaitingFail = {
  action: ActionView
  me: string
  people: ReadonlyMap<string, string>
  /** Why this person may not decide. */
  forbidden: string | null
  place: string
}

/** The proposal to fail this key that waits for a second person; null = none does. */
export async function readFailProposal(
  ctx: UserContext,
  subject: { source: string; scope: string; key: string },
): Promise<WaitingFail | null> {
  const waiting = await listActions(ctx.db, { ...subject, kind: ['fail'], state: ['proposed'] }, { limit: 1 })
  const [action] = waiting.items
  if (action === undefined) return null
  const mayDecide = roleAllows(ctx.actor.role, 'action.approve')
  return {
    action,
    me: ctx.actor.userId,
    people: new Map((await listUsers(ctx.db)).map(({ id, name }) => [id, name])),
    forbidden: mayDecide ? null : `Needs the ${leastRoleFor('action.approve')} role`,
    place: env().IDEMSCOPE_ENVIRONMENT.toUpperCase(),
  }
}
