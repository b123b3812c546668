import { createHash } from 'node:crypto'
import type { Item } from '../client/value'
import type { DynamoConfig, Mapping } from '../config'

type Named = { scope: string; key: string }

/**
 * Scope and key of an item, and back. With a sort key the partition is the caller and the sort key, whole, the key; else
 * one text has both, such as `{prefix}#{hash}`.
 */
export function identityOf({ endpoint, endpoints }: DynamoConfig, mapping: Mapping) {
  const { partition, sort, split, hash } = mapping
  const endpointOf = (caller: string): string => endpoints[caller] ?? endpoint
  const scopeOf = (caller: string): string => `${caller}/${endpointOf(caller)}`

  function parts(text: string): { caller: string; key: string } {
    if (split === undefined) return { caller: '', key: text }
    const at = split.at === 'first' ? text.indexOf(split.separator) : text.lastIndexOf(split.separator)
    return at < 0
      ? { caller: '', key: text }
      : { caller: text.slice(0, at), key: text.slice(at + split.separator.length) }
  }

  function nameOf(item: Item): Named | null {
    const pk = item[partition]?.S
    if (pk === undefined) return null
    if (sort === undefined) {
      const { caller, key } = parts(pk)
      return { scope: scopeOf(caller), key }
    }
    const sk = item[sort]?.S
    return sk === undefined ? null : { scope: scopeOf(pk), key: sk }
  }

  /** Where an item of this name is; null = no item can have it. */
  function placeOf({ scope, key }: Named): Item | null {
    const caller = callerOf(scope)
    if (caller === null || key === '') return null
    if (sort !== undefined) return caller === '' ? null : { [partition]: { S: caller }, [sort]: { S: key } }
    const text = split === undefined || caller === '' ? key : `${caller}${split.separator}${key}`
    const place = { [partition]: { S: text } }
    const named = nameOf(place)
    return named?.scope === scope && named.key === key ? place : null
  }

  function callerOf(scope: string): string | null {
    const known = [...Object.keys(endpoints), '']
    const named = known.find((each) => each !== '' && scopeOf(each) === scope)
    if (named !== undefined) return named
    const suffix = `/${endpoint}`
    const caller = scope.slice(0, -suffix.length)
    return scope.endsWith(suffix) && scopeOf(caller) === scope ? caller : null
  }

  return {
    nameOf,
    placeOf,
    /** The library's own key for a caller's key in this scope; null = the configuration does not say how. */
    computeKey({ scope, key }: Named): string | null {
      if (hash === undefined) return null
      const digest = createHash(hash.algorithm).update(payloadText(key, hash)).digest(hash.encoding)
      const prefix = sort === undefined ? '' : (callerOf(scope) ?? '').replace(/^idempotency#/, '')
      return sort === undefined ? digest : `${prefix}#${digest}`
    },
  }
}

/** The text that is hashed. Python writes it in ASCII. */
function payloadText(key: string, { encoding }: { encoding: 'base64' | 'hex' }): string {
  const text = JSON.stringify(key)
  if (encoding === 'base64') return text
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export type Identity = ReturnType<typeof identityOf>
