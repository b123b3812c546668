import { evidenceHashOf } from '@/lib/actions/evidence-hash'
import type { Reading } from '../assess/inspect'
import type { ProviderAnswer } from '../assess/provider-answer'
import { failedResponse } from '../assess/recover-response'
import { evidenceOf } from '../verbs/note-evidence'

/** What two people agree on: the lease with its steps, what the provider has, and what would be stored. */
export function failEvidence(reading: Reading, actionId: string) {
  const response = failedResponse(actionId)
  const { lease, answer } = reading
  const steps = lease.effects.map(({ step, name, state, reference }) => ({ step, name, state, reference }))
  return {
    evidence: { ...evidenceOf(reading, response), steps },
    evidenceHash: evidenceHashOf({ lease: lease.seen, steps, answer: undated(answer), response }),
  }
}

/**
 * When it was asked, and from when its listing has to begin, change from look to look (a store's clock can be known better,
 * or be corrected). A `none` covers all the time in which an effect can have been made whenever it is given.
 */
function undated(answer: ProviderAnswer): unknown {
  if (answer.kind === 'found') return { kind: answer.kind, objects: answer.objects }
  return { kind: answer.kind }
}
