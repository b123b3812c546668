import type { MessageVerb } from '@/lib/core/states'

/** Why this person may not. */
export type Refusals = Record<MessageVerb, string | null>

/** Which dead messages are meant. */
export type Meant = { fingerprint?: string; topic?: string; ids?: string[] }

export const VERB: Record<MessageVerb, { name: string; done: string; lead: string }> = {
  redrive: {
    name: 'Send again',
    done: 'Sent again',
    lead: 'Each is published under its own id, behind younger messages of its key. Every consumer’s own record was read now: what could be applied twice is left out.',
  },
  discard: {
    name: 'Discard',
    done: 'Discarded',
    lead: 'They are never published again. A consumer that has not applied them never will.',
  },
}
