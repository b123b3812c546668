import type { UserContext } from '@/app/_server/context'
import { listAuditOf } from '@/lib/audit/list-of'
import type { JsonValue } from '@/lib/core/json-value'
import { redactAttributes } from '@/lib/core/redact-json'
import { env } from '@/lib/env'
import { getKey } from '@/lib/keys/get-key'
import { parseKeyId } from '@/lib/keys/key-id'
import { readLedgerRows } from '@/lib/keys/ledger-rows'
import { readStoredFacts } from '@/lib/keys/stored-response'
import { listSources } from '@/lib/mirror/read/list-sources'
import { keyHash } from '@/lib/sources/key-hash'
import { type KeyEffect, listKeyEffects } from '@/lib/telemetry/read/effects/key-effects'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'
import { readSpan } from '@/lib/telemetry/read/traces/request-span'
import { readFailProposal, readPermit } from '../../locks/read-locks'

const EFFECTS_SHOWN = 100
const AUDIT_SHOWN = 50

export type KeyPage = Awaited<ReturnType<typeof readKeyPage>>

/** Everything that the page of one key says. Throws `not_found` and `unavailable`. */
export async function readKeyPage(ctx: UserContext, id: string) {
  const identity = parseKeyId(id)
  const detail = await getKey(ctx, id)
  const sources = await listSources(ctx.db, ctx.clock.now())
  const system = sources.find(({ id: source }) => source === identity.sourceId)?.system ?? ''
  const beside = sources.filter((source) => source.system === system)
  const [stored, ledger, effects, audit, permit, waitingFail] = await Promise.all([
    readStoredFacts(ctx, identity),
    readLedgerRows(ctx.db, { system, scope: identity.scope, key: identity.key }),
    readEffects(ctx, identity.scope, identity.key),
    listAuditOf(
      ctx.db,
      detail.actions.map((action) => action.id),
      AUDIT_SHOWN,
    ),
    readPermit(ctx, 'release'),
    readFailProposal(ctx, { source: identity.sourceId, scope: identity.scope, key: identity.key }),
  ])
  return {
    detail,
    stored,
    ledger: beside.some(({ kind }) => kind === 'ledger') ? ledger : null,
    effects,
    audit,
    permit,
    hasProvider: beside.some(({ kind, enabled }) => kind === 'provider' && enabled),
    waitingFail,
  }
}

async function readEffects(ctx: UserContext, scope: string, key: string): Promise<KeyEffect[]> {
  const secret = env().IDEMSCOPE_KEY_SECRET
  if (secret === undefined) return []
  return listKeyEffects(ctx.db, { scope, keyHash: keyHash(secret, key), limit: EFFECTS_SHOWN })
}

/** One attempt's request span, fit to be shown; null = spans of that time are kept no more. */
export async function readAttributes(
  ctx: UserContext,
  keyedRequest: KeyedRequest,
): Promise<Record<string, JsonValue> | null> {
  const span = await readSpan(ctx.db, keyedRequest)
  return span === null ? null : redactAttributes(span.attributes)
}
