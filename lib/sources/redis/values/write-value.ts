import type { StoredResponse } from '../../contracts'
import type { RedisConfig } from '../config'
import { parse, type RawValue } from './read-value'

/** What a completion writes: a text, or the fields of a hash that change. It is what the library itself would have written. */
export type WrittenValue = { kind: 'text'; text: string } | { kind: 'hash'; fields: Record<string, string> }

export function completedValue(
  raw: RawValue,
  response: StoredResponse,
  config: RedisConfig,
  nowMs: number,
): WrittenValue {
  const was = parse(raw)
  const text = (value: unknown): WrittenValue => ({ kind: 'text', text: JSON.stringify(value) })
  switch (config.library) {
    case 'powertools': {
      const { attributes, dataAs, ttlMs } = config
      const { status: statusCode, headers, body } = response
      return text({
        [attributes.status]: 'COMPLETED',
        [attributes.expiry]: Math.round((nowMs + ttlMs) / 1_000),
        [attributes.data]: dataAs === 'http' ? { statusCode, headers, body } : meaningOf(body),
      })
    }
    case 'node-idempotency':
      return text({
        ...was,
        status: 'COMPLETE',
        response: { body: meaningOf(response.body), additional: { statusCode: response.status } },
      })
    case 'express-idempotency': {
      const type = Object.entries(response.headers).filter(([name]) => name.toLowerCase() === 'content-type')
      const headers = Object.fromEntries(type.map(([name, value]) => [name.toLowerCase(), value]))
      return text({ ...was, response: { statusCode: response.status, body: response.body, headers } })
    }
    case 'mapped': {
      const { mapping } = config
      const [status = 'completed'] = mapping.completed
      const shared = { [mapping.status]: status }
      if (mapping.format === 'hash') {
        const fields = {
          ...shared,
          [mapping.statusCode]: String(response.status),
          [mapping.headers]: JSON.stringify(response.headers),
          [mapping.body]: response.body,
        }
        return { kind: 'hash', fields }
      }
      return text({
        ...was,
        ...shared,
        [mapping.statusCode]: response.status,
        [mapping.headers]: response.headers,
        [mapping.body]: mapping.bodyAs === 'value' ? meaningOf(response.body) : response.body,
      })
    }
    default:
      return config.library satisfies never
  }
}

/** A body that is JSON is kept as what it means, as the libraries keep it; any other as its text. */
function meaningOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
