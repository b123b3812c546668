import { AttemptLanes } from '@/app/_ui/attempt-lanes'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { latencyText, plural } from '@/app/_ui/format-figure'
import { shortId } from '@/app/_ui/identifier'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { PageLink } from '@/app/_ui/page-link'
import { lineCellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { pageExists } from '../../_shell/nav'
import { requestNow } from '../../_shell/reads'
import { fenceText, LANES_MAX, leaseMarks, toLanes } from './attempts'
import type { KeyPage } from './read-key'

export async function AttemptsCard({ page: { detail, effects } }: { page: KeyPage }) {
  const { sightings, lock } = detail
  const traces = pageExists('/traces')
  const lanes = toLanes(sightings, effects, traces ? (traceId) => `/traces/${traceId}` : null)
  const more = sightings.length > LANES_MAX ? `, ${LANES_MAX} as lanes` : ''
  return (
    <Card id="attempts" title="Attempts" aside={`${plural(sightings.length, 'request')} seen${more}`}>
      {sightings.length === 0 ? (
        <p className="px-4 pb-4 text-ink-2">
          No request span of this key was received: its service sends none, or they are kept no more.
        </p>
      ) : (
        <>
          <AttemptLanes
            lanes={lanes}
            marks={leaseMarks(lock?.leaseUntil ?? null, await requestNow())}
            caption="The attempts on one axis of time, with the effects that each had"
          />
          <AttemptsTable sightings={sightings} traces={traces} />
        </>
      )}
    </Card>
  )
}

function AttemptsTable({
  sightings,
  traces,
}: {
  sightings: KeyPage['detail']['sightings']
  traces: boolean
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="relative overflow-x-auto" aria-label="Table of attempts" tabIndex={0}>
      <table className={tableClass}>
        <thead>
          <tr>
            {['', 'At', 'Outcome', 'Answer', 'Token', 'Instance', 'Took', 'Trace'].map((name) => (
              <th key={name} scope="col" className={stillHeadClass('border-t')}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sightings.map((sighting, place) => {
            const look = outcomeLook(sighting.outcome)
            return (
              <tr key={sighting.spanId} className="whitespace-nowrap">
                <td className={lineCellClass('text-ink-3')}>{place + 1}</td>
                <td className={lineCellClass()}>
                  <Time at={sighting.time.toISOString()} kind="seconds" />
                </td>
                <td className={lineCellClass()}>
                  <Badge tone={look.tone}>{look.label}</Badge>
                  {sighting.effectTwice && (
                    <span className="ml-1.5">
                      <Badge tone="bad">effect twice</Badge>
                    </span>
                  )}
                  {sighting.expiredRetry && (
                    <span className="ml-1.5">
                      <Badge tone="bad">after expiry</Badge>
                    </span>
                  )}
                </td>
                <td className={lineCellClass()}>{sighting.statusCode ?? '—'}</td>
                <td className={lineCellClass('font-mono text-s')} title={sighting.fence ?? undefined}>
                  {sighting.fence === null ? '—' : fenceText(sighting.fence)}
                </td>
                <td
                  className={lineCellClass()}
                  title={`${sighting.instance} · ${sighting.service} ${sighting.version}`}
                >
                  <span className="font-mono text-s">{shortId(sighting.instance, 12, 4)}</span>{' '}
                  <span className="text-ink-3 text-s">{shortId(sighting.version, 10, 4)}</span>
                </td>
                <td className={lineCellClass()}>
                  {latencyText(sighting.endTime.getTime() - sighting.time.getTime())}
                </td>
                <td className={lineCellClass('font-mono text-s')}>
                  {traces ? (
                    <PageLink
                      href={`/traces/${sighting.traceId}`}
                      title={sighting.traceId}
                      className="text-accent-ink hover:underline"
                    >
                      {shortId(sighting.traceId, 8, 4)}
                    </PageLink>
                  ) : (
                    <span title={sighting.traceId}>{shortId(sighting.traceId, 8, 4)}</span>
                  )}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}
