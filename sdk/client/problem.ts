/** What a service of this SDK says of a key, by its problem's type. */
export type IdempotencyProblem = {
  /**
   * `outstanding`: another attempt is under way. `held`: an operator holds the operation; nothing was executed.
   * `unknown-outcome`: an earlier attempt ended without a known outcome, which is being settled. `key-reused`: the key is of
   * another request. Others as they are, e.g. `store-unavailable`, `execution-deadline`.
   */
  kind: string
  detail: string | null
}

const TYPE = /^urn:idemscope:problem:([a-z-]+)$/

/** Null where the answer is no problem of a key. The answer's body can still be read. */
export async function readIdempotencyProblem(response: Response): Promise<IdempotencyProblem | null> {
  const type = response.headers.get('content-type') ?? ''
  if (response.status < 400 || !type.startsWith('application/problem+json') || response.bodyUsed) return null
  try {
    const problem: unknown = await response.clone().json()
    if (typeof problem !== 'object' || problem === null || !('type' in problem)) return null
    const [, kind] = TYPE.exec(String(problem.type)) ?? []
    if (kind === undefined) return null
    const detail = 'detail' in problem && typeof problem.detail === 'string' ? problem.detail : null
    return { kind, detail }
  } catch {
    // It broke off, or is no JSON: it says nothing then.
    return null
  }
}
