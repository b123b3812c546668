import { isResponse } from '../answer'
import type { Exchange } from '../exchange'
import { FINGERPRINT_VERSIONS, fingerprintNamed, fingerprintRequest } from '../fingerprint'
import { deriveKey } from './content-key'
import type { RequestKey } from './request-key'

export type Operation = {
  key: string
  /** The one that is written first. */
  fingerprints: [Uint8Array, ...Uint8Array[]]
  issued?: { expired: boolean; expiresAt: Date }
}

/** The key of a request that was read, and what a retry is compared by; null = nothing names it. */
export async function nameOperation<Tx, Extra>(
  { settings, scope }: Exchange<Tx, Extra>,
  found: Extract<RequestKey, { kind: 'key' | 'derived' }>,
  request: Request,
  body: Uint8Array,
): Promise<Operation | Response | null> {
  const { keyFrom, fingerprintVersion } = settings
  const compareBy = (named: string | null): Operation['fingerprints'] => {
    const make = (version: typeof fingerprintVersion) =>
      named === null
        ? fingerprintRequest(request, body, version)
        : fingerprintNamed(request.method, named, version)
    const others = FINGERPRINT_VERSIONS.filter((version) => version !== fingerprintVersion)
    return [make(fingerprintVersion), ...others.map(make)]
  }
  if (found.kind === 'key' || keyFrom === 'header')
    return found.kind === 'key' ? { ...found, fingerprints: compareBy(null) } : null
  const derived = await deriveKey(keyFrom, scope, request, body, settings.bodyBytesMax)
  if (derived === null || isResponse(derived)) return derived
  return { key: derived.key, fingerprints: compareBy(derived.named) }
}
