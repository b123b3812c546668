import type { KeyAction } from '@/lib/core/states'

type Action = { origin: string; verb: KeyAction; id: string; version: string; reason: string }

/** In single quotes a shell takes everything as it stands, but a single quote itself. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The key is made by whoever runs it: the same one again is the same action. */
export function curlText({ origin, verb, id, version, reason }: Action): string {
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
