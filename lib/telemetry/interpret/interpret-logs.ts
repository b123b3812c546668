import { createHash } from 'node:crypto'
import type { Clock } from '@/lib/core/clock'
import type { OtlpLog } from '../decode/log'
import { type Rejections, reject } from '../decode/span'
import { json } from '../ingest/rows/json-text'
import { FUTURE_MAX_MS, LATE_MAX_MS } from '../retention'
import { text } from './attributes'
import { readKeyHash } from './request'

export type AcceptedLog = {
  log: OtlpLog
  /** of the event, else when it was observed */
  timeNs: bigint
  /** 32 hex characters; null when the record names no key */
  keyHash: string | null
  scope: string | null
  /** 32 hex characters: its identity */
  digest: string
}

const NS_PER_MS = 1_000_000n

/** Of one request. Checks each record by itself. */
export function interpretLogs(
  logs: readonly OtlpLog[],
  clock: Clock,
  hash: (key: string) => string,
  rejections: Rejections,
): AcceptedLog[] {
  const nowMs = clock.now().getTime()
  const accepted: AcceptedLog[] = []
  const seen = new Map<string, number>()
  for (const log of logs) {
    // The specification: a receiver that needs one time takes the event's, else the observed one, else its own.
    const timeNs = log.timeNs > 0n ? log.timeNs : log.observedNs > 0n ? log.observedNs : null
    const reason =
      timeNs === null ? 'neither time_unix_nano nor observed_time_unix_nano is set' : faultOf(timeNs, nowMs)
    if (timeNs === null || reason !== null) {
      if (reason !== null) reject(rejections, reason)
      continue
    }
    accepted.push({
      log,
      timeNs,
      keyHash: readKeyHash(log.attributes, hash),
      scope: text(log.attributes, 'idempotency.scope.name'),
      digest: digestOf(log, seen),
    })
  }
  return accepted
}

function faultOf(timeNs: bigint, nowMs: number): string | null {
  const atMs = Number(timeNs / NS_PER_MS)
  if (atMs < nowMs - LATE_MAX_MS) return `it happened more than ${LATE_MAX_MS / 86_400_000} days ago`
  if (atMs > nowMs + FUTURE_MAX_MS)
    return `it happens more than ${FUTURE_MAX_MS / 86_400_000} day in the future`
  return null
}

/** Records have no id. Equal ones of one request are told apart by their order, which a resend keeps. */
function digestOf(log: OtlpLog, seen: Map<string, number>): string {
  const { timeNs, observedNs, ...rest } = log
  const content = json([String(timeNs), String(observedNs), rest])
  const digest = createHash('sha256').update(content).digest('hex')
  const place = seen.get(digest) ?? 0
  seen.set(digest, place + 1)
  if (place === 0) return digest.slice(0, 32)
  return createHash('sha256').update(`${digest} ${place}`).digest('hex').slice(0, 32)
}
