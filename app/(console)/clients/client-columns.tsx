import type { ReactNode } from 'react'
import { Badge } from '@/app/_ui/badge'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { countText, latencyText, plural } from '@/lib/core/format-figure'
import type { ClientView, FindingKind } from '@/lib/insight/clients/client'
import { KEY_TIMES } from '@/lib/insight/clients/time-in-key'

export const FINDING_LABEL: Record<FindingKind, string> = {
  suspected_duplicates: 'New key, same operation',
  other_body: 'Other body',
  expired_retries: 'Retried too late',
  time_in_key: 'Time in key',
  missing_keys: 'No key',
  key_of_other: 'Another caller’s key',
  retry_storm: 'Retry storm',
  key_burst: 'Burst of keys',
}

export const clientId = ({ client, isOthers }: ClientView): string =>
  isOthers ? 'others' : client === null ? 'not told' : `client ${client}`

export const clientPath = (client: string): string => `/clients/${encodeURIComponent(client)}`

const FINDINGS_SHOWN = 3

export const clientColumns: Column<ClientView>[] = [
  {
    head: 'Client',
    names: true,
    className: 'min-w-36 max-w-72',
    cell: (view) => (
      <TwoLines below={`${countText(view.keyedRequests)} requests with a key`}>
        <ClientName {...view} />
      </TwoLines>
    ),
  },
  {
    head: 'Findings',
    cell: ({ findings }) => <Findings findings={findings} />,
  },
  figureColumn(
    'Retry window',
    ({ keys }) =>
      ofKeys(keys, ({ retryWindowMs }) =>
        retryWindowMs === null ? (
          <Quiet>no retry</Quiet>
        ) : (
          <TwoLines below={`P99 ${latencyText(retryWindowMs.p99)}`}>
            P50 {latencyText(retryWindowMs.p50)}
          </TwoLines>
        ),
      ),
    { from: 'md' },
  ),
  figureColumn(
    'Requests a key',
    ({ keys }) =>
      ofKeys(keys, ({ requestsPerKey, mostRequests }) => (
        <TwoLines below={`most ${countText(mostRequests)}`}>{requestsPerKey.toFixed(2)}</TwoLines>
      )),
    { from: 'lg' },
  ),
  figureColumn(
    'Other body',
    ({ mismatches, keys }) => (
      <TwoLines below={keys === null ? 'keys not measured' : plural(keys.reused, 'key')}>
        {countText(mismatches)}
      </TwoLines>
    ),
    { from: 'md' },
  ),
  figureColumn(
    'New key, same operation',
    ({ suspected }) => (suspected === null ? <Quiet>nothing compared</Quiet> : countText(suspected.cases)),
    { from: 'xl' },
  ),
  figureColumn('No key', ({ missingKeys }) => missingText(missingKeys), { from: 'lg' }),
  figureColumn(
    'Time in key',
    ({ keyTimes }) =>
      keyTimes === null ? (
        <Quiet>no store has it</Quiet>
      ) : (
        <TwoLines below={`of ${countText(keyTimes.sampled)} sampled`}>
          {countText(KEY_TIMES.reduce((sum, time) => sum + keyTimes[time], 0))}
        </TwoLines>
      ),
    { from: 'xl' },
  ),
  figureColumn(
    'New keys a minute',
    ({ keys }) =>
      ofKeys(keys, ({ newKeysPeakPerMinute, newKeys }) => (
        <TwoLines below={`${countText(newKeys)} in all`}>peak {countText(newKeysPeakPerMinute)}</TwoLines>
      )),
    { from: 'xl' },
  ),
  figureColumn(
    'Shared keys',
    ({ keys }) =>
      ofKeys(keys, ({ shared, sentByOtherFirst }) => (
        <TwoLines below={`${countText(sentByOtherFirst)} another’s first`}>{countText(shared)}</TwoLines>
      )),
    { from: '2xl' },
  ),
]

function ClientName({ client, isOthers }: ClientView) {
  if (isOthers) return <span className="font-medium">all other callers</span>
  if (client === null) return <span className="font-medium text-ink-2 italic">not told</span>
  return (
    <RowLink to={clientPath(client)} title={client} className="truncate font-medium">
      {client}
    </RowLink>
  )
}

function Findings({ findings }: Pick<ClientView, 'findings'>) {
  if (findings.length === 0) return <Quiet>none</Quiet>
  const more = findings.length - FINDINGS_SHOWN
  return (
    <span className="flex flex-wrap gap-1">
      {findings.slice(0, FINDINGS_SHOWN).map(({ kind, tone, says }) => (
        <Badge key={kind} tone={tone} title={says}>
          {FINDING_LABEL[kind]}
        </Badge>
      ))}
      {more > 0 && <Badge>{more} more</Badge>}
    </span>
  )
}

export const Quiet = ({ children }: { children: ReactNode }) => <span className="text-ink-3">{children}</span>

const ofKeys = (keys: ClientView['keys'], cell: (keys: NonNullable<ClientView['keys']>) => ReactNode) =>
  keys === null ? <Quiet>not measured</Quiet> : cell(keys)

/** None, at least so many, and not told are three things. */
export function missingText({ requests, atLeast }: ClientView['missingKeys']): ReactNode {
  if (!atLeast) return countText(requests)
  return requests === 0 ? <Quiet>not told</Quiet> : `≥ ${countText(requests)}`
}
