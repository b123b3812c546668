import { createHash } from 'node:crypto'

/**
 * The provider key of a step's next call: the caller's own until a call is known to have failed, then as long a key that
 * depends on how many have (docs/decisions/054-failed-effects-and-lost-answers.md).
 */
export const deriveAfterFailures = (providerKey: string, failures: number): string =>
  failures === 0 ? providerKey : createHash('sha256').update(`${providerKey}/${failures}`).digest('hex')
