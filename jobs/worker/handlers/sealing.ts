import type { Link } from '@/lib/audit/chain'
import { seal } from '@/lib/audit/seal'
import { type SigningKey, signingKeys } from '@/lib/audit/signing'
import type { SystemContext } from '@/lib/context'
import { env } from '@/lib/env'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

let keys: SigningKey[] | undefined
/** The head that this process left. */
let seen: Link | null = null

export async function run(ctx: SystemContext, _handle: RunHandle, _params: unknown): Promise<RunResult> {
  keys ??= signingKeys(env().IDEMSCOPE_AUDIT_KEY)
  const { sealed, headHash, head } = await seal(ctx.db, ctx.clock, { keys, seen })
  seen = head
  // The head leaves the database with the log: a chain that was rewritten whole does not match it.
  if (sealed > 0) ctx.log.info({ sealed, seq: String(head?.seq), headHash }, 'audit sealed')
  return { outcome: 'sealed', counts: { sealed, headHash } }
}
