import { type ExportedRows, type ExportFormat, exportRows } from '@/lib/audit/export/export-rows'
import type { Context } from '@/lib/context'
import type { ClientView } from './client'
import { readClients } from './read-clients'

const HEADER = [
  'client',
  'keyed_requests',
  'replayed',
  'mismatches',
  'expired_retries',
  'missing_keys',
  'missing_keys_at_least',
  'keys',
  'keys_retried',
  'requests_per_key',
  'most_requests_of_a_key',
  'keys_reused',
  'retry_window_p50_ms',
  'retry_window_p95_ms',
  'retry_window_p99_ms',
  'retry_window_longest_ms',
  'new_keys',
  'new_keys_peak_per_minute',
  'keys_shared',
  'keys_sent_by_other_first',
  'suspected_duplicates',
  'keys_sampled',
  'keys_with_time',
  'findings',
]

/** Callers of a window as a file, in the order of the page. An empty field is not measured, or not told. */
export const exportClients = (
  ctx: Context,
  window: { from: Date; to: Date },
  format: ExportFormat,
): Promise<ExportedRows> =>
  exportRows(ctx, { name: 'clients', header: HEADER, line }, { format, filter: window }, async () => ({
    items: (await readClients(ctx, window)).items,
    next: null,
  }))

function line(view: ClientView) {
  const { keys, keyTimes, missingKeys } = view
  const windows = keys?.retryWindowMs
  return [
    view.client,
    view.keyedRequests,
    view.replayed,
    view.mismatches,
    view.expiredRetries,
    missingKeys.requests,
    missingKeys.atLeast ? 'yes' : 'no',
    keys?.keys ?? null,
    keys?.retried ?? null,
    keys?.requestsPerKey ?? null,
    keys?.mostRequests ?? null,
    keys?.reused ?? null,
    windows?.p50 ?? null,
    windows?.p95 ?? null,
    windows?.p99 ?? null,
    windows?.longest ?? null,
    keys?.newKeys ?? null,
    keys?.newKeysPeakPerMinute ?? null,
    keys?.shared ?? null,
    keys?.sentByOtherFirst ?? null,
    view.suspected?.cases ?? null,
    keyTimes?.sampled ?? null,
    keyTimes === null ? null : keyTimes.minute + keyTimes.hour + keyTimes.day,
    view.findings.map(({ kind }) => kind).join(' '),
  ]
}
