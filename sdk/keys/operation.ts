import { FINGERPRINT_VERSIONS, fingerprintNamed, fingerprintRequest } from '../fingerprint/fingerprint'
import { isResponse } from '../responses/answer'
import type { Exchange } from '../run/exchange'
import type { deriveKey } from './content-key'
import type { RequestKey } from './request-key'

export type Operation = {
  key: string
  /** The one that is written. */
  fingerprint: Uint8Array
  /** Those of other versions, which are seldom asked for. */
  otherFingerprints: () => Uint8Array[]
  issued?: { expired: boolean; expiresAt: Date }
}

type Fingerprints = Pick<Operation, 'fingerprint' | 'otherFingerprints'>

/** The key of a request that was read, and what a retry is compared by; null = nothing names it. */
export async function nameOperation<Tx, Extra>(
  { settings, request }: Pick<Exchange<Tx, Extra>, 'settings' | 'request'>,
  found: Extract<RequestKey, { kind: 'key' | 'derived' }>,
  body: Uint8Array,
  derive: () => ReturnType<typeof deriveKey>,
): Promise<Operation | Response | null> {
  const { keyFrom, fingerprintVersion } = settings
  const compareBy = (named: string | null): Fingerprints => {
    const make = (version: typeof fingerprintVersion) =>
      named === null
        ? fingerprintRequest(request, body, version)
        : fingerprintNamed(request.method, named, version)
    const others = FINGERPRINT_VERSIONS.filter((version) => version !== fingerprintVersion)
    return { fingerprint: make(fingerprintVersion), otherFingerprints: () => others.map(make) }
  }
  if (found.kind === 'key') return { ...found, ...compareBy(null) }
  if (keyFrom === 'header') return null
  const derived = await derive()
  if (derived === null || isResponse(derived)) return derived
  return { key: derived.key, ...compareBy(derived.named) }
}
