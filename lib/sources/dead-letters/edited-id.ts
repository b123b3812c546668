import { createHash } from 'node:crypto'

/** The id of a message that stands for another one: the same for the same act, so that consumers drop it if it is sent twice. */
export function editedId(actionId: string, place: string): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([actionId, place]))
    .digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
