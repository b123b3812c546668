import type { UserContext } from '@/app/_server/context'
import { listAuditOf } from '@/lib/audit/list-of'
import { getKey } from '@/lib/keys/get-key'
import { readKeyEffects } from '@/lib/keys/key-effects'
import { parseKeyId } from '@/lib/keys/key-id'
import { readLedgerRows } from '@/lib/keys/ledger-rows'
import { readStoredFacts } from '@/lib/keys/stored-response'
import { listSources } from '@/lib/mirror/read/list-sources'
import { canHold } from '@/lib/sources/explain-capabilities'
import { readFailProposal, readPermit, rulesOf } from '../../locks/read-locks'

const AUDIT_SHOWN = 50

export type KeyPage = Awaited<ReturnType<typeof readKeyPage>>

/** Everything that the page of one key says. Throws `not_found` and `unavailable`. */
export async function readKeyPage(ctx: UserContext, id: string) {
  const { sourceId, scope, key } = parseKeyId(id)
  const subject = { source: sourceId, scope, key }
  const detail = await getKey(ctx, id)
  const sources = await listSources(ctx.db, ctx.clock.now())
  const { system, capabilities } = sources.find((source) => source.id === sourceId) ?? {}
  const actions = detail.actions.map((action) => action.id)
  const [stored, ledger, effects, audit, permit, waitingFail] = await Promise.all([
    readStoredFacts(ctx, { sourceId, scope, key }),
    readLedgerRows(ctx.db, subject, sources),
    readKeyEffects(ctx, scope, key),
    listAuditOf(ctx.db, actions, AUDIT_SHOWN),
    readPermit(ctx, 'release'),
    readFailProposal(ctx, subject),
  ])
  const hasProvider = sources.some(
    (source) => source.kind === 'provider' && source.enabled && source.system === system,
  )
  const keepsHolds = canHold(capabilities)
  const rules = rulesOf(capabilities)
  return {
    detail,
    rules,
    subject,
    stored,
    ledger,
    effects,
    audit,
    permit,
    hasProvider,
    keepsHolds,
    waitingFail,
  }
}
