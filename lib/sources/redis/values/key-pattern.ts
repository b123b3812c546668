import { scopeParts } from '@/lib/core/scope'
import type { RedisConfig } from '../config'

export type Named = { scope: string; key: string }

export type KeyPattern = {
  /** What each of its keys begins with; '' = they are among others. */
  prefix: string
  /** Of a key of the store; null = it is not one of these. */
  parse(redisKey: string): Named | null
  /** The other way round; null = no key of the store has this name. */
  compose(named: Named): string | null
}

type Part = 'caller' | 'method' | 'route' | 'key'
const PART = /\{(caller|method|route|key)\}/g

/**
 * Takes keys apart and puts them together again. A key that has more separators than its pattern cannot be taken apart
 * in one way only: then all that follows the prefix is its key.
 */
export function compilePattern({
  pattern,
  caller,
  endpoint,
}: Pick<RedisConfig, 'pattern' | 'caller' | 'endpoint'>): KeyPattern {
  const parts = [...pattern.matchAll(PART)].map(([, name]) => name as Part)
  const [prefix = '', ...separators] = pattern.split(/\{(?:caller|method|route|key)\}/).slice(0, -1)
  const whole = `${caller}/${endpoint}`
  const [ownMethod = '*', ownRoute = '/'] = endpoint.split(' ')

  const split = (tail: string): Named | null => {
    const values = tail.split(new RegExp(separators.map(literal).join('|') || '(?!)'))
    if (values.length !== parts.length || parts.length === 1) return null
    const of = (part: Part): string | undefined => values[parts.indexOf(part)]
    const { method = ownMethod, route = ownRoute } = { method: of('method'), route: of('route') }
    const scope = `${of('caller') ?? caller}/${method} ${route}`
    const key = of('key') ?? ''
    const fits = /^[A-Z*]+$/.test(method) && /^\/\S*$/.test(route) && key !== '' && scope !== whole
    return fits && join({ scope, key }) === prefix + tail ? { scope, key } : null
  }

  const join = ({ scope, key }: Named): string | null => {
    if (scope === whole) return prefix + key
    const { client, endpoint: named } = scopeParts(scope)
    const at = named.indexOf(' ')
    const values: Record<Part, string> = {
      caller: client,
      method: named.slice(0, Math.max(at, 0)),
      route: named.slice(at + 1),
      key,
    }
    const others: Record<Part, string> = { caller, method: ownMethod, route: ownRoute, key }
    const said = (Object.keys(values) as Part[]).every(
      (part) => parts.includes(part) || values[part] === others[part],
    )
    if (!said) return null
    return prefix + parts.map((part, place) => values[part] + (separators[place] ?? '')).join('')
  }

  const parse = (redisKey: string): Named | null => {
    if (!redisKey.startsWith(prefix) || redisKey.length === prefix.length) return null
    const tail = redisKey.slice(prefix.length)
    return split(tail) ?? { scope: whole, key: tail }
  }
  return {
    prefix,
    parse,
    compose(named) {
      const redisKey = join(named)
      const read = redisKey === null ? null : parse(redisKey)
      return read?.scope === named.scope && read.key === named.key ? redisKey : null
    },
  }
}

const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
