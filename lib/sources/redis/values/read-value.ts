import { createHash } from 'node:crypto'
import type { StoredResponse } from '../../contracts'
import type { RedisConfig } from '../config'

/** A value as the store has it: a text, or the fields of a hash in the order of their names. */
export type RawValue = { kind: 'text'; text: Buffer } | { kind: 'hash'; fields: readonly [string, string][] }

/** What a value says. */
export type ReadValue =
  | { state: 'leased'; leaseUntilMs: number | null; fingerprint: string | null }
  /** In progress, and the next request takes it over without waiting: nobody is locked out. */
  | { state: 'open'; fingerprint: string | null }
  | {
      state: 'completed' | 'failed_final'
      response: StoredResponse
      status: number | null
      fingerprint: string | null
    }

/** The value cannot be understood as this library's; `why` of one that names itself its own. */
export class NotUnderstoodError extends RangeError {}

/**
 * What a change compares instead of the value: request bodies and credentials are in there, and what is compared is
 * kept with the action. The same is computed by the scripts.
 */
export function digestOf(value: RawValue): string {
  const text =
    value.kind === 'text'
      ? value.text
      : Buffer.from(
          value.fields.map(([name, held]) => `${length(name)}:${name}${length(held)}:${held}`).join(''),
        )
  return `${createHash('sha1').update(text).digest('hex')}:${text.length}`
}
const length = (text: string): number => Buffer.byteLength(text)

/** Throws `NotUnderstoodError`. */
export function readValue(raw: RawValue, config: RedisConfig): ReadValue {
  const value = parse(raw)
  switch (config.library) {
    case 'powertools':
      return readPowertools(value, config)
    case 'node-idempotency':
      return readNodeIdempotency(value)
    case 'express-idempotency':
      return readExpress(value)
    case 'mapped':
      return readMapped(value, config)
    default:
      return config.library satisfies never
  }
}

type Fields = Record<string, unknown>

export function parse(raw: RawValue): Fields {
  if (raw.kind === 'hash') return Object.fromEntries(raw.fields)
  try {
    const value: unknown = JSON.parse(raw.text.toString('utf8'))
    if (isFields(value)) return value
  } catch (cause) {
    throw new NotUnderstoodError('its value is not JSON', { cause })
  }
  throw new NotUnderstoodError('its value is not a JSON object')
}

const isFields = (value: unknown): value is Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function readPowertools(value: Fields, { attributes }: RedisConfig): ReadValue {
  const status = value[attributes.status]
  if (typeof value[attributes.expiry] !== 'number')
    throw new NotUnderstoodError(`it has no ${attributes.expiry}`)
  const fingerprint = textOf(value[attributes.validation])
  if (status === 'INPROGRESS') {
    const until = value[attributes.inProgressExpiry]
    // Absent without a Lambda context, and 0 is taken for absent: the library lets the next request in.
    return typeof until === 'number' && until > 0
      ? { state: 'leased', leaseUntilMs: until, fingerprint }
      : { state: 'open', fingerprint }
  }
  if (status !== 'COMPLETED') throw unknownStatus(status)
  const data = value[attributes.data]
  const http = isFields(data) && typeof data.statusCode === 'number' ? data : null
  return http === null
    ? completed(undefined, undefined, data, fingerprint)
    : completed(http.statusCode, http.headers, http.body, fingerprint)
}

function readNodeIdempotency(value: Fields): ReadValue {
  const fingerprint = textOf(value.fingerPrint)
  if (value.status === 'IN_PROGRESS') return { state: 'leased', leaseUntilMs: null, fingerprint }
  if (value.status !== 'COMPLETE') throw unknownStatus(value.status)
  const response = isFields(value.response) ? value.response : {}
  const additional = isFields(response.additional) ? response.additional : {}
  const { error } = response
  // An error is kept beside the body that a success has; it is replayed as one.
  if (error === undefined || response.body !== undefined)
    return completed(additional.statusCode, additional.headers, response.body, fingerprint)
  const status = additional.statusCode ?? (isFields(error) ? error.status : undefined)
  return { ...completed(status, additional.headers, error, fingerprint), state: 'failed_final' }
}

function readExpress(value: Fields): ReadValue {
  const { request, response } = value
  // No prefix and no status: the request is what its records are known by. Nothing of it is kept.
  if (!isFields(request) || typeof request.method !== 'string' || !isFields(request.headers))
    throw new NotUnderstoodError('it has no request')
  if (response === undefined) return { state: 'leased', leaseUntilMs: null, fingerprint: null }
  if (!isFields(response)) throw new NotUnderstoodError('its response is no object')
  return completed(response.statusCode, response.headers, response.body, null)
}

function readMapped(value: Fields, { mapping }: RedisConfig): ReadValue {
  const status = textOf(value[mapping.status]) ?? ''
  const fingerprint = textOf(value[mapping.fingerprint])
  if (mapping.inProgress.includes(status)) {
    const leaseUntilMs = mapping.leaseUntil === undefined ? null : timeOf(value[mapping.leaseUntil])
    return { state: 'leased', leaseUntilMs, fingerprint }
  }
  const isFailed = mapping.failed.includes(status)
  if (!isFailed && !mapping.completed.includes(status)) throw unknownStatus(value[mapping.status])
  const headers = value[mapping.headers]
  const read = completed(
    value[mapping.statusCode],
    mapping.format === 'hash' ? jsonOf(headers) : headers,
    value[mapping.body],
    fingerprint,
  )
  return isFailed ? { ...read, state: 'failed_final' } : read
}

function completed(
  code: unknown,
  headers: unknown,
  body: unknown,
  fingerprint: string | null,
): Extract<ReadValue, { state: 'completed' | 'failed_final' }> {
  const number = Number(code ?? Number.NaN)
  const status = Number.isInteger(number) && number >= 100 && number <= 999 ? number : null
  return {
    state: 'completed',
    status,
    fingerprint,
    response: { status: status ?? 0, headers: headersOf(headers), body: bodyText(body) },
  }
}

const bodyText = (body: unknown): string =>
  body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)

function headersOf(headers: unknown): Record<string, string> {
  if (!isFields(headers)) return {}
  const named = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'string' || typeof value === 'number') return [[name, String(value)]]
    return Array.isArray(value) ? [[name, value.map(String).join(', ')]] : []
  })
  return Object.fromEntries(named)
}

function jsonOf(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : text
  } catch {
    // Headers in another form are not shown.
    return null
  }
}

/** ms, s or an ISO time. Seconds are below 10^11 until the year 5138, and ms above it since 1973. */
function timeOf(value: unknown): number {
  const number = Number(value ?? Number.NaN)
  const at = Number.isFinite(number) ? (number < 1e11 ? number * 1_000 : number) : Date.parse(String(value))
  if (Number.isNaN(at)) throw new NotUnderstoodError(`its lease is no time: ${String(value).slice(0, 40)}`)
  return at
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.length <= 200 ? value : null

const unknownStatus = (status: unknown): NotUnderstoodError =>
  new NotUnderstoodError(`its status is none of this library: ${String(status).slice(0, 40)}`)
