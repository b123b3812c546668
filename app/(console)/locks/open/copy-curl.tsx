'use client'

import { CopyButton } from '@/app/_ui/copy-button'
import { useHydrated } from '@/app/_ui/zone'
import type { KeyAction } from '@/lib/core/states'

type Props = { verb: KeyAction; id: string; version: string; reason: string }

/** The same action for a terminal. It names where a token goes and never has one. */
export function CopyCurl(props: Props) {
  const hydrated = useHydrated()
  if (!hydrated) return null
  return (
    <CopyButton text={curlText({ ...props, origin: window.location.origin })} label="Copy as curl" iconOnly />
  )
}

/** In single quotes a shell takes everything as it stands, but a single quote itself. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The key is made by whoever runs it: the same one again is the same action. */
export function curlText({ origin, verb, id, version, reason }: Props & { origin: string }): string {
  const why = reason.trim() === '' ? 'YOUR REASON' : reason.trim()
  const body = JSON.stringify({ ids: [id], seen: { [id]: version }, reason: why })
  return [
    `curl -X POST ${quoted(`${origin}/api/v1/locks/${verb}`)}`,
    `-H 'Authorization: Bearer YOUR_TOKEN'`,
    `-H "Idempotency-Key: \\"$(uuidgen)\\""`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(body)}`,
  ].join(' \\\n  ')
}
