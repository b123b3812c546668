import type { SystemContext } from '@/lib/context'
import { isSecretName, REDACTED, redactText } from '@/lib/core/redact'
import { redactJsonStart } from '@/lib/core/redact-json'
import { openIntentSource } from '@/lib/sources/registry'
import type { KeyIdentity } from './key-id'

/** A body longer than this is cut: a page is to look at, not to download. */
const BODY_SHOWN_CHARS = 64 * 1024

export type ShownResponse = {
  status: number
  headers: [name: string, value: string][]
  /** Indented when it is JSON; secrets and card data are replaced. */
  body: string
  bodyBytes: number
  cut: boolean
}

export type StoredFacts = {
  /** Of the request that the key belongs to; hex. */
  fingerprint: string | null
  /** Names the acquire of its holder; null = nobody has it, or its layout keeps none. */
  nonce: string | null
  response: ShownResponse | null
}

/** What the store would replay, made fit to be shown. Null = the store cannot be read now. */
export async function readStoredFacts(
  ctx: SystemContext,
  { sourceId, scope, key }: KeyIdentity,
): Promise<StoredFacts | null> {
  try {
    const { source } = await openIntentSource(ctx, sourceId)
    const { lease, record } = await source.readKey(scope, key)
    const fingerprint = record?.fingerprint ?? lease?.fingerprint ?? null
    return {
      fingerprint,
      nonce: lease?.nonce ?? null,
      response: record === null ? null : show(record.response),
    }
  } catch (error) {
    ctx.log.warn({ err: error, source: sourceId }, 'the stored response could not be read')
    return null
  }
}

function show(response: { status: number; headers: Record<string, string>; body: string }): ShownResponse {
  const bodyBytes = Buffer.byteLength(response.body)
  const { text: body, cut } = redactJsonStart(response.body, BODY_SHOWN_CHARS)
  return {
    status: response.status,
    headers: Object.entries(response.headers).map(([name, value]) => [
      name,
      isSecretName(name) ? REDACTED : redactText(value),
    ]),
    body,
    bodyBytes,
    cut,
  }
}
