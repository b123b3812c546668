import pg from 'pg'
import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { DurationField } from '@/app/_ui/duration-field'
import { EmptyState } from '@/app/_ui/empty-state'
import { countText, latencyText } from '@/app/_ui/format-figure'
import { durationText } from '@/app/_ui/format-time'
import { ScrollBox } from '@/app/_ui/scroll-box'
import { cellClass, secondLineClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import type { Db } from '@/lib/db'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import { adviseTtl, type RetryWindow } from '@/lib/retention/advise'
import { defaultPolicy } from '@/lib/retention/policy/policies'
import { proposeSeen } from './act'
import { ArchiveChoice } from './policy-form'

const FIGURE = 'whitespace-nowrap text-right'
const CANCELLED = '57014'
const ENDPOINTS_SHOWN = 20

type Props = {
  db: Db
  range: { from: Date; to: Date }
  /** Stores whose TTL a policy can set; of others the service sets it itself. */
  settable: readonly SourceView[]
  forbidden: string | null
  place: string
}

/** How long clients go on retrying, and the TTL that this implies. Reads all keys of the range: it comes when it comes. */
export async function AdviceCard({ db, range, ...rest }: Props) {
  const advice = await adviseTtl(db, range).catch((error: unknown) => {
    if (error instanceof pg.DatabaseError && error.code === CANCELLED) return null
    throw error
  })
  const endpoints = advice?.filter(({ client }) => client === '').slice(0, ENDPOINTS_SHOWN)
  return (
    <Card id="advice" title="TTL advice" aside="from the retries seen in the range">
      {endpoints === undefined ? (
        <EmptyState kind="timeout" title="The range holds too many keys to look through">
          Stopped after 20 s: choose a shorter range.
        </EmptyState>
      ) : endpoints.length === 0 ? (
        <EmptyState kind="none" title="No key was seen in this range">
          Advice needs telemetry of keys that came more than once.
        </EmptyState>
      ) : (
        <Advice endpoints={endpoints} range={range} {...rest} />
      )}
    </Card>
  )
}

const HEADS = ['Retried keys', 'P99', 'Longest', 'TTL now', 'Implied', 'After TTL', 'Rows held']

function Advice({ endpoints, ...rest }: Omit<Props, 'db'> & { endpoints: readonly RetryWindow[] }) {
  return (
    <ScrollBox label="TTL advice, table">
      <table className={tableClass}>
        <thead>
          <tr>
            <th scope="col" className={stillHeadClass()}>
              Endpoint
            </th>
            {HEADS.map((name) => (
              <th key={name} scope="col" className={stillHeadClass(FIGURE)}>
                {name}
              </th>
            ))}
            <th scope="col" className={stillHeadClass()}>
              <span className="sr-only">Propose</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {endpoints.map((each) => (
            <Row key={each.endpoint} advice={each} {...rest} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  )
}

function Row({ advice, range, settable, forbidden, place }: Omit<Props, 'db'> & { advice: RetryWindow }) {
  const { endpoint, retriedKeys, keys, p99Ms, maxMs, ttlMs, impliedTtlMs, uncertain } = advice
  const [store] = settable
  const none = retriedKeys === 0
  const why = none
    ? 'No key of it came twice in this range: nothing follows from that'
    : store === undefined
      ? 'The service sets this TTL itself: registerTier(name, ttlMs) of the SDK'
      : forbidden
  return (
    <tr>
      <th scope="row" className={cellClass('text-left font-normal')}>
        <span className="block whitespace-nowrap font-mono text-s">{endpoint}</span>
        {uncertain && !none && <Badge title="Fewer than 1,000 keys were retried">uncertain</Badge>}
      </th>
      <td className={cellClass(FIGURE)}>
        <span className="block">{countText(retriedKeys)}</span>
        <span className={secondLineClass}>of {countText(keys)}</span>
      </td>
      <td className={cellClass(FIGURE)}>{none ? '–' : latencyText(p99Ms)}</td>
      <td className={cellClass(FIGURE)}>{none ? '–' : latencyText(maxMs)}</td>
      <td className={cellClass(FIGURE)}>
        {ttlMs === null ? <span className="text-ink-3">not reported</span> : durationText(ttlMs)}
      </td>
      <td className={cellClass(`${FIGURE} font-semibold`)}>{none ? '–' : durationText(impliedTtlMs)}</td>
      <td className={cellClass(FIGURE)}>{countText(advice.expiredRetriesNow)}</td>
      <td className={cellClass(FIGURE)}>{none ? '–' : deltaText(advice.rowsHeldDelta)}</td>
      <td className={cellClass()}>
        <div className="flex justify-end">
          <ActDialog
            opener="Propose this policy"
            openerLook="quiet"
            forbidden={why}
            title={`Propose ${durationText(impliedTtlMs)} for ${endpoint} in ${place}`}
            lead="Nothing changes until a second person approves. The figures above become its reason."
            confirm="Propose 1 policy"
            act={proposeSeen.bind(null, {
              source: store?.id ?? '',
              endpoint,
              from: range.from.toISOString(),
              to: range.to.toISOString(),
            })}
          >
            <DurationField name="safety" label="Safety buffer" valueMs={defaultPolicy().safetyMs} />
            <ArchiveChoice />
          </ActDialog>
        </div>
      </td>
    </tr>
  )
}

function deltaText(delta: number | null): string {
  if (delta === null) return '–'
  return delta > 0 ? `+${countText(delta)}` : countText(delta).replace('-', '−')
}
