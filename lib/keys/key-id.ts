import { z } from 'zod'
import { AppError } from '@/lib/core/errors'

export type KeyIdentity = { sourceId: string; scope: string; key: string }

const shape = z.tuple([z.string(), z.string(), z.string()])

/** A key's own id follows from what names it, so that a link to it can be made without looking it up. */
export const formatKeyId = ({ sourceId, scope, key }: KeyIdentity): string =>
  `key_${Buffer.from(JSON.stringify([sourceId, scope, key])).toString('base64url')}`

/** Throws `not_found` for what is no key's id. */
export function parseKeyId(id: string): KeyIdentity {
  try {
    const [sourceId, scope, key] = shape.parse(
      JSON.parse(Buffer.from(id.slice('key_'.length), 'base64url').toString('utf8')),
    )
    return { sourceId, scope, key }
  } catch (cause) {
    throw new AppError('not_found', `There is no key ${id.slice(0, 100)}.`, { cause })
  }
}
